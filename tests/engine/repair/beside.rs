//! Applications that write while a plan is applied or taken back: nothing of theirs is lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt as _;
use kit::history::item;
use kit::repairs::{Plan, findings, undo};
use referee::data::Item;
use referee::repair::Outcome;
use referee::store::memory::Fault;
use referee::store::{Action, Memory, Store as _, Write};

use super::{history, planned, rules};

fn write(store: &Memory, action: Action) {
    let write = Write { table: "app".to_owned(), action, condition: None };
    store.write(write).now_or_never().unwrap().unwrap();
}

fn put(store: &Memory, text: &str) {
    write(store, Action::Put(item(text)));
}

fn content(store: &Memory, text: &str) -> Option<Item<'static>> {
    let key = item(text);
    let is_it = |found: &Item<'_>| key.iter().all(|(name, value)| found.get(name) == Some(value));
    store.dump()["app"].iter().find(|found| is_it(found)).cloned()
}

/// What applications may do to the items of the plan.
const WRITES: [&str; 9] = [
    "pk: company#9, sk: '-', of: others",
    "pk: company#9, sk: user#a, role: changed",
    "pk: company#1, sk: user#a, role: changed",
    "pk: user#a, sk: company#1, role: of others",
    "pk: user#b, sk: company#1, role: of others",
    "pk: user#c, sk: company#1, role: of others",
    "pk: user#d, sk: company#1, role: of others",
    "pk: task#1, sk: '-', by: x, owner: w, new: attribute",
    "pk: user#x, sk: '-', of: others",
];

/// An application writes before the n-th request of a plan, for every n. Its item stays.
#[test]
fn an_item_that_an_application_writes_meanwhile_is_not_clobbered() {
    let rules = rules();
    for text in WRITES {
        for request in 1..60 {
            let (store, plan) = planned(&rules);
            let store = Rc::new(store);
            let (other, text_of) = (Rc::downgrade(&store), text.to_owned());
            let mut number = 0;
            let before = Rc::new(RefCell::new(None));
            let was = Rc::clone(&before);
            store.set_faults(Box::new(move |_| {
                number += 1;
                if number == request {
                    let store = other.upgrade().unwrap();
                    let key = item(&text_of).into_iter().filter(|(name, _)| name != "of");
                    let key: Item<'static> =
                        key.filter(|(name, _)| name == "pk" || name == "sk").collect();
                    let is_it = |found: &Item<'_>| {
                        key.iter().all(|(name, value)| found.get(name) == Some(value))
                    };
                    *was.borrow_mut() =
                        Some(store.dump()["app"].iter().find(|found| is_it(found)).cloned());
                    put(&store, &text_of);
                }
                Fault::None
            }));
            let mut log = plan.log();
            plan.apply(&rules, &*store, &mut log).unwrap().unwrap();
            store.clear_faults();
            let words = format!("{text}, at request {request}");
            if before.borrow().is_none() {
                break;
            }
            assert!(content(&store, text).is_some(), "apply clobbered {words}");
            let undone = undo(&rules, &*store, &mut log).unwrap().unwrap();
            assert_eq!(undone.failed, 0, "{words}");
            assert!(content(&store, text).is_some(), "undo clobbered {words}");
        }
    }
}

/// No condition can require that an item has no other attributes, so the item itself is compared.
#[test]
fn an_item_with_a_new_attribute_is_neither_deleted_nor_restored() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    put(&store, "pk: company#9, sk: user#a, role: admin, new: attribute");
    let mut log = plan.log();
    let done = plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    assert_eq!(done.changed, 1, "{done:?}");
    assert!(content(&store, "pk: company#9, sk: user#a, new: attribute").is_some());
    put(&store, "pk: task#2, sk: '-', n: 2, new: attribute");
    let undone = undo(&rules, &store, &mut log).unwrap().unwrap();
    assert_eq!(undone.kept, 1, "{undone:?}");
    assert!(content(&store, "pk: task#2, sk: '-', n: 2, new: attribute").is_some());
}

/// An application adds an attribute to an item that is being adopted, before the n-th request of a
/// plan, for every n.
#[test]
fn an_attribute_added_to_an_item_that_is_adopted_stays() {
    const ADDED: &str = "pk: user#d, sk: company#1, role: guest, new: attribute";
    let rules = rules();
    for request in 1.. {
        let (store, plan) = planned(&rules);
        let store = Rc::new(store);
        let (other, is_added) = (Rc::downgrade(&store), Rc::new(Cell::new(false)));
        let (mut number, added) = (0, Rc::clone(&is_added));
        store.set_faults(Box::new(move |_| {
            number += 1;
            if number == request {
                added.set(true);
                put(&other.upgrade().unwrap(), ADDED);
            }
            Fault::None
        }));
        plan.apply(&rules, &*store, &mut plan.log()).unwrap().unwrap();
        store.clear_faults();
        if !is_added.get() {
            return;
        }
        assert!(content(&store, ADDED).is_some(), "at request {request}");
    }
}

#[test]
fn items_that_were_written_since_are_kept_and_listed() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let mut log = plan.log();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    put(&store, "pk: task#2, sk: '-', n: 3");
    put(&store, "pk: user#c, sk: company#1, role: new");
    let undone = undo(&rules, &store, &mut log).unwrap().unwrap();
    // Two writes delete the mirror of `user#c`. Both are kept.
    assert_eq!(undone.kept, 3, "{undone:?}");
    assert!(content(&store, "pk: task#2, sk: '-', n: 3").is_some());
    let again = undo(&rules, &store, &mut log).unwrap().unwrap();
    assert_eq!((again.kept, again.undone), (3, 0), "{again:?}");
}

#[test]
fn a_finding_that_was_fixed_meanwhile_is_skipped() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    put(&store, "pk: user#x, sk: '-'");
    put(&store, "pk: company#9, sk: '-'");
    put(&store, "pk: company#1, sk: user#c, role: guest");
    let mut outcomes = Vec::new();
    plan.apply_with(&rules, &store, &mut plan.log(), &mut outcomes).unwrap().unwrap();
    for write in plan.writes(&rules) {
        let (_, outcome) = outcomes.iter().find(|(number, _)| *number == write.number).unwrap();
        let target = write.claim.referenced.as_ref().unwrap();
        let key = rules[target.table].key.item_of(&target.key);
        let exists = store.dump()["app"]
            .iter()
            .any(|item| key.iter().all(|(name, value)| item.get(name) == Some(value)));
        let is_reference =
            !write.action.name().ends_with("_mirror") && write.action.name() != "announce_delete";
        if is_reference && exists {
            assert!(matches!(outcome, Outcome::Fixed | Outcome::Changed), "{write:?} {outcome:?}");
        }
    }
    assert!(content(&store, "pk: company#9, sk: user#a").is_some());
    assert!(content(&store, "pk: user#c, sk: company#1").is_some());
}

/// A mirror whose source changes after the plan was made is not written: the plan is out of date.
#[test]
fn a_mirror_is_not_written_from_an_old_source() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    put(&store, "pk: company#1, sk: user#a, role: new");
    plan.apply(&rules, &store, &mut plan.log()).unwrap().unwrap();
    assert_eq!(content(&store, "pk: user#a, sk: company#1"), None);
    let plan = Plan::new(&rules, &store, super::ADOPT);
    plan.apply(&rules, &store, &mut plan.log()).unwrap().unwrap();
    assert!(content(&store, "pk: user#a, sk: company#1, role: new").is_some());
}

/// After the repair, an audit finds only what has no action.
#[test]
fn an_audit_is_clean_after_the_repairs() {
    let rules = rules();
    let store = history().store(&rules);
    loop {
        let plan = Plan::new(&rules, &store, super::ADOPT);
        if plan.writes(&rules).is_empty() {
            break;
        }
        plan.apply(&rules, &store, &mut plan.log()).unwrap().unwrap();
    }
    let left: Vec<String> =
        findings(&rules, &store).iter().map(|left| left.kind().to_string()).collect();
    assert_eq!(left, ["mirror_blocked"]);
}

//! Repairs and backfills beside applications and the stream function, between any two requests of
//! which the others may act, and any of which may be the last one before a crash.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use fastrand::Rng;
use futures_util::FutureExt as _;
use kit::clocks::Late;
use kit::history::{History, item, load};
use kit::oracle::{Kind, MARK, Oracle};
use kit::repairs::{Plan, claims, findings, undo};
use referee::data::{Item, Value};
use referee::engine::Engine;
use referee::repair::{Choice, Options, choose};
use referee::rules::model::Rules;
use referee::store::memory::{Fault, StreamRecord};
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::value::RawValue;

/// How many seeds run.
const SEEDS: u64 = 30;

/// The application's items by their keys.
type Own = BTreeMap<(String, String), Item<'static>>;

/// The application and the function.
struct Others {
    engine: Engine,
    store: Weak<Memory>,
    rng: Rng,
    own: Own,
    log: Vec<StreamRecord>,
    /// How many records were delivered.
    done: usize,
    deletes_source: bool,
}

fn name(item: &Item<'_>) -> (String, String) {
    let text = |name: &str| {
        let Value::S(text) = &item[name] else { panic!("{item:?}") };
        text.to_string()
    };
    (text("pk"), text("sk"))
}

impl Others {
    /// Something that the application or the function does.
    fn act(&mut self) {
        match self.rng.u8(..6) {
            0 | 1 => self.application(),
            2 | 3 => self.function(3),
            _ => {}
        }
    }

    fn application(&mut self) {
        let (company, user) = (self.rng.u8(..3), self.rng.u8(..4));
        let member = format!("pk: company#{company}, sk: user#{user}");
        let mirror = format!("pk: user#{user}, sk: company#{company}");
        match self.rng.u8(..10) {
            0..=3 => {
                let role = self.rng.u8(..3);
                self.write(Action::Put(item(&format!("{member}, role: r{role}"))));
            }
            4 | 5 => self.write(Action::Delete(item(&member))),
            6 => self.write(Action::Put(item(&format!("pk: company#{company}, sk: '-'")))),
            7 => self.write(Action::Delete(item(&format!("pk: company#{company}, sk: '-'")))),
            // Someone else edits or deletes a mirror, or writes an item at its key.
            8 => self.tamper(&mirror),
            _ => {
                let mine = format!("{mirror}, mine: {}", self.rng.bool());
                self.write(Action::Put(item(&mine)));
            }
        }
    }

    fn tamper(&mut self, mirror: &str) {
        let store = self.store.upgrade().unwrap();
        let key = name(&item(mirror));
        let found = store.dump()["app"].iter().find(|found| name(found) == key).cloned();
        let Some(mut found) = found.filter(|found| found.contains_key(MARK)) else { return };
        if self.rng.bool() || self.deletes_source {
            found.insert("role".into(), "forged".into());
            self.write(Action::Put(found));
        } else {
            self.write(Action::Delete(item(mirror)));
        }
    }

    fn write(&mut self, action: Action) {
        match &action {
            Action::Put(item) if !item.contains_key(MARK) => {
                self.own.insert(name(item), item.clone());
            }
            Action::Put(key) | Action::Delete(key) => {
                self.own.remove(&name(key));
            }
            Action::Update { .. } | Action::Check(_) => {}
        }
        let store = self.store.upgrade().unwrap();
        let write = Write { table: "app".to_owned(), action, condition: None };
        store.write(write).now_or_never().unwrap().unwrap();
    }

    /// The function processes the next records.
    fn function(&mut self, records: usize) {
        let store = self.store.upgrade().unwrap();
        self.log.extend(store.take_stream());
        let until = (self.done + records).min(self.log.len());
        let records: Vec<Box<RawValue>> = self.log[self.done..until]
            .iter()
            .map(|record| serde_json::value::to_raw_value(record).unwrap())
            .collect();
        let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        let outcome = self.engine.process(&records, &*store, &Late).now_or_never().unwrap();
        assert!(outcome.unwrap().handed_back.is_empty());
        self.done = until;
        self.log.extend(store.take_stream());
    }

    /// The function processes all records, and those of its own writes.
    fn drain(&mut self) {
        for _ in 0..1_000 {
            self.function(5);
            if self.done == self.log.len() {
                return;
            }
        }
        panic!("it never reaches rest");
    }
}

/// Lets the others act before each request, and perhaps kills the process.
fn interfere(store: &Memory, others: &Rc<RefCell<Others>>, crashes: bool) {
    let others = Rc::clone(others);
    store.set_faults(Box::new(move |_| {
        let mut others = others.borrow_mut();
        others.act();
        match others.rng.u8(..24) {
            0 if crashes => Fault::Crash { applied: others.rng.bool() },
            _ => Fault::None,
        }
    }));
}

fn legacy(rng: &mut Rng) -> History {
    let mut history = History::new();
    for company in 0..3 {
        if rng.u8(..4) > 0 {
            history = history.has(&format!("pk: company#{company}, sk: '-'"));
        }
        for user in 0..4 {
            let member = format!("pk: company#{company}, sk: user#{user}, role: r{}", rng.u8(..3));
            let is_member = rng.bool();
            if is_member {
                history = history.has(&member);
            }
            let mirror = format!("pk: user#{user}, sk: company#{company}");
            let role = member.rsplit_once(' ').unwrap().1;
            history = match rng.u8(..6) {
                0 => history.has(&format!("{mirror}, role: {role}, _referee: membership@0")),
                1 => history.has(&format!("{mirror}, role: stale, _referee: membership@0")),
                2 if is_member => history.has(&format!("{mirror}, role: {role}")),
                3 => history.has(&format!("{mirror}, of: others")),
                _ => history,
            };
        }
    }
    history
}

/// Plans and applies, beside the others and over crashes, and perhaps takes everything back.
fn round(rules: &Rules, store: &Rc<Memory>, others: &Rc<RefCell<Others>>, seed: u64) {
    let (options, is_undone) = {
        let rng = &mut others.borrow_mut().rng;
        (Options { adopt: rng.bool(), only_missing: rng.bool() }, rng.u8(..4) == 0)
    };
    let found = claims(rules, store);
    interfere(store, others, false);
    let plan = Plan::of(rules, store, found, options);
    let mut log = plan.log();
    for _ in 0..50 {
        interfere(store, others, true);
        if let Some(done) = plan.apply(rules, &**store, &mut log) {
            done.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            break;
        }
        let unsynced = log.bytes.len() - log.synced;
        let cut = others.borrow_mut().rng.usize(..=unsynced);
        log = log.crashed(cut);
    }
    if is_undone {
        interfere(store, others, false);
        undo(rules, &**store, &mut log).unwrap().unwrap();
    }
    store.clear_faults();
}

fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let deletes_source = rng.bool();
    let mirror = if deletes_source { "delete_source" } else { "restore" };
    let mut rules = load(&super::RULES.replace("delete_source", mirror).replace(
        "{ from: member, to: company, on_missing: delete }",
        "{ from: member, to: company }",
    ));
    let store = Rc::new(legacy(&mut rng).store(&rules));
    let own = store.dump().remove("app").unwrap().into_iter();
    let own = own.filter(|item| !item.contains_key(MARK));
    let others = Rc::new(RefCell::new(Others {
        engine: Engine::new(rules.clone()),
        store: Rc::downgrade(&store),
        own: own.map(|item| (name(&item), item)).collect(),
        log: Vec::new(),
        done: 0,
        rng: rng.fork(),
        deletes_source,
    }));
    let deletes_members = rng.bool();
    if deletes_members {
        let choice = Choice { rule: "member_company".to_owned(), action: "delete".to_owned() };
        choose(&mut rules, &choice).unwrap();
    }
    for _ in 0..3 {
        round(&rules, &store, &others, seed);
    }
    let mut others = others.borrow_mut();
    others.drain();
    // The function has kept the mirrors of the sources that changed right.
    let changed: BTreeSet<_> =
        others.log.iter().map(|record| name(&record.key_attributes)).collect();
    let wrong = wrong_mirrors(&rules, &store);
    let kept_wrong: Vec<_> = wrong.iter().filter(|(_, source)| changed.contains(source)).collect();
    assert!(kept_wrong.is_empty(), "seed {seed}: {kept_wrong:?}");
    for _ in 0..10 {
        let plan = Plan::new(&rules, &store, Options { adopt: true, only_missing: false });
        if plan.writes(&rules).is_empty() {
            break;
        }
        plan.apply(&rules, &*store, &mut plan.log()).unwrap().unwrap();
        others.drain();
    }
    assert_own(&others, &store, deletes_members, seed);
    assert_eq!(wrong_mirrors(&rules, &store), [], "seed {seed}");
    // An audit finds only what has no action.
    let left = findings(&rules, &store).into_iter().map(|finding| finding.kind().name());
    let allowed = ["dangling_reference", "mirror_blocked", "mirror_extra"];
    let other: Vec<_> = left.filter(|kind| !allowed.contains(kind)).collect();
    assert!(other.is_empty(), "seed {seed}: {other:?}");
}

/// The mirrors that are wrong, and the keys of their sources.
fn wrong_mirrors(rules: &Rules, store: &Memory) -> Vec<(Kind, (String, String))> {
    let defects = Oracle::new(rules, store.dump()).defects().into_iter();
    let of_mirrors = defects.filter(|defect| {
        defect.kind.is_of_mirror() && !matches!(defect.kind, Kind::MirrorBlocked | Kind::Unowned)
    });
    let source = |defect: kit::oracle::Defect| {
        let source = defect.referenced.unwrap();
        (defect.kind, name(&rules[source.table].key.item_of(&source.key)))
    };
    of_mirrors.map(source).collect()
}

/// The application's items are as it wrote them. Only members may have been deleted, by a rule that
/// says so, and only unmarked items that equal their mirrors may have been marked.
fn assert_own(others: &Others, store: &Memory, deletes_members: bool, seed: u64) {
    let items: Own = store.dump()["app"].iter().map(|item| (name(item), item.clone())).collect();
    for (key, own) in &others.own {
        let is_member = key.0.starts_with("company#") && key.1.starts_with("user#");
        match items.get(key) {
            Some(found) if found == own => {}
            Some(found) if found.contains_key(MARK) && key.0.starts_with("user#") => {
                // It was adopted while it equalled the mirror. Since then, it follows its source.
                assert!(
                    !own.contains_key("mine") && !own.contains_key("of"),
                    "seed {seed}: {key:?}"
                );
            }
            None if is_member && deletes_members => {}
            // It was adopted, and its source was deleted.
            None if key.0.starts_with("user#") && own.contains_key("role") => {}
            found => panic!("seed {seed}: {key:?} is {found:?}, and was written as {own:?}"),
        }
    }
}

#[test]
fn repairs_applications_and_the_function_do_not_undo_each_other() {
    for seed in 0..SEEDS {
        run(seed);
    }
}

//! A process that is killed at any request, or any byte of the journal. Afterwards, either applying
//! the plan again ends it, or taking it back restores the tables exactly.

use std::collections::BTreeSet;

use kit::oracle::Dump;
use kit::repairs::{MemoryLog, Plan, undo};
use referee::data::Item;
use referee::integrity::finding::ItemName;
use referee::rules::model::Rules;
use referee::store::Memory;
use referee::store::memory::Fault;

use super::{history, planned, rules};

/// The tables before and after a plan.
struct Ends {
    before: Dump,
    after: Dump,
}

impl Ends {
    fn of(rules: &Rules, plan: &Plan) -> Self {
        let store = history().store(rules);
        let before = store.dump();
        let applied = plan.apply(rules, &store, &mut plan.log()).unwrap().unwrap();
        assert_eq!(applied.applied, plan.writes(rules).len() as u64);
        Self { before, after: store.dump() }
    }
}

/// Kills the process at this request.
fn kill_at(store: &Memory, request: u64, applied: bool) {
    let mut number = 0;
    store.set_faults(Box::new(move |_| {
        number += 1;
        if number == request { Fault::Crash { applied } } else { Fault::None }
    }));
}

/// A copy of the tables.
fn copy(rules: &Rules, store: &Memory) -> Memory {
    let copy = referee::replay::store(rules);
    referee::replay::seed(&copy, &referee::replay::dump(store)).unwrap();
    copy
}

/// Checks both ways out of a crash, for every length of the journal that may have survived.
fn check(
    rules: &Rules,
    plan: &Plan,
    ends: &Ends,
    (store, log): (&Memory, &MemoryLog),
    words: &str,
) {
    let Ends { before, after } = ends;
    let unsynced = log.bytes.len() - log.synced;
    let mut cuts = vec![0, 1, unsynced / 2, unsynced.saturating_sub(1), unsynced];
    cuts.retain(|cut| *cut <= unsynced);
    cuts.dedup();
    for cut in cuts {
        let words = format!("{words}, {cut} of {unsynced} bytes that were not synced");
        let again = copy(rules, store);
        let mut journal = log.crashed(cut);
        plan.apply(rules, &again, &mut journal).unwrap().unwrap();
        assert_eq!(again.dump(), *after, "applied again after {words}");
        undo(rules, &again, &mut journal).unwrap().unwrap();
        assert_eq!(again.dump(), *before, "applied again and undone after {words}");
        let back = copy(rules, store);
        let mut journal = log.crashed(cut);
        undo(rules, &back, &mut journal).unwrap().unwrap();
        assert_eq!(back.dump(), *before, "undone after {words}");
    }
}

#[test]
fn a_killed_apply_can_be_ended_or_taken_back() {
    let rules = rules();
    let (_, plan) = planned(&rules);
    let ends = Ends::of(&rules, &plan);
    let mut killed = 0;
    for applied in [false, true] {
        for request in 1.. {
            let store = history().store(&rules);
            let mut log = plan.log();
            kill_at(&store, request, applied);
            let ended = plan.apply(&rules, &store, &mut log);
            store.clear_faults();
            if ended.is_some() {
                break;
            }
            killed += 1;
            let words = format!("request {request}, applied: {applied}");
            check(&rules, &plan, &ends, (&store, &log), &words);
        }
    }
    assert!(killed > 20, "{killed}");
}

#[test]
fn a_killed_undo_can_be_repeated() {
    let rules = rules();
    let (before, plan) = planned(&rules);
    let before = before.dump();
    let mut killed = 0;
    for applied in [false, true] {
        for request in 1.. {
            let store = history().store(&rules);
            let mut log = plan.log();
            plan.apply(&rules, &store, &mut log).unwrap().unwrap();
            kill_at(&store, request, applied);
            let ended = undo(&rules, &store, &mut log);
            store.clear_faults();
            if ended.is_some() {
                break;
            }
            killed += 1;
            for cut in [0, log.bytes.len() - log.synced] {
                let store = copy(&rules, &store);
                undo(&rules, &store, &mut log.crashed(cut)).unwrap().unwrap();
                assert_eq!(store.dump(), before, "request {request}");
            }
        }
    }
    assert!(killed > 20, "{killed}");
}

/// Every call of the journal fails once, and so does a disk that is full after any number of bytes.
#[test]
fn a_full_disk_under_the_journal_loses_nothing() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let mut log = plan.log();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    let ends = Ends::of(&rules, &plan);
    let header = plan.log().bytes.len();
    let calls = 1..=log.calls;
    let sizes = (header..log.bytes.len()).step_by(307);
    let full = calls
        .map(|call| MemoryLog { fails_at: Some(call), ..plan.log() })
        .chain(sizes.map(|room| MemoryLog { room: Some(room), ..plan.log() }));
    for mut full in full {
        let store = history().store(&rules);
        let stopped = plan.apply(&rules, &store, &mut full).unwrap().unwrap_err().to_string();
        assert!(stopped.starts_with("the journal cannot be written"), "{stopped}");
        let words = format!("call {:?}, room {:?}", full.fails_at, full.room);
        check(&rules, &plan, &ends, (&store, &full), &words);
    }
}

/// Nothing is written whose line is not on disk.
#[test]
fn every_write_has_its_line_on_disk_first() {
    let rules = rules();
    let (before, plan) = planned(&rules);
    let before = before.dump();
    for request in 1.. {
        let store = history().store(&rules);
        let mut log = plan.log();
        kill_at(&store, request, true);
        let ended = plan.apply(&rules, &store, &mut log);
        store.clear_faults();
        let text = String::from_utf8(log.bytes[..log.synced].to_vec()).unwrap();
        let begun = text.matches("\"type\":\"began\"").count();
        let now = store.dump();
        let changed: BTreeSet<_> = plan
            .writes(&rules)
            .iter()
            .filter_map(|write| write.item().cloned())
            .filter(|name| content(&rules, &now, name) != content(&rules, &before, name))
            .collect();
        assert!(changed.len() <= begun, "request {request}");
        if ended.is_some() {
            break;
        }
    }
}

fn content(rules: &Rules, dump: &Dump, name: &ItemName) -> Option<Item<'static>> {
    let is_it = |item: &&Item<'static>| rules[name.table].key.key_of(item).unwrap() == name.key;
    dump["app"].iter().find(is_it).cloned()
}

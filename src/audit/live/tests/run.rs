//! Whole audits of tables that change meanwhile.

use std::collections::BTreeSet;
use std::rc::Rc;

use fastrand::Rng;
use futures_util::FutureExt as _;

use super::{Jumping, rules, store, strings};
use crate::audit::Options;
use crate::audit::live::rate::Limiter;
use crate::audit::live::run::{LiveAudit, Session};
use crate::data::Item;
use crate::integrity::finding::Finding;
use crate::integrity::mirror::{Mark, lowest_fence};
use crate::runtime::clock::Clock as _;
use crate::runtime::stop::Stop;
use crate::store::memory::{CallKind, Fault};
use crate::store::{Action, Memory, Store as _, Write};

/// The number of users, tasks and memberships.
const NAMES: usize = 60;

/// An item and its target, or a mirror and its source.
fn pair(kind: u8, name: usize, version: u8) -> [Item<'static>; 2] {
    if kind == 0 {
        return [
            strings(&format!("user#{name}/profile"), &[]),
            strings(&format!("task#{name}/task"), &[&format!("owner={name}")]),
        ];
    }
    let role = format!("role={version}");
    let mut mirror = strings(&format!("user#{name}/company#acme"), &[&role]);
    let mark = Mark::new("membership", lowest_fence());
    mirror.insert("_referee".into(), mark.to_value());
    [strings(&format!("company#acme/user#{name}"), &[&role]), mirror]
}

/// Writes or deletes both items of a pair in one transaction, as an application does that keeps its
/// tables consistent.
fn change(memory: &Memory, random: &mut Rng) {
    let (kind, name, version) = (random.u8(..2), random.usize(..NAMES), random.u8(..3));
    let is_delete = version == 0;
    let action = |item: Item<'static>| {
        if is_delete {
            let keys = item.into_iter().filter(|(name, _)| ["pk", "sk"].contains(&&**name));
            Action::Delete(keys.collect())
        } else {
            Action::Put(item)
        }
    };
    let write = |item| Write { table: "app".to_owned(), action: action(item), condition: None };
    let writes = pair(kind, name, version).map(write).to_vec();
    memory.transact(writes).now_or_never().unwrap().unwrap();
}

/// Audits a store. Returns the findings, and how many suspects were in order after all.
fn audit(memory: &Memory, folder: &std::path::Path) -> (Vec<Finding>, u64) {
    let (clock, stop) = (Jumping::default(), Stop::default());
    let limiter = Limiter::new(Some(5.0), &clock);
    let session = Session { store: memory, clock: &clock, limiter: &limiter, stop: &stop };
    let mut live = LiveAudit::begin(rules(), folder, 0, |_| 3).unwrap();
    let scanned = live.scan(session, (3, false), &mut |_| {}).now_or_never().unwrap();
    scanned.unwrap();
    let options = Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    let suspects = live.join(&options).unwrap();
    let mut findings = Vec::new();
    let found = |finding| {
        findings.push(finding);
        Ok(())
    };
    let confirmed = live.confirm(session, clock.now_ms(), suspects, found).now_or_never();
    let (confirmed, _) = confirmed.unwrap().unwrap();
    live.remove().unwrap();
    (findings, confirmed.cleared)
}

#[test]
fn tables_that_change_during_the_scan_cause_no_false_finding() {
    let folder = tempfile::tempdir().unwrap();
    let mut cleared = 0;
    for seed in 0..100 {
        let mut random = Rng::with_seed(seed);
        let consistent = (0..NAMES).flat_map(|name| [pair(0, name, 1), pair(1, name, 1)]).flatten();
        let dangling: Vec<_> = (0..random.usize(..20))
            .map(|name| strings(&format!("task#bad{name}/task"), &["owner=nobody"]))
            .collect();
        let planted: BTreeSet<_> =
            dangling.iter().map(|item| format!("{:?}", item["pk"])).collect();
        let memory = store(consistent.chain(dangling));
        let others = Rc::clone(&memory);
        memory.set_faults(Box::new(move |call| {
            // Often during the scan, and rarely enough later for two looks to agree.
            let is_scan = call.kind == CallKind::Scan;
            let changes = if is_scan { 3 } else { u8::from(call.number.is_multiple_of(4)) };
            (0..changes).for_each(|_| change(&others, &mut random));
            Fault::None
        }));
        let (findings, in_order) = audit(&memory, &folder.path().join("state"));
        cleared += in_order;
        let found = findings.iter().map(|finding| {
            format!("{:?}", finding.referencing.as_ref().unwrap().key.partition.to_value())
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), planted, "seed {seed}");
    }
    assert!(cleared > 100, "{cleared} suspects were cleared");
}

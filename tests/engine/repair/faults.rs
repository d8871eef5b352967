//! Requests that fail, answers that are lost, and writes that are applied late.

use kit::repairs::{MemoryLog, Plan, undo};
use referee::rules::model::Rules;
use referee::store::memory::Fault;
use referee::store::{CancellationReason, Memory, StoreError};

use super::{history, planned, rules};

fn timeout() -> StoreError {
    StoreError::Retry("timeout".to_owned())
}

/// Injects a fault at this request, or from it on.
fn inject(store: &Memory, request: u64, lasts: bool, fault: Fault) {
    let mut number = 0;
    store.set_faults(Box::new(move |_| {
        number += 1;
        let is_hit = number == request || (lasts && number > request);
        if is_hit { fault.clone() } else { Fault::None }
    }));
}

/// Whether a fault at this request is tried for it alone, and for all that follow. A fault that lasts
/// from the next request on differs little.
fn lasting(request: u64) -> impl Iterator<Item = bool> {
    [false, true].into_iter().take(if request % 3 == 1 { 2 } else { 1 })
}

/// Applies until the plan is done, as an operator would.
fn apply_until_done(rules: &Rules, plan: &Plan, store: &Memory, log: &mut MemoryLog) {
    for _ in 0..5 {
        if plan.apply(rules, store, log).unwrap().is_ok() {
            return;
        }
        store.clear_faults();
    }
    panic!("the plan was not done");
}

/// Whatever fails, the plan is done in the end, late writes have no effect, and everything can be
/// taken back.
#[test]
fn a_plan_is_done_in_spite_of_any_fault() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let before = store.dump();
    plan.apply(&rules, &store, &mut plan.log()).unwrap().unwrap();
    let (after, requests) = (store.dump(), store.usage().requests);
    let busy = vec![CancellationReason::None, CancellationReason::Conflict];
    let throttled = vec![CancellationReason::Throttled, CancellationReason::None];
    for fault in [
        Fault::Fail(timeout()),
        Fault::Lost(timeout()),
        Fault::Late(timeout()),
        Fault::Fail(StoreError::Fatal("access denied".to_owned())),
        Fault::Cancel(busy),
        Fault::Cancel(throttled),
    ] {
        for request in 1..requests {
            for lasts in lasting(request) {
                let store = history().store(&rules);
                let mut log = plan.log();
                inject(&store, request, lasts, fault.clone());
                apply_until_done(&rules, &plan, &store, &mut log);
                store.clear_faults();
                store.land_all();
                let words = format!("request {request} {lasts} {fault:?}");
                assert_eq!(store.dump(), after, "{words}");
                undo(&rules, &store, &mut log).unwrap().unwrap();
                assert_eq!(store.dump(), before, "{words}");
            }
        }
    }
}

#[test]
fn an_undo_is_done_in_spite_of_any_fault() {
    let rules = rules();
    let (_, plan) = planned(&rules);
    for fault in [Fault::Fail(timeout()), Fault::Lost(timeout()), Fault::Late(timeout())] {
        for request in 1..60 {
            for lasts in lasting(request) {
                let store = history().store(&rules);
                let before = store.dump();
                let mut log = plan.log();
                plan.apply(&rules, &store, &mut log).unwrap().unwrap();
                inject(&store, request, lasts, fault.clone());
                let _ = undo(&rules, &store, &mut log).unwrap();
                store.clear_faults();
                undo(&rules, &store, &mut log).unwrap().unwrap();
                store.land_all();
                assert_eq!(store.dump(), before, "request {request} {lasts} {fault:?}");
            }
        }
    }
}

/// A write that DynamoDB refuses fails alone.
#[test]
fn a_refused_write_is_reported_and_the_others_are_made() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let refused = Fault::Fail(StoreError::Rejected("too large".to_owned()));
    let mut is_first = true;
    store.set_faults(Box::new(move |call| {
        if call.kind.is_write() && std::mem::take(&mut is_first) {
            refused.clone()
        } else {
            Fault::None
        }
    }));
    let mut outcomes = Vec::new();
    let mut log = plan.log();
    let done = plan.apply_with(&rules, &store, &mut log, &mut outcomes).unwrap().unwrap();
    assert_eq!(done.failed, 1, "{outcomes:?}");
    assert!(done.applied > 5, "{outcomes:?}");
    undo(&rules, &store, &mut log).unwrap().unwrap();
    assert_eq!(store.dump(), history().store(&rules).dump());
}

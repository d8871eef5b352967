//! Guarded repairs: repairs the items that refer to a missing target, one transaction at a time.
//! Each transaction checks again that the target is missing.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::clock::Clock;
use super::pass::Pass;
use super::reads::CONCURRENCY;
use super::repair_log::{RepairLog, StartedRepair, ViolationName};
use crate::data::{Item, Key};
use crate::integrity::finding::ItemName;
use crate::integrity::repair::{
    AnyOf, Case, GuardedTransaction, ItemWrite, NoRepair, Obstacle, Purpose, Repair,
};
use crate::rules::model::Rules;
use crate::store::{CancellationReason, Store, StoreError, Transacted, Write};

/// How often an item may change before its repair is left for another run.
const TRIES_MAX: u32 = 4;

/// An item to repair, as it was read.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) key: Key<'static>,
    pub(crate) image: Item<'static>,
    /// The violation that its repair resolves.
    pub(crate) violation: Arc<ViolationName>,
}

/// The result of one item's repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RepairResult {
    /// The item was repaired, by this write.
    Repaired(ItemWrite),
    /// It needs no repair: it no longer refers to the target, or the target exists.
    Unneeded,
    /// It still refers to the target, but this obstacle makes a repair impossible.
    Impossible(Obstacle),
    /// DynamoDB refuses the repair, and always will.
    Failed(Obstacle),
}

/// The results of the repairs of a case.
#[derive(Debug, Default)]
pub(crate) struct CaseResult {
    /// The result for each item, in no particular order. Items that were not reached are absent.
    pub(crate) items: Vec<(Key<'static>, RepairResult)>,
    /// Whether the target turned out to exist.
    pub(crate) target_exists: bool,
    /// Why some items were not reached, if any.
    pub(crate) unfinished: Option<StoreError>,
}

/// Repairs the items of many cases concurrently.
pub(crate) async fn repair_cases<'c, T: 'c>(
    pass: Pass<'_, impl Store, impl Clock>,
    cases: &'c [(Case<'_>, Vec<T>)],
    candidate_of: impl Fn(&'c Case<'_>, &'c T) -> Candidate,
) -> Vec<CaseResult> {
    let candidate_of = &candidate_of;
    stream::iter(cases)
        .map(|(case, items)| {
            repair_case(pass, case, items.iter().map(|item| candidate_of(case, item)))
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// Repairs the items of a case. Each repair is computed from the image that was read, and logged
/// before it is made.
pub(crate) async fn repair_case(
    pass: Pass<'_, impl Store, impl Clock>,
    case: &Case<'_>,
    items: impl IntoIterator<Item = Candidate>,
) -> CaseResult {
    let mut run = Run::new(pass.rules, case, items);
    let guard = case.guard(pass.rules);
    let mut room = usize::MAX;
    while run.has_more() {
        if !pass.clock.has_time() {
            let why = "the deadline came before the repairs were done";
            run.stop(StoreError::Retry(why.to_owned()));
            break;
        }
        let repairs = run.pending.iter().take(room).map(|pending| &pending.repair);
        let transaction = GuardedTransaction::of(&guard, repairs);
        run.log(transaction.repairs, pass.repairs);
        match pass.store.transact(transaction.actions.clone()).await {
            Ok(answer) => match answer.value {
                Transacted::Applied => {
                    run.applied(transaction.repairs);
                    room = usize::MAX;
                }
                Transacted::Canceled(reasons) => run.canceled(&transaction, reasons),
            },
            // The repairs may be too large for one transaction, or DynamoDB may refuse one of them.
            Err(StoreError::Rejected(_)) if transaction.repairs > 1 => {
                room = transaction.repairs.div_ceil(2);
            }
            Err(StoreError::Rejected(why)) => run.refused(why),
            Err(error) => run.stop(error),
        }
    }
    run.finish()
}

/// The error that another transaction is in progress on an item. It asks for a retry.
pub(crate) fn busy() -> StoreError {
    StoreError::Retry("another transaction is in progress on the item".to_owned())
}

/// A repair that is still to be made.
struct Pending {
    target: Target,
    repair: Repair,
    tries: u32,
}

/// The item of a repair.
struct Target {
    key: Key<'static>,
    violation: Arc<ViolationName>,
    /// Whether the repair has been logged.
    is_logged: bool,
}

/// The repairs of a case, in progress.
struct Run<'r> {
    rules: &'r Rules,
    case: &'r Case<'r>,
    pending: Vec<Pending>,
    result: CaseResult,
    /// Whether nothing more can be done.
    is_over: bool,
}

impl<'r> Run<'r> {
    fn new(
        rules: &'r Rules,
        case: &'r Case<'r>,
        items: impl IntoIterator<Item = Candidate>,
    ) -> Self {
        let (pending, result) = (Vec::new(), CaseResult::default());
        let mut run = Self { rules, case, pending, result, is_over: false };
        for Candidate { key, image, violation } in items {
            let repair = case.repair(rules, &key, &image);
            run.enter(Target { key, violation, is_logged: false }, repair, 0);
        }
        run
    }

    const fn has_more(&self) -> bool {
        !self.pending.is_empty() && !self.result.target_exists && !self.is_over
    }

    fn enter(&mut self, target: Target, repair: Result<Repair, NoRepair>, tries: u32) {
        let result = match repair {
            Ok(repair) => return self.pending.push(Pending { target, repair, tries }),
            Err(NoRepair::NotReferring) => RepairResult::Unneeded,
            Err(NoRepair::Impossible(why)) => RepairResult::Impossible(why),
        };
        self.result.items.push((target.key, result));
    }

    /// Logs those of the first pending repairs that have not been logged.
    fn log(&mut self, count: usize, log: &dyn RepairLog) {
        let table = self.rules.referencing(self.case.rule).table;
        let mut started = Vec::new();
        for Pending { target, repair, .. } in self.pending.iter_mut().take(count) {
            if !std::mem::replace(&mut target.is_logged, true) {
                let write = repair.item_write(ItemName { table, key: target.key.clone() });
                started.push(StartedRepair::new(&target.violation, write));
            }
        }
        if !started.is_empty() {
            log.started(&started);
        }
    }

    /// Records that DynamoDB refused the first pending repair, which was alone in its transaction.
    fn refused(&mut self, why: String) {
        let refused = self.pending.remove(0);
        self.result.items.push((refused.target.key, RepairResult::Failed(Obstacle::Refused(why))));
    }

    /// Records that the first pending repairs were made.
    fn applied(&mut self, count: usize) {
        let table = self.rules.referencing(self.case.rule).table;
        for Pending { target: Target { key, .. }, repair, .. } in self.pending.drain(..count) {
            let write = repair.item_write(ItemName { table, key: key.clone() });
            self.result.items.push((key, RepairResult::Repaired(write)));
        }
    }

    /// Processes the reasons why a transaction was canceled. The items that were not a reason stay
    /// pending.
    fn canceled(&mut self, transaction: &GuardedTransaction, reasons: Vec<CancellationReason>) {
        let is_busy = reasons.iter().all(is_passing);
        let is_unexplained = reasons.iter().all(|reason| *reason == CancellationReason::None);
        let rest = self.pending.split_off(transaction.repairs);
        let mut tried: Vec<Option<Pending>> =
            std::mem::replace(&mut self.pending, rest).into_iter().map(Some).collect();
        let actions = transaction.purposes.iter().zip(&transaction.actions);
        for ((purpose, action), reason) in actions.zip(reasons) {
            let of: &[usize] = match purpose {
                Purpose::Guard => &[],
                Purpose::Check(of) => of,
                Purpose::Write(index) => std::slice::from_ref(index),
            };
            let concerned = of.iter().filter_map(|index| tried.get_mut(*index)?.take());
            match reason {
                CancellationReason::None => {}
                CancellationReason::Conflict | CancellationReason::Throttled if !is_busy => {}
                // The store has already retried. The writes of the other items may succeed without
                // these items.
                CancellationReason::Conflict | CancellationReason::Throttled => {
                    concerned.for_each(drop);
                    self.leave(busy());
                    self.is_over |= *purpose == Purpose::Guard;
                }
                CancellationReason::Invalid(why) if *purpose == Purpose::Guard => {
                    self.stop(StoreError::Rejected(why));
                }
                CancellationReason::Invalid(why) => {
                    self.end(concerned, &RepairResult::Failed(Obstacle::Refused(why)));
                }
                CancellationReason::ConditionFailed(current) => match purpose {
                    Purpose::Guard => self.result.target_exists = true,
                    Purpose::Check(_) => {
                        let failed: Vec<Pending> = concerned.collect();
                        self.check_others(failed, action);
                    }
                    Purpose::Write(_) => self.repair_again(concerned, current.as_ref()),
                },
            }
        }
        self.pending.splice(..0, tried.into_iter().flatten());
        if is_unexplained {
            self.stop(StoreError::Retry("a transaction was canceled".to_owned()));
        }
    }

    /// Goes on with other items of which one must exist, after the check of one of them failed.
    fn check_others(&mut self, failed: Vec<Pending>, check: &Write) {
        for mut pending in failed {
            let mut checks = pending.repair.checks.iter_mut();
            let of_check = checks.find(|any_of| any_of.check() == Some(check));
            if of_check.is_some_and(AnyOf::go_on) {
                self.pending.push(pending);
            } else {
                let missing = RepairResult::Impossible(Obstacle::ReplacementMissing);
                self.end(std::iter::once(pending), &missing);
            }
        }
    }

    fn end(&mut self, items: impl Iterator<Item = Pending>, result: &RepairResult) {
        self.result.items.extend(items.map(|pending| (pending.target.key, result.clone())));
    }

    /// Records why some items are not reached.
    fn leave(&mut self, error: StoreError) {
        self.result.unfinished.get_or_insert(error);
    }

    /// Ends the run, for this reason.
    fn stop(&mut self, error: StoreError) {
        self.leave(error);
        self.is_over = true;
    }

    /// Computes new repairs for items that have changed since they were read, from their current
    /// images.
    fn repair_again(
        &mut self,
        items: impl Iterator<Item = Pending>,
        current: Option<&Item<'static>>,
    ) {
        for Pending { target, tries, .. } in items {
            let repair = match current {
                None => Err(NoRepair::NotReferring),
                Some(_) if tries == TRIES_MAX => {
                    let why = "the item changes faster than it can be repaired".to_owned();
                    self.leave(StoreError::Retry(why));
                    continue;
                }
                Some(item) => self.case.repair(self.rules, &target.key, item),
            };
            self.enter(target, repair, tries + 1);
        }
    }

    fn finish(mut self) -> CaseResult {
        if self.result.target_exists {
            let pending = self.pending.drain(..);
            let unneeded = pending.map(|pending| (pending.target.key, RepairResult::Unneeded));
            self.result.items.extend(unneeded);
        }
        self.result
    }
}

/// Whether the same action may succeed if it is tried again.
const fn is_passing(reason: &CancellationReason) -> bool {
    match reason {
        CancellationReason::None | CancellationReason::Conflict | CancellationReason::Throttled => {
            true
        }
        CancellationReason::ConditionFailed(_) | CancellationReason::Invalid(_) => false,
    }
}

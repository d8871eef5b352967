//! Reports the orphans of deleted items, and takes the actions that the rules ask for.

use futures_util::stream::{self, StreamExt as _};

use super::cascade::cascade;
use super::resolved::{Limit, NAMED_MAX, Resolved, fanout_max};
use super::restore::restore;
use crate::data::Key;
use crate::engine::detect::DeletedTarget;
use crate::engine::report::Report;
use crate::engine::report::violation::{Resolution, Response};
use crate::integrity::finding::{Defect, Orphans};
use crate::integrity::reference::{self, Finder};
use crate::integrity::repair::{Obstacle, Remedy};
use crate::rules::model::{OnDelete, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{CONCURRENCY, ReadSet};
use crate::runtime::referrers::Referrers;
use crate::runtime::transactions::RepairResult;
use crate::store::{Store, StoreError};

/// How the work for a deleted item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeleteEnd {
    /// The rule's action was taken, as far as its limits allow.
    Done,
    /// The item exists again, so nothing more was done.
    TargetExists,
    /// It must be tried again.
    Unfinished,
}

/// Finds the items that refer to deleted ones, reports them, and takes the rules' actions. Returns
/// how that ended for each deleted item.
pub(crate) async fn resolve_deletes(
    pass: Pass<'_, impl Store, impl Clock>,
    deleted: &[DeletedTarget<'_>],
    report: &mut Report,
) -> Result<Vec<DeleteEnd>, Fatal> {
    let resolved: Vec<_> = stream::iter(deleted)
        .map(|target| resolve(pass, target))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut ends = Vec::with_capacity(deleted.len());
    for (target, resolved) in deleted.iter().zip(resolved) {
        match resolved {
            Ok(resolved) => {
                ends.push(resolved.end());
                report_resolved(pass.rules, target, resolved, report)?;
            }
            Err(error) => {
                ends.push(DeleteEnd::Unfinished);
                fail(target, &error, report)?;
            }
        }
    }
    Ok(ends)
}

async fn resolve(
    pass: Pass<'_, impl Store, impl Clock>,
    target: &DeletedTarget<'_>,
) -> Result<Resolved, StoreError> {
    let resolved = act(pass, target).await?;
    // The orphans were read after the target. If both were written between the two reads, this
    // would be a false alarm.
    if resolved.is_unconfirmed() && exists(pass, &target.finder).await? {
        return Ok(resolved.with_existing_target());
    }
    Ok(resolved)
}

/// Takes the rule's action for the orphans.
async fn act(
    pass: Pass<'_, impl Store, impl Clock>,
    target: &DeletedTarget<'_>,
) -> Result<Resolved, StoreError> {
    let known = target.referrers.as_ref();
    let known = known.map(|known| known.iter().map(|(key, _)| key.clone()).collect());
    let referrers = Referrers::new(pass, &target.finder, known);
    if let Some(remedy) = Remedy::of_delete(target.action) {
        return cascade(pass, target, remedy, referrers).await;
    }
    if target.action == OnDelete::Restore {
        return restore(pass, target, referrers).await;
    }
    let found = referrers.first(fanout_max(&pass.rules[target.finder.rule])).await?;
    let (count, more) = (found.keys.len(), found.more);
    let keys = found.keys.into_iter().take(NAMED_MAX).collect();
    Ok(Resolved::orphans(Response::Reported, Orphans { count, more, keys }))
}

/// Reads the target once more, and returns whether it exists.
async fn exists(
    pass: Pass<'_, impl Store, impl Clock>,
    finder: &Finder,
) -> Result<bool, StoreError> {
    let mut reads = ReadSet::default();
    let target = reads.want_target(pass, finder.rule, &finder.target);
    reads.fetch(pass).await.has_target(pass.rules, &target)
}

/// Reports the error that the work for a deleted item could not be done.
fn fail(target: &DeletedTarget<'_>, error: &StoreError, report: &mut Report) -> Result<(), Fatal> {
    target.causes().iter().try_for_each(|cause| report.fail(error.clone(), cause))
}

fn report_resolved(
    rules: &Rules,
    target: &DeletedTarget<'_>,
    resolved: Resolved,
    report: &mut Report,
) -> Result<(), Fatal> {
    let DeletedTarget { finder, cause, .. } = target;
    let rule = &rules[finder.rule].name;
    if resolved.response == Response::WouldRepair {
        report.planned(rule, resolved.writes, cause);
    } else {
        report.writes(rule, resolved.writes, cause);
    }
    if let Some(error) = resolved.unfinished {
        return fail(target, &error, report);
    }
    let (response, on_delete) = (resolved.response, Some(target.action));
    let orphans = resolved.orphans;
    let resolution = Resolution { response, on_delete, obstacle: resolved.obstacle };
    let mut find = |defect, resolution: Resolution| {
        report.violation(reference::orphaned(rules, finder, defect), resolution, cause);
    };
    match resolved.limit {
        Some(Limit::Depth(depth)) => {
            find(Defect::CascadeTooDeep { orphans, depth }, Response::Reported.into());
        }
        Some(Limit::Fanout(touched_max)) => {
            find(Defect::Orphaned(orphans.clone()), resolution);
            find(Defect::TooManyOrphans { orphans, touched_max }, Response::Reported.into());
        }
        None if orphans.count > 0 => find(Defect::Orphaned(orphans), resolution),
        None => {}
    }
    for (key, result) in resolved.unrepaired {
        let (response, obstacle) = match result {
            RepairResult::Failed(why) => (Response::Failed, why),
            RepairResult::Impossible(why) => (Response::Reported, why),
            RepairResult::Repaired(_) | RepairResult::Unneeded => continue,
        };
        report_orphan(rules, target, key, (response, obstacle), report);
    }
    Ok(())
}

/// Reports an item that refers to the deleted one and could not be repaired.
fn report_orphan(
    rules: &Rules,
    target: &DeletedTarget<'_>,
    key: Key<'static>,
    (response, obstacle): (Response, Obstacle),
    report: &mut Report,
) {
    let cause = target.cause_of(&key);
    let item = reference::referencing_name(rules, &target.finder, key);
    let finding = reference::orphan(rules, &target.finder, item);
    let resolution = Resolution { obstacle: Some(obstacle), ..response.into() };
    report.violation(finding, resolution, &cause);
}

//! Cascades: deletes or changes the orphans of a deleted item, page by page.

use std::sync::Arc;

use super::resolved::{Limit, NAMED_MAX, Resolved, fanout_max};
use crate::engine::detect::DeletedTarget;
use crate::engine::report::violation::Response;
use crate::engine::report::violation_name;
use crate::integrity::finding::{Defect, ItemName, Orphans};
use crate::integrity::reference::orphaned;
use crate::integrity::repair::{CascadeMark, Case, Fix, NoRepair, Remedy};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::pass::Pass;
use crate::runtime::referrers::{Referrers, Referring};
use crate::runtime::transactions::{Candidate, RepairResult, repair_case};
use crate::store::{Store, StoreError, TRANSACT_ACTIONS_MAX};

/// The maximum number of items that are read before they are repaired, enough for ten transactions.
/// A query returns up to 1 MB of items, and the repairs of small items take fifty times as much
/// memory.
const PAGE_ITEMS_MAX: usize = 10 * (TRANSACT_ACTIONS_MAX - 1);

/// Repairs the orphans, page by page of the query that finds them.
///
/// A repaired item no longer refers to the target, so when a delivery reaches its deadline, the
/// next one continues where it stopped.
pub(super) async fn cascade<S: Store, C: Clock>(
    pass: Pass<'_, S, C>,
    target: &DeletedTarget<'_>,
    remedy: Remedy,
    referrers: Referrers<'_, S, C>,
) -> Result<Resolved, StoreError> {
    let rule = target.finder.rule;
    let reference = &pass.rules[rule];
    let fix = if remedy == Remedy::Delete && reference.is_recursive() {
        let mark = CascadeMark { depth: target.depth + 1 };
        if mark.depth > reference.depth_max {
            return too_deep(target, referrers).await;
        }
        Fix::Mark(mark)
    } else {
        Fix::Remedy(remedy)
    };
    let now_ms = pass.clock.now_ms();
    let case = Case { rule, target: target.finder.target.clone(), fix, now_ms };
    let is_enforced = reference.mode == Mode::Enforce;
    let response = if is_enforced { Response::Repaired } else { Response::WouldRepair };
    let mut resolved = Resolved::orphans(response, Orphans::default());
    let finding = orphaned(pass.rules, &target.finder, Defect::Orphaned(Orphans::default()));
    let violation = Arc::new(violation_name(pass.rules, &finding, &target.cause));
    let mut referrers = referrers.in_pages_of(PAGE_ITEMS_MAX);
    let mut is_over = false;
    while !is_over && resolved.limit.is_none() {
        let mut items = match referrers.next_page().await {
            Ok(Some(items)) => items,
            Ok(None) => break,
            Err(error) => {
                resolved.unfinished = Some(error);
                break;
            }
        };
        // Marked items are being deleted already.
        items.retain(|(_, item)| CascadeMark::of(item, &reference.name).is_none());
        stop_at(fanout_max(reference), &mut items, &mut resolved);
        if !is_enforced {
            plan(pass.rules, &case, items, &mut resolved);
            continue;
        }
        let candidate = |(key, image)| Candidate { key, image, violation: Arc::clone(&violation) };
        let result = repair_case(pass, &case, items.into_iter().map(candidate)).await;
        result.items.into_iter().for_each(|(key, result)| resolved.add(key, result));
        if result.target_exists {
            (resolved.limit, resolved.target_exists) = (None, true);
        }
        is_over = result.target_exists || result.unfinished.is_some();
        resolved.unfinished = result.unfinished;
    }
    Ok(resolved)
}

/// Removes the items beyond the number that one delete may change.
fn stop_at(touched_max: usize, items: &mut Vec<Referring>, resolved: &mut Resolved) {
    let room = touched_max.saturating_sub(resolved.touched());
    if items.len() > room {
        items.truncate(room);
        resolved.limit = Some(Limit::Fanout(touched_max));
    }
}

/// Adds the repairs that would be made to these items.
fn plan(rules: &Rules, case: &Case<'_>, items: Vec<Referring>, resolved: &mut Resolved) {
    let table = rules.referencing(case.rule).table;
    for (key, item) in items {
        match case.repair(rules, &key, &item) {
            Ok(repair) => {
                let write = repair.item_write(ItemName { table, key: key.clone() });
                resolved.add(key, RepairResult::Repaired(write));
            }
            Err(NoRepair::NotReferring) => {}
            Err(NoRepair::Impossible(why)) => resolved.add(key, RepairResult::Impossible(why)),
        }
    }
}

/// Only reports the orphans, because the cascade has reached its maximum depth.
async fn too_deep(
    target: &DeletedTarget<'_>,
    referrers: Referrers<'_, impl Store, impl Clock>,
) -> Result<Resolved, StoreError> {
    let found = referrers.first(NAMED_MAX).await?;
    let (count, more, keys) = (found.keys.len(), found.more, found.keys);
    let limit = (count > 0).then_some(Limit::Depth(target.depth));
    let orphans = Orphans { count, more, keys };
    Ok(Resolved { limit, ..Resolved::orphans(Response::Reported, orphans) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fills_its_transactions() {
        // One action of each transaction is the guard.
        assert_eq!(PAGE_ITEMS_MAX % (TRANSACT_ACTIONS_MAX - 1), 0);
    }
}

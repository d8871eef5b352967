//! Restores a deleted item if others still refer to it.

use super::resolved::{NAMED_MAX, Resolved};
use crate::data::Item;
use crate::engine::detect::DeletedTarget;
use crate::engine::event::change::Cause;
use crate::engine::report::violation::Response;
use crate::engine::report::violation_name;
use crate::integrity::finding::{Defect, ItemName, Orphans};
use crate::integrity::membership::entities;
use crate::integrity::reference::{is_expired_target, is_target, orphaned};
use crate::integrity::repair::{self, ItemWrite, Obstacle, Operation};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::pass::Pass;
use crate::runtime::referrers::{Found, Referrers, Referring};
use crate::runtime::repair_log::StartedRepair;
use crate::runtime::transactions::busy;
use crate::store::{CancellationReason, Store, StoreError, Transacted, Write};

/// The result of an attempt to restore an item.
enum Attempt {
    /// The item was restored by this operation. An update has changed it like this.
    Restored(Operation, Option<String>),
    /// The item already exists.
    Exists,
    /// The referencing item no longer refers to it.
    NotReferring,
    /// The item cannot be restored.
    Impossible(Response, Obstacle),
}

/// Writes the deleted item again, if one of the referrers still refers to it.
pub(super) async fn restore<S: Store, C: Clock>(
    pass: Pass<'_, S, C>,
    target: &DeletedTarget<'_>,
    mut referrers: Referrers<'_, S, C>,
) -> Result<Resolved, StoreError> {
    let rules = pass.rules;
    let rule = target.finder.rule;
    let Some(image) = target.image else {
        return not_restored(referrers, Obstacle::ImageUnknown).await;
    };
    let now_ms = pass.clock.now_ms();
    if is_expired_target(rules, rule, image, now_ms) {
        return not_restored(referrers, Obstacle::Expired).await;
    }
    let mut is_logged = rules[rule].mode != Mode::Enforce;
    while let Some(items) = referrers.next_page().await? {
        for (index, (key, item)) in items.iter().enumerate() {
            let actions = repair::restore(rules, rule, image, &target.finder.target, (key, item));
            let Some(actions) = actions else { continue };
            if !std::mem::replace(&mut is_logged, true) {
                log(pass, target);
            }
            let attempt = if rules[rule].mode == Mode::Enforce {
                attempt(pass, target, actions).await?
            } else {
                Attempt::Restored(expected(target), None)
            };
            let referring = items.get(index..).unwrap_or_default();
            let orphans = || orphans(referring, referrers.has_more());
            match attempt {
                Attempt::NotReferring => {}
                Attempt::Exists => return Ok(Resolved::nothing()),
                Attempt::Restored(operation, detail) => {
                    let item = restored_item(rules, target, operation, detail);
                    return Ok(restored(rules, target, item, orphans()));
                }
                Attempt::Impossible(response, obstacle) => {
                    let obstacle = Some(obstacle);
                    return Ok(Resolved { obstacle, ..Resolved::orphans(response, orphans()) });
                }
            }
        }
    }
    Ok(Resolved::nothing())
}

/// The result if the item cannot be restored, whatever refers to it: the orphans are reported.
async fn not_restored(
    referrers: Referrers<'_, impl Store, impl Clock>,
    obstacle: Obstacle,
) -> Result<Resolved, StoreError> {
    let Found { keys, more } = referrers.first(NAMED_MAX).await?;
    let orphans = Orphans { count: keys.len(), more, keys };
    Ok(Resolved { obstacle: Some(obstacle), ..Resolved::orphans(Response::Reported, orphans) })
}

/// Logs that the item is about to be restored.
fn log(pass: Pass<'_, impl Store, impl Clock>, target: &DeletedTarget<'_>) {
    let finding = orphaned(pass.rules, &target.finder, Defect::Orphaned(Orphans::default()));
    let violation = violation_name(pass.rules, &finding, &target.cause);
    let write = restored_item(pass.rules, target, expected(target), None);
    pass.repairs.started(&[StartedRepair::new(&violation, write)]);
}

/// The operation that restores the item, unless the table has changed since.
fn expected(target: &DeletedTarget<'_>) -> Operation {
    if is_changed(target) { Operation::Update } else { Operation::Put }
}

/// Whether the item was not deleted, but changed so that it no longer belongs to its entity.
fn is_changed(target: &DeletedTarget<'_>) -> bool {
    match target.cause {
        Cause::Record { step, .. } => step.change.after.is_some(),
        Cause::Page { .. } => false,
    }
}

async fn attempt(
    pass: Pass<'_, impl Store, impl Clock>,
    target: &DeletedTarget<'_>,
    put: Vec<Write>,
) -> Result<Attempt, StoreError> {
    let tried = transact(pass, target, put.clone(), None).await?;
    let Tried::Taken(found) = tried else { return Ok(tried.into()) };
    let rule = target.finder.rule;
    let image = target.image.filter(|_| is_changed(target) && !is_of_other(pass, target, &found));
    let update = image.and_then(|image| repair::set_back(pass.rules, rule, image, &found, put));
    let Some((update, detail)) = update else { return Ok(Tried::Taken(found).into()) };
    match transact(pass, target, update, Some(detail)).await? {
        // It has changed since.
        Tried::Taken(_) => Err(busy()),
        tried @ Tried::Done(_) => Ok(tried.into()),
    }
}

/// Whether the item at the key belongs to an entity.
fn is_of_other<S, C>(pass: Pass<'_, S, C>, target: &DeletedTarget<'_>, found: &Item<'_>) -> bool {
    let Pass { rules, index, .. } = pass;
    let table = rules.referenced(target.finder.rule).table;
    entities(rules, index, table, &target.finder.target, found).next().is_some()
}

/// The result of one transaction.
enum Tried {
    /// The result of the attempt.
    Done(Attempt),
    /// This item, which is not the referenced one, is at the key.
    Taken(Item<'static>),
}

impl From<Tried> for Attempt {
    fn from(tried: Tried) -> Self {
        match tried {
            Tried::Done(attempt) => attempt,
            Tried::Taken(_) => Self::Impossible(Response::Reported, Obstacle::KeyTaken),
        }
    }
}

/// Tries a transaction that puts the item, or updates it as this detail says.
async fn transact(
    pass: Pass<'_, impl Store, impl Clock>,
    target: &DeletedTarget<'_>,
    actions: Vec<Write>,
    detail: Option<String>,
) -> Result<Tried, StoreError> {
    let (rules, rule, now_ms) = (pass.rules, target.finder.rule, pass.clock.now_ms());
    let is_update = detail.is_some();
    let failed = |why| Tried::Done(Attempt::Impossible(Response::Failed, Obstacle::Refused(why)));
    let reasons = match pass.store.transact(actions).await {
        Ok(answer) => match answer.value {
            Transacted::Applied => {
                let operation = if is_update { Operation::Update } else { Operation::Put };
                return Ok(Tried::Done(Attempt::Restored(operation, detail)));
            }
            Transacted::Canceled(reasons) => reasons,
        },
        Err(StoreError::Rejected(why)) => return Ok(failed(why)),
        Err(error) => return Err(error),
    };
    let mut reasons = reasons.into_iter();
    Ok(match (reasons.next(), reasons.next()) {
        (Some(CancellationReason::ConditionFailed(current)), _) => match current {
            Some(item) if is_target(rules, rule, &item, now_ms) => Tried::Done(Attempt::Exists),
            Some(item) => Tried::Taken(item),
            // It was there, and has been deleted since. The next attempt puts it.
            None if is_update => return Err(busy()),
            None => Tried::Done(Attempt::Impossible(Response::Reported, Obstacle::KeyTaken)),
        },
        (Some(CancellationReason::Invalid(why)), _)
        | (_, Some(CancellationReason::Invalid(why))) => failed(why),
        (_, Some(CancellationReason::ConditionFailed(_))) => Tried::Done(Attempt::NotReferring),
        _ => return Err(busy()),
    })
}

/// The result if the item was restored, or would be, because these items refer to it.
fn restored(
    rules: &Rules,
    target: &DeletedTarget<'_>,
    item: ItemWrite,
    orphans: Orphans,
) -> Resolved {
    let is_enforced = rules[target.finder.rule].mode == Mode::Enforce;
    let response = if is_enforced { Response::Repaired } else { Response::WouldRepair };
    Resolved { writes: vec![item], ..Resolved::orphans(response, orphans) }
}

/// The write that restores the item.
fn restored_item(
    rules: &Rules,
    target: &DeletedTarget<'_>,
    operation: Operation,
    detail: Option<String>,
) -> ItemWrite {
    let table = rules.referenced(target.finder.rule).table;
    let item = ItemName { table, key: target.finder.target.clone() };
    ItemWrite { operation, item, detail }
}

fn orphans(referring: &[Referring], more: bool) -> Orphans {
    let keys = referring.iter().take(NAMED_MAX).map(|(key, _)| key.clone());
    Orphans { count: referring.len(), more, keys: keys.collect() }
}

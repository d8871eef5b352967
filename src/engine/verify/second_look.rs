//! Confirming: what looks like a violation is read again once its grace is over, and only what
//! still holds is one.

use crate::engine::detect::{ClaimMade, MirrorSuspect};
use crate::engine::report::Report;
use crate::engine::resolve::{Held, HeldItem, settle_claims, settle_departures};
use crate::engine::verify::mirror_gap::{confirm_hidden, hidden};
use crate::engine::verify::suspects::{Suspects, judge, mirror_reads, reads, still_hold};
use crate::integrity::finding::Response;
use crate::integrity::index::Plan;
use crate::integrity::mirror::{self, Judgement, Step};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::reads::{Snapshot, fetch};
use crate::runtime::writes::{Ending, perform_all, touched};
use crate::store::{Store, StoreError};

/// Waits until the grace of all suspects is over, reads them again, reports what still holds, and
/// makes the repairs that the rules ask for. Those whose grace outlasts the deadline are handed
/// back.
pub(crate) async fn confirm<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    mut suspects: Suspects<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let Some(deadline_ms) = clock.deadline_ms() else {
        return confirm_all(rules, plan, store, clock, suspects, report).await;
    };
    let late = suspects.take_late(rules, clock.now_ms(), deadline_ms);
    confirm_all(rules, plan, store, clock, suspects, report).await?;
    if late.is_empty() {
        return Ok(());
    }
    for cause in &late {
        let error = "its grace period is not over before the deadline".to_owned();
        report.fail(StoreError::Retry(error), cause)?;
    }
    // They would be delivered again at once, and again, for as long as the grace period lasts.
    clock.sleep_until_ms(deadline_ms).await;
    Ok(())
}

async fn confirm_all<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    suspects: Suspects<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let Some(due_ms) = suspects.due_ms(rules, clock.now_ms()) else { return Ok(()) };
    if due_ms > clock.now_ms() {
        // One wait for the whole batch, and none if its records are old.
        clock.sleep_until_ms(due_ms).await;
    }
    let mirrors = fetch(rules, store, mirror_reads(rules, &suspects)).await;
    let snapshot = fetch(rules, store, reads(rules, plan, &suspects)).await;
    let held = held(rules, suspects.claims, &snapshot, report)?;
    settle_claims(rules, store, clock, held, report).await?;
    let hidden = hidden(rules, &suspects.mirrors);
    confirm_mirrors(rules, store, suspects.mirrors, [&mirrors, &snapshot], report).await?;
    let held = confirm_hidden(rules, plan, store, hidden, report).await?;
    settle_claims(rules, store, clock, held, report).await?;
    settle_departures(rules, plan, store, clock, suspects.departures, &snapshot, report).await
}

/// The claims that hold still, with their items as they are now.
fn held<'h>(
    rules: &Rules,
    claims: Vec<ClaimMade<'h>>,
    snapshot: &Snapshot,
    report: &mut Report<'_>,
) -> Result<Vec<HeldItem<'h>>, Fatal> {
    let holding = still_hold(rules, &claims, snapshot);
    let mut held = Vec::new();
    for (made, holds) in claims.into_iter().zip(holding) {
        let ClaimMade { rule, claim, cause } = made;
        let item = cause.item();
        let image = holds.and_then(|holds| {
            let image = snapshot.item(item.table, &item.key)?;
            Ok(image.filter(|_| holds).cloned())
        });
        match image {
            Ok(Some(image)) => held.push((Held { rule, claim, item, cause }, image)),
            Ok(None) => {}
            Err(error) => report.fail(error, &cause)?,
        }
    }
    Ok(held)
}

async fn confirm_mirrors<S: Store>(
    rules: &Rules,
    store: &S,
    suspects: Vec<MirrorSuspect<'_>>,
    [mirrors, snapshot]: [&Snapshot; 2],
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let mut repairs: Vec<(MirrorSuspect<'_>, Judgement, Vec<Step>)> = Vec::new();
    for suspect in suspects {
        let judgement = match judge(rules, &suspect, mirrors, snapshot) {
            Ok(Some(judgement)) => judgement,
            Ok(None) => continue,
            Err(error) => {
                report.fail(error, &suspect.cause)?;
                continue;
            }
        };
        let Some(fix) = judgement.fix.clone() else {
            report.mirror(&suspect, &judgement, Response::Reported);
            continue;
        };
        let sequence = &suspect.cause.change.sequence;
        let steps = mirror::steps_of_fix(rules, &suspect.pair, fix, sequence);
        let rule = &rules[suspect.pair.rule];
        if rule.mode == Mode::Enforce {
            repairs.push((suspect, judgement, steps));
            continue;
        }
        for made in steps.iter().flat_map(|step| touched(rules, step)) {
            report.planned(&rule.name, made, &suspect.cause);
        }
        report.mirror(&suspect, &judgement, Response::WouldRepair);
    }
    let steps = repairs.iter().map(|(_, _, steps)| steps.clone());
    let performed = perform_all(rules, store, steps).await;
    for ((suspect, judgement, _), performed) in repairs.iter().zip(performed) {
        report.write_all(&rules[suspect.pair.rule].name, performed.made, &suspect.cause);
        match performed.ending {
            Ok(Ending::Done) => report.mirror(suspect, judgement, Response::Repaired),
            // It changed since it was read, and that change brings its own record.
            Ok(Ending::Refused(_)) => {}
            Err(error @ StoreError::Rejected(_)) => {
                report.mirror(suspect, judgement, Response::Failed);
                report.fail(error, &suspect.cause)?;
            }
            Err(error) => report.fail(error, &suspect.cause)?,
        }
    }
    Ok(())
}

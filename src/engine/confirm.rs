//! Confirming: what looks like a violation is read again once its grace is over, and only what
//! still holds is one.

use futures_util::stream::{self, StreamExt as _};

use super::hidden::{confirm_hidden, hidden};
use super::leads::{Leads, referring};
use super::mirror::{self, Judgement, Step};
use super::plan::Plan;
use super::process::{Clock, Fatal};
use super::reads::{CONCURRENCY, Snapshot, fetch};
use super::report::Report;
use super::suspect::{Suspects, judge, reads, still_hold};
use super::violation::Response;
use super::work::{Departure, MirrorSuspect};
use super::writes::{Ending, perform_all};
use crate::rules::model::{Mode, Rules};
use crate::store::{Store, StoreError};

/// Waits until the grace of all suspects is over, reads them again, reports what still holds, and
/// makes the repairs that the rules ask for. Those whose grace outlasts the deadline are handed
/// back.
pub(super) async fn confirm<S: Store, C: Clock>(
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
    let snapshot = fetch(rules, store, reads(rules, plan, &suspects)).await;
    let holding = still_hold(rules, &suspects.claims, &snapshot);
    for (made, holds) in suspects.claims.iter().zip(holding) {
        match holds {
            Ok(true) => report.claim(made.rule, &made.claim, made.cause.item(), &made.cause),
            Ok(false) => {}
            Err(error) => report.fail(error, &made.cause)?,
        }
    }
    let hidden = hidden(rules, &suspects.mirrors);
    confirm_mirrors(rules, store, suspects.mirrors, &snapshot, report).await?;
    confirm_hidden(rules, plan, store, hidden, report).await?;
    confirm_departures(rules, plan, store, suspects.departures, &snapshot, report).await
}

async fn confirm_mirrors<S: Store>(
    rules: &Rules,
    store: &S,
    suspects: Vec<MirrorSuspect<'_>>,
    snapshot: &Snapshot,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let mut repairs: Vec<(MirrorSuspect<'_>, Judgement, Vec<Step>)> = Vec::new();
    for suspect in suspects {
        let judgement = match judge(rules, &suspect, snapshot) {
            Ok(Some(judgement)) => judgement,
            Ok(None) => continue,
            Err(error) => {
                report.fail(error, &suspect.cause)?;
                continue;
            }
        };
        match &judgement.fix {
            None => report.mirror(&suspect, &judgement, Response::Reported),
            Some(_) if rules[suspect.pair.rule].mode != Mode::Enforce => {
                report.mirror(&suspect, &judgement, Response::WouldRepair);
            }
            Some(fix) => {
                let steps = mirror::steps_of_fix(rules, &suspect.pair, fix.clone());
                repairs.push((suspect, judgement, steps));
            }
        }
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

async fn confirm_departures<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    departures: Vec<Departure<'_>>,
    snapshot: &Snapshot,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let found: Vec<_> = stream::iter(&departures)
        .map(|departure| still_referring(rules, plan, store, departure, snapshot))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (departure, found) in departures.iter().zip(found) {
        match found {
            Ok(found) if found.keys.is_empty() => {}
            Ok(found) => report.orphaned(departure, found),
            Err(error) => report.fail(error, &departure.cause)?,
        }
    }
    Ok(())
}

/// The items that still refer to an item that is still gone.
async fn still_referring<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    departure: &Departure<'_>,
    snapshot: &Snapshot,
) -> Result<Leads, StoreError> {
    let finder = &departure.finder;
    let reference = &rules[finder.rule];
    let to = &rules[reference.to];
    if snapshot.item(to.table, &finder.target)?.is_some_and(|target| to.admits(target)) {
        return Ok(Leads::default());
    }
    let enough = usize::try_from(reference.fanout_max).unwrap_or(usize::MAX);
    referring(rules, plan, store, finder, enough).await
}

//! Confirming: what looks like a violation is read again once its grace is over, and only what
//! still holds is one.

use std::borrow::Cow;

use super::leads::{Leads, referring};
use super::mirror::{self, Judgement, Step};
use super::plan::{Plan, Wanted};
use super::process::Fatal;
use super::reads::{CONCURRENCY, ReadSet, Snapshot, fetch};
use super::reference::{Stance, evaluate};
use super::report::Report;
use super::violation::Response;
use super::work::{Cause, ClaimMade, Departure, MirrorSuspect};
use super::writes::{Ending, perform_all};
use crate::rules::model::{Mode, ReferenceId, Rules};
use crate::store::{Store, StoreError};

use futures_util::stream::{self, StreamExt as _};

/// How long a mirror that someone else touched is left before it is looked at again, in
/// milliseconds: a source deleted and written again rewrites its mirror meanwhile.
const MIRROR_GRACE_MS: i64 = 2_000;

/// DynamoDB rounds the time of a change down to the second, so a record may be younger than it
/// says by this much, in milliseconds.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
const CREATION_RESOLUTION_MS: i64 = 1_000;

/// What looks like a violation.
#[derive(Debug, Default)]
pub(super) struct Suspects<'h> {
    /// References to what does not exist, or wrong in themselves.
    pub(super) claims: Vec<ClaimMade<'h>>,
    /// Mirrors that someone else touched.
    pub(super) mirrors: Vec<MirrorSuspect<'h>>,
    /// Items that are gone while others may refer to them.
    pub(super) departures: Vec<Departure<'h>>,
}

impl Suspects<'_> {
    /// When the last of them may be confirmed; nothing if there are none. A record that does not
    /// tell its time counts as new.
    pub(super) fn due_ms(&self, rules: &Rules, now_ms: i64) -> Option<i64> {
        let grace_ms =
            |rule: ReferenceId| i64::try_from(rules[rule].grace.as_millis()).unwrap_or(i64::MAX);
        let due_ms = |cause: &Cause<'_>, grace_ms: i64| {
            cause
                .change
                .created_ms
                .map_or(now_ms, |created_ms| created_ms.saturating_add(CREATION_RESOLUTION_MS))
                .min(now_ms.saturating_add(CREATION_RESOLUTION_MS))
                .saturating_add(grace_ms)
        };
        let claims = self.claims.iter().map(|made| due_ms(&made.cause, grace_ms(made.rule)));
        let mirrors = self.mirrors.iter().map(|suspect| due_ms(&suspect.cause, MIRROR_GRACE_MS));
        let departures = self
            .departures
            .iter()
            .map(|departure| due_ms(&departure.cause, grace_ms(departure.finder.rule)));
        claims.chain(mirrors).chain(departures).max()
    }
}

/// Reads again what is suspect, reports what still holds, and makes the repairs that the rules ask
/// for.
pub(super) async fn confirm<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    suspects: Suspects<'_>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let snapshot = fetch(rules, store, reads(rules, plan, &suspects)).await;
    for made in &suspects.claims {
        match still_holds(rules, made, &snapshot) {
            Ok(true) => report.claim(made),
            Ok(false) => {}
            Err(error) => report.fail(error, &made.cause)?,
        }
    }
    confirm_mirrors(rules, store, suspects.mirrors, &snapshot, report).await?;
    confirm_departures(rules, plan, store, suspects.departures, &snapshot, report).await
}

fn reads<'p>(rules: &Rules, plan: &'p Plan, suspects: &Suspects<'_>) -> ReadSet<'p> {
    let mut reads = ReadSet::default();
    for made in &suspects.claims {
        let change = made.cause.change;
        reads.want(change.table, &change.key, plan.referencing(made.rule));
        if let Stance::Refers(key) = &made.claim.stance {
            let target = rules[made.rule].to;
            reads.want(rules[target].table, key, plan.existence(target));
        }
    }
    for suspect in &suspects.mirrors {
        let rule = &rules[suspect.pair.rule];
        let mirror_table = rules[rule.mirror].table;
        reads.want(mirror_table, &suspect.pair.mirror, Cow::Owned(Wanted::All));
        let source_table = rules[rule.source].table;
        reads.want(source_table, &suspect.pair.source, plan.source(suspect.pair.rule));
    }
    for departure in &suspects.departures {
        let target = rules[departure.finder.rule].to;
        reads.want(rules[target].table, &departure.finder.target, plan.existence(target));
    }
    reads
}

/// Whether an item still says what it said, and still in vain.
fn still_holds(
    rules: &Rules,
    made: &ClaimMade<'_>,
    snapshot: &Snapshot,
) -> Result<bool, StoreError> {
    let reference = &rules[made.rule];
    let from = &rules[reference.from];
    let change = made.cause.change;
    let Some(item) = snapshot.item(change.table, &change.key)? else { return Ok(false) };
    let Some(captures) = from.key.parse(&change.key) else { return Ok(false) };
    let says_so = from.admits(item)
        && evaluate(rules, reference, &captures, item)
            .iter()
            .any(|claim| claim.stance == made.claim.stance);
    if let Stance::Refers(key) = &made.claim.stance {
        let to = &rules[reference.to];
        let exists = snapshot.item(to.table, key)?.is_some_and(|target| to.admits(target));
        return Ok(says_so && !exists);
    }
    Ok(says_so)
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
    let steps = repairs.iter().map(|(_, _, steps)| steps.clone()).collect();
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

fn judge(
    rules: &Rules,
    suspect: &MirrorSuspect<'_>,
    snapshot: &Snapshot,
) -> Result<Option<Judgement>, StoreError> {
    let rule = &rules[suspect.pair.rule];
    let found = snapshot.item(rules[rule.mirror].table, &suspect.pair.mirror)?;
    let source = snapshot.item(rules[rule.source].table, &suspect.pair.source)?;
    Ok(mirror::judge(rules, &suspect.pair, found, source, suspect.removed.as_ref()))
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

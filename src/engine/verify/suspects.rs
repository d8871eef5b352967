//! Suspects: what looks like a violation, until it is looked at again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::engine::detect::{Cause, ClaimMade, Departure, MirrorSuspect};
use crate::engine::verify::mirror_gap::hidden_by;
use crate::integrity::index::{Plan, Wanted};
use crate::integrity::mirror::{self, Judgement};
use crate::integrity::reference::{Stance, evaluate};
use crate::rules::model::{ReferenceId, Rules};
use crate::runtime::reads::{ReadSet, Snapshot};
use crate::store::StoreError;

/// How long a mirror that someone else touched is left at least before it is looked at again, in
/// milliseconds: a source deleted and written again rewrites its mirror meanwhile.
const MIRROR_GRACE_MS: i64 = 2_000;

/// DynamoDB rounds the time of a change down to the second, so a record may be younger than it
/// says by this much, in milliseconds.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
const CREATION_RESOLUTION_MS: i64 = 1_000;

/// What looks like a violation.
#[derive(Debug, Default)]
pub(crate) struct Suspects<'h> {
    /// References to what does not exist, or wrong in themselves.
    pub(crate) claims: Vec<ClaimMade<'h>>,
    /// Mirrors that someone else touched.
    pub(crate) mirrors: Vec<MirrorSuspect<'h>>,
    /// Items that are gone while others may refer to them.
    pub(crate) departures: Vec<Departure<'h>>,
}

impl<'h> Suspects<'h> {
    /// When the last of them may be confirmed; nothing if there are none.
    pub(crate) fn due_ms(&self, rules: &Rules, now_ms: i64) -> Option<i64> {
        let grace_ms = |rule| grace_ms(rules, rule);
        let claims =
            self.claims.iter().map(|made| due_ms(&made.cause, grace_ms(made.rule), now_ms));
        let mirrors = self
            .mirrors
            .iter()
            .map(|suspect| due_ms(&suspect.cause, mirror_grace_ms(rules, suspect), now_ms));
        let departures = self
            .departures
            .iter()
            .map(|departure| due_ms(&departure.cause, grace_ms(departure.finder.rule), now_ms));
        claims.chain(mirrors).chain(departures).max()
    }

    /// Takes out those that may not be confirmed before the deadline, and gives their causes.
    pub(crate) fn take_late(
        &mut self,
        rules: &Rules,
        now_ms: i64,
        deadline_ms: i64,
    ) -> Vec<Cause<'h>> {
        let mut late = Vec::new();
        let mut is_in_time = |cause: &Cause<'h>, grace_ms: i64| {
            let is_in_time = due_ms(cause, grace_ms, now_ms) <= deadline_ms;
            late.extend((!is_in_time).then_some(*cause));
            is_in_time
        };
        self.claims.retain(|made| is_in_time(&made.cause, grace_ms(rules, made.rule)));
        self.mirrors.retain(|suspect| is_in_time(&suspect.cause, mirror_grace_ms(rules, suspect)));
        self.departures.retain(|departure| {
            is_in_time(&departure.cause, grace_ms(rules, departure.finder.rule))
        });
        late
    }
}

fn grace_ms(rules: &Rules, rule: ReferenceId) -> i64 {
    i64::try_from(rules[rule].grace.as_millis()).unwrap_or(i64::MAX)
}

/// How long a mirror is left, and with it the references that it hides: they are looked at once it
/// is back, which nothing would tell a later delivery to do.
fn mirror_grace_ms(rules: &Rules, suspect: &MirrorSuspect<'_>) -> i64 {
    let references = hidden_by(rules, suspect).map(|rule| grace_ms(rules, rule));
    references.fold(MIRROR_GRACE_MS, i64::max)
}

/// When a grace period is over. A record that does not tell its time counts as new.
fn due_ms(cause: &Cause<'_>, grace_ms: i64, now_ms: i64) -> i64 {
    cause
        .change
        .created_ms
        .map_or(now_ms, |created_ms| created_ms.saturating_add(CREATION_RESOLUTION_MS))
        .min(now_ms.saturating_add(CREATION_RESOLUTION_MS))
        .saturating_add(grace_ms)
}

/// The mirrors under suspicion, which are read before all else.
///
/// Several items are not read at one time. Were a source read first, it and its mirror could come
/// between the two reads, and a mirror that is right would pass for one without a source.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
pub(crate) fn mirror_reads<'p>(rules: &Rules, suspects: &Suspects<'_>) -> ReadSet<'p> {
    let mut reads = ReadSet::default();
    for suspect in &suspects.mirrors {
        let table = rules[rules[suspect.pair.rule].mirror].table;
        reads.want(table, &suspect.pair.mirror, Cow::Owned(Wanted::All));
    }
    reads
}

/// What else must be read to tell whether suspects are violations.
pub(crate) fn reads<'p>(rules: &Rules, plan: &'p Plan, suspects: &Suspects<'_>) -> ReadSet<'p> {
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
        let source_table = rules[rule.source].table;
        reads.want(source_table, &suspect.pair.source, plan.source(suspect.pair.rule));
    }
    for departure in &suspects.departures {
        let target = rules[departure.finder.rule].to;
        reads.want(rules[target].table, &departure.finder.target, plan.existence(target));
    }
    reads
}

/// For each claim, whether its item still says so, and still in vain.
pub(crate) fn still_hold(
    rules: &Rules,
    claims: &[ClaimMade<'_>],
    snapshot: &Snapshot,
) -> Vec<Result<bool, StoreError>> {
    // An item with a long list makes many claims, and is asked once what it says.
    let mut said_now = BTreeMap::new();
    let holds = |made: &ClaimMade<'_>, said: &Result<BTreeSet<Stance>, StoreError>| {
        let says_so = said.as_ref().map_err(Clone::clone)?.contains(&made.claim.stance);
        if let Stance::Refers(key) = &made.claim.stance {
            return Ok(says_so && !snapshot.has(rules, rules[made.rule].to, key)?);
        }
        Ok(says_so)
    };
    claims
        .iter()
        .map(|made| {
            let change = made.cause.change;
            let said = said_now
                .entry((made.rule, change.table, &change.key))
                .or_insert_with(|| stances(rules, made, snapshot));
            holds(made, said)
        })
        .collect()
}

/// What the item behind a claim says now through the same reference.
fn stances(
    rules: &Rules,
    made: &ClaimMade<'_>,
    snapshot: &Snapshot,
) -> Result<BTreeSet<Stance>, StoreError> {
    let reference = &rules[made.rule];
    let from = &rules[reference.from];
    let change = made.cause.change;
    let item = snapshot.item(change.table, &change.key)?.filter(|item| from.admits(item));
    let Some((item, captures)) = item.zip(from.key.parse(&change.key)) else {
        return Ok(BTreeSet::new());
    };
    let claims = evaluate(rules, reference, &captures, item);
    Ok(claims.into_iter().map(|claim| claim.stance).collect())
}

/// What is wrong with a mirror, as it was read, given its source, which was read after it.
pub(crate) fn judge(
    rules: &Rules,
    suspect: &MirrorSuspect<'_>,
    mirrors: &Snapshot,
    snapshot: &Snapshot,
) -> Result<Option<Judgement>, StoreError> {
    let rule = &rules[suspect.pair.rule];
    let found = mirrors.item(rules[rule.mirror].table, &suspect.pair.mirror)?;
    let source = snapshot.item(rules[rule.source].table, &suspect.pair.source)?;
    Ok(mirror::judge(rules, &suspect.pair, found, source, suspect.removed.as_ref()))
}

//! Makes the writes of a plan, each with its guard, and each after its line in the journal is on
//! disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use futures_util::stream::{self, StreamExt as _};

use super::action::RepairAction;
use super::claim::RuleId;
use super::journal::{Journal, Log, Outcome, State};
use super::pace::Pace;
use super::plan_file::{PlanError, Planned};
use super::planned::{NoRequest, PlannedWrite};
use super::reads::{Items, read_items};
use super::recheck::{pair, recheck};
use super::send::{Sent, send};
use super::stopped::Stopped;
use crate::audit::live::rate::Limiter;
use crate::data::Item;
use crate::integrity::finding::ItemName;
use crate::integrity::mirror::{expected, is_same};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::meter::Metered;
use crate::runtime::reads::CONCURRENCY;
use crate::store::{Store, StoreError, Write};

/// The maximum number of writes whose lines are brought to disk together.
const CHUNK: usize = 50;

/// How often a write is tried. The store itself retries each request for several seconds.
const TRIES_MAX: u32 = 3;

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Applied {
    /// The writes that were made.
    pub applied: u64,
    /// The writes that were not made, because their findings no longer hold.
    pub fixed: u64,
    /// The writes that were not made, because their items have changed since the plan was made.
    pub changed: u64,
    /// The writes that DynamoDB refuses.
    pub failed: u64,
    /// The writes that were done with in an earlier run.
    pub earlier: u64,
    /// The write units that this run consumed.
    pub write_units: f64,
    /// Whether it stopped on request before the end.
    pub is_stopped: bool,
}

/// Rules and store, and the time in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Tables<'t, S> {
    pub(super) rules: &'t Rules,
    pub(super) store: &'t S,
    pub(super) now_ms: i64,
}

// A derived implementation would require that the store can be copied, too.
impl<S> Clone for Tables<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Tables<'_, S> {}

/// A write that is to be made: whether an earlier run began it, and its request.
struct Due {
    was_begun: bool,
    request: Vec<Write>,
}

/// Applies the rest of a plan. Reports the outcome of each write, in the order of the plan.
pub async fn apply<L: Log>(
    rules: &Rules,
    store: &impl Store,
    clock: &impl Clock,
    plan: impl IntoIterator<Item = Result<Planned, PlanError>>,
    journal: &mut Journal<L>,
    Pace { write_units, stop }: Pace<'_>,
    mut report: impl FnMut(&PlannedWrite, &Outcome) -> io::Result<()>,
) -> Result<Applied, Stopped> {
    let store = Metered::new(store);
    let limit = Limiter::new(write_units, clock);
    let mut done = Applied::default();
    let mut plan = plan.into_iter();
    let mut next = None;
    loop {
        let (chunk, planned) = chunk(rules, &mut plan, &mut next, journal, write_units, &mut done)?;
        if chunk.is_empty() {
            return Ok(done);
        }
        limit.admit(planned, clock, stop).await;
        if stop.is_set() {
            done.is_stopped = true;
            return Ok(done);
        }
        let before = store.units().write;
        let tables = Tables { rules, store: &store, now_ms: clock.now_ms() };
        let outcomes = make_all(tables, &chunk, journal).await;
        let consumed = store.units().write - before;
        limit.settle(planned, consumed);
        done.write_units += consumed;
        let mut stopped = None;
        for (write, outcome) in chunk.iter().zip(outcomes?) {
            match outcome {
                Ok(outcome) => {
                    journal.end(write.number, &outcome);
                    done.count(&outcome);
                    report(write, &outcome)?;
                }
                Err(error) => stopped = stopped.or(Some(error)),
            }
        }
        journal.sync()?;
        if let Some(error) = stopped {
            return Err(error.into());
        }
    }
}

impl Applied {
    const fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Applied => self.applied += 1,
            Outcome::Changed => self.changed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Fixed | Outcome::Undone | Outcome::NotMade | Outcome::Kept => self.fixed += 1,
        }
    }
}

/// The next writes that are not done with, and that do not depend on each other: none reads or
/// writes an item that another one writes. Also returns the write units that they will consume, which
/// are what a second may consume, unless a single write consumes more.
fn chunk<L: Log>(
    rules: &Rules,
    plan: &mut impl Iterator<Item = Result<Planned, PlanError>>,
    next: &mut Option<Box<PlannedWrite>>,
    journal: &Journal<L>,
    write_units: Option<f64>,
    done: &mut Applied,
) -> Result<(Vec<PlannedWrite>, f64), PlanError> {
    let mut chunk: Vec<PlannedWrite> = Vec::new();
    let (mut written, mut read) = (BTreeSet::new(), BTreeSet::new());
    let mut units = 0.0;
    loop {
        let write = match next.take() {
            Some(write) => write,
            None => match plan.next().transpose()? {
                None => return Ok((chunk, units)),
                Some(Planned::NoAction(_)) => continue,
                Some(Planned::Write(write)) => write,
            },
        };
        match journal.state(write.number) {
            None | Some(State::Begun) => {}
            Some(_) => {
                done.earlier += 1;
                continue;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "an item has few units")]
        let more = units + write.units(rules) as f64;
        let names = write.names(rules);
        let depends = names.iter().any(|item| written.contains(item))
            || write.item().is_some_and(|item| read.contains(item));
        let is_full = depends || chunk.len() == CHUNK || write_units.is_some_and(|max| more > max);
        if is_full && !chunk.is_empty() {
            *next = Some(write);
            return Ok((chunk, units));
        }
        units = more;
        written.extend(write.item().cloned());
        read.extend(names);
        chunk.push(*write);
    }
}

/// Makes the writes of a chunk, after all their lines are on disk.
async fn make_all<L: Log>(
    tables: Tables<'_, impl Store>,
    chunk: &[PlannedWrite],
    journal: &mut Journal<L>,
) -> Result<Vec<Result<Outcome, StoreError>>, Stopped> {
    let names = chunk.iter().flat_map(|write| write.claim.items(tables.rules));
    let items = read_items(tables.rules, tables.store, names).await?;
    let mut outcomes: Vec<Option<Result<Outcome, StoreError>>> = Vec::new();
    let mut groups: BTreeMap<&ItemName, Vec<(usize, Due)>> = BTreeMap::new();
    for (index, write) in chunk.iter().enumerate() {
        let was_begun = journal.state(write.number) == Some(State::Begun);
        let (outcome, request) = match look(tables, write, &items) {
            Look::Due => (None, write.exact_request(tables.rules, tables.now_ms)),
            Look::AsAfter if was_begun => (Some(Outcome::Applied), Ok(Vec::new())),
            Look::AsAfter => (Some(Outcome::Fixed), Ok(Vec::new())),
            Look::Not(outcome) => (Some(outcome), Ok(Vec::new())),
        };
        let outcome = match (outcome, request) {
            (Some(outcome), _) => Some(outcome),
            (None, Err(NoRequest::NotBroken)) => Some(Outcome::Fixed),
            (None, Err(NoRequest::Impossible(_))) => Some(Outcome::Changed),
            (None, Ok(request)) => {
                // Transactions that check the same missing item would conflict: one at a time.
                let apart = write.claim.referenced.as_ref().or_else(|| write.item());
                if let Some(apart) = apart {
                    groups.entry(apart).or_default().push((index, Due { was_begun, request }));
                }
                if !was_begun {
                    journal.begin(tables.rules, write);
                }
                None
            }
        };
        outcomes.push(outcome.map(Ok));
    }
    journal.sync()?;
    let made: Vec<_> = stream::iter(groups.into_values())
        .map(|group| make_group(tables, chunk, group))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (index, outcome) in made.into_iter().flatten() {
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }
    let missing = || Err(StoreError::Fatal("internal error: a write was lost".to_owned()));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}

async fn make_group(
    tables: Tables<'_, impl Store>,
    chunk: &[PlannedWrite],
    group: Vec<(usize, Due)>,
) -> Vec<(usize, Result<Outcome, StoreError>)> {
    let mut outcomes = Vec::new();
    for (index, due) in group {
        if let Some(write) = chunk.get(index) {
            outcomes.push((index, make(tables, write, due).await));
        }
    }
    outcomes
}

/// Makes one write. If an answer is lost, the item shows whether the write was made.
async fn make(
    tables: Tables<'_, impl Store>,
    write: &PlannedWrite,
    Due { was_begun, request }: Due,
) -> Result<Outcome, StoreError> {
    let is_transaction = request.len() > 1;
    let mut may_be_made = was_begun;
    let mut last = StoreError::Retry("the write was not tried".to_owned());
    for attempt in 0..TRIES_MAX {
        if attempt > 0 {
            match read(tables, write).await? {
                Look::Due => {}
                Look::AsAfter if may_be_made => return Ok(Outcome::Applied),
                Look::AsAfter => return Ok(Outcome::Fixed),
                Look::Not(outcome) => return Ok(outcome),
            }
        }
        match send(tables.store, request.clone()).await {
            Ok(Sent::Applied) => return Ok(Outcome::Applied),
            Ok(Sent::Invalid(why)) | Err(StoreError::Rejected(why)) => {
                return Ok(Outcome::Failed(why));
            }
            Ok(Sent::Refused) => {
                return Ok(match read(tables, write).await? {
                    // The store repeats a single write whose answer was lost. A transaction that is
                    // repeated is recognized.
                    Look::AsAfter if may_be_made || !is_transaction => Outcome::Applied,
                    Look::Not(outcome) => outcome,
                    Look::AsAfter | Look::Due => Outcome::Changed,
                });
            }
            Ok(Sent::Busy) => last = crate::runtime::transactions::busy(),
            Err(error @ (StoreError::Retry(_) | StoreError::Throttled(_))) => {
                may_be_made = true;
                last = error;
            }
            Err(error @ StoreError::Fatal(_)) => return Err(error),
        }
    }
    Err(last)
}

async fn read(tables: Tables<'_, impl Store>, write: &PlannedWrite) -> Result<Look, StoreError> {
    let names = write.claim.items(tables.rules);
    let items = read_items(tables.rules, tables.store, names).await?;
    Ok(look(tables, write, &items))
}

/// What a write's items say about it.
enum Look {
    /// The item is as before, and the finding holds.
    Due,
    /// The item is as after the write.
    AsAfter,
    /// The write must not be made.
    Not(Outcome),
}

fn look<S>(tables: Tables<'_, S>, write: &PlannedWrite, items: &Items) -> Look {
    let Tables { rules, now_ms, .. } = tables;
    let item = |name: Option<&ItemName>| items.get(name?).and_then(Option::as_ref);
    let (now, other) = (item(write.item()), item(write.claim.referenced.as_ref()));
    if now == write.after.as_ref() {
        Look::AsAfter
    } else if now != write.before.as_ref() {
        Look::Not(Outcome::Changed)
    } else if recheck(rules, &write.claim, &|name| item(Some(name)), now_ms).is_none() {
        Look::Not(Outcome::Fixed)
    } else {
        agrees_with_source(rules, write, other)
    }
}

/// Whether a mirror's source still requires what the plan writes.
fn agrees_with_source(rules: &Rules, write: &PlannedWrite, source: Option<&Item<'_>>) -> Look {
    let Some(RuleId::Mirror(rule)) = write.claim.rule_id(rules) else {
        return Look::Due;
    };
    let pair = write.item().and_then(|mirror| pair(rules, rule, mirror));
    let required = pair.and_then(|pair| expected(rules, &pair, source));
    let deletes = matches!(write.action, RepairAction::AnnounceDelete | RepairAction::DeleteMirror);
    match (&required, &write.after) {
        (None, _) if deletes => Look::Due,
        (Some(required), Some(after)) if !deletes && is_same(after, required) => Look::Due,
        _ => Look::Not(Outcome::Changed),
    }
}

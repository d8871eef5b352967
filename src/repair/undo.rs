//! Takes the writes of a journal back, each on condition that its item is still as the write left it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

use futures_util::stream::{self, StreamExt as _};

use super::apply::Tables;
use super::claim::{RuleId, rule_named};
use super::journal::{Entry, Journal, Log, Outcome, State};
use super::pace::Pace;
use super::planned::{after, is_as, larger, units};
use super::reads::read_items;
use super::send::{Sent, send};
use super::stopped::Stopped;
use crate::audit::live::rate::Limiter;
use crate::data::{Item, Path, Value};
use crate::integrity::finding::ItemName;
use crate::integrity::mirror::deleting_path;
use crate::rules::model::{OnMirrorDelete, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::meter::Metered;
use crate::runtime::reads::CONCURRENCY;
use crate::store::{Action, Clause, Condition, Store, StoreError, Write};

/// The maximum number of writes whose lines are brought to disk together.
const CHUNK: usize = 50;

/// How often taking a write back is tried. The store itself retries each request.
const TRIES_MAX: u32 = 5;

/// What became of the writes of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Undone {
    /// The writes that were taken back.
    pub undone: u64,
    /// The writes that were begun, but not made.
    pub not_made: u64,
    /// The writes whose items were written since, and are left alone.
    pub kept: u64,
    /// The writes whose undo DynamoDB refuses.
    pub failed: u64,
    /// The writes that were taken back in an earlier run.
    pub earlier: u64,
    /// The write units that this run consumed.
    pub write_units: f64,
    /// Whether it stopped on request before the end.
    pub is_stopped: bool,
}

/// Takes the writes of a journal back, the last one first. Reports the outcome of each.
pub async fn undo<L: Log>(
    rules: &Rules,
    store: &impl Store,
    clock: &impl Clock,
    journal: &mut Journal<L>,
    Pace { write_units, stop }: Pace<'_>,
    mut report: impl FnMut(&Entry, &Outcome) -> io::Result<()>,
) -> Result<Undone, Stopped> {
    let store = Metered::new(store);
    let tables = Tables { rules, store: &store, now_ms: clock.now_ms() };
    let limit = Limiter::new(write_units, clock);
    let mut done = Undone::default();
    let mut left = journal.reversed().into_iter();
    let mut next = None;
    loop {
        let (chunk, planned) = chunk(rules, &mut left, &mut next, journal, write_units, &mut done)?;
        if chunk.is_empty() {
            return Ok(done);
        }
        limit.admit(planned, clock, stop).await;
        if stop.is_set() {
            done.is_stopped = true;
            return Ok(done);
        }
        let before = store.units().write;
        for (entry, _) in &chunk {
            journal.begin_undo(entry.number);
        }
        journal.sync()?;
        let outcomes: Vec<_> = stream::iter(&chunk)
            .map(|(entry, state)| take_back(tables, entry, *state))
            .buffered(CONCURRENCY)
            .collect()
            .await;
        let consumed = store.units().write - before;
        limit.settle(planned, consumed);
        done.write_units += consumed;
        let mut stopped = None;
        for ((entry, _), outcome) in chunk.iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => {
                    journal.end(entry.number, &outcome);
                    done.count(&outcome);
                    report(entry, &outcome)?;
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

impl Undone {
    const fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Undone => self.undone += 1,
            Outcome::NotMade => self.not_made += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Kept | Outcome::Applied | Outcome::Fixed | Outcome::Changed => self.kept += 1,
        }
    }
}

/// The next writes to take back, on distinct items, and the write units that this consumes.
fn chunk<L: Log>(
    rules: &Rules,
    left: &mut impl Iterator<Item = (u64, State)>,
    next: &mut Option<(Entry, State)>,
    journal: &mut Journal<L>,
    write_units: Option<f64>,
    done: &mut Undone,
) -> Result<(Vec<(Entry, State)>, f64), Stopped> {
    let mut chunk: Vec<(Entry, State)> = Vec::new();
    let mut planned = 0.0;
    let mut items: BTreeSet<ItemName> = BTreeSet::new();
    loop {
        let (entry, state) = match next.take() {
            Some(next) => next,
            None => match left.next() {
                None => return Ok((chunk, planned)),
                Some((_, State::NotApplied)) => continue,
                Some((_, State::Undone)) => {
                    done.earlier += 1;
                    continue;
                }
                Some((number, state)) => (journal.entry(rules, number)?, state),
            },
        };
        #[expect(clippy::cast_precision_loss, reason = "an item has few units")]
        let more = planned + units(larger(entry.before.as_ref(), entry.after.as_ref())) as f64;
        let is_over = write_units.is_some_and(|max| more > max) && !chunk.is_empty();
        if chunk.len() == CHUNK || is_over || !items.insert(entry.item.clone()) {
            *next = Some((entry, state));
            return Ok((chunk, planned));
        }
        planned = more;
        chunk.push((entry, state));
    }
}

/// Takes one write back. Each attempt begins with what the item is.
async fn take_back(
    tables: Tables<'_, impl Store>,
    entry: &Entry,
    state: State,
) -> Result<Outcome, StoreError> {
    let steps = inverse(tables.rules, entry);
    let mut is_made = state != State::Begun;
    let mut last = Ok(Outcome::Kept);
    for _ in 0..TRIES_MAX {
        let mut items = read_items(tables.rules, tables.store, [entry.item.clone()]).await?;
        let now = items.remove(&entry.item).flatten();
        if now == entry.before {
            return Ok(if is_made { Outcome::Undone } else { Outcome::NotMade });
        }
        let Some(at) = steps.iter().position(|step| step.from == now) else {
            return Ok(Outcome::Kept);
        };
        is_made = true;
        for step in steps.iter().skip(at) {
            last = match send(tables.store, vec![step.write.clone()]).await {
                Ok(Sent::Applied) => Ok(Outcome::Undone),
                Ok(Sent::Refused) => Ok(Outcome::Kept),
                Ok(Sent::Busy) => Err(crate::runtime::transactions::busy()),
                Ok(Sent::Invalid(why)) | Err(StoreError::Rejected(why)) => Ok(Outcome::Failed(why)),
                Err(error @ StoreError::Fatal(_)) => return Err(error),
                Err(error) => Err(error),
            };
            if last != Ok(Outcome::Undone) {
                break;
            }
        }
        if matches!(last, Ok(Outcome::Undone | Outcome::Failed(_))) {
            return last;
        }
    }
    last
}

/// A write that takes a write back, and the item that it starts from.
struct Step {
    from: Option<Item<'static>>,
    write: Write,
}

/// The writes that take a write back.
fn inverse(rules: &Rules, entry: &Entry) -> Vec<Step> {
    let table = &rules[entry.item.table];
    let key = || table.key.item_of(&entry.item.key);
    let step = |from: Option<&Item<'static>>, action| {
        let condition = match from {
            None => Condition::NotExists(Path::attribute(&table.key.partition.name)),
            Some(from) => is_as(&table.key, from),
        };
        let write = Write { table: table.name.clone(), action, condition: Some(condition) };
        Step { from: from.cloned(), write }
    };
    match (&entry.before, &entry.after) {
        (None, None) => Vec::new(),
        (Some(before), None) => vec![step(None, Action::Put(before.clone()))],
        (Some(before), Some(left)) => {
            let clauses = differences(before, left);
            vec![step(Some(left), Action::Update { key: key(), clauses })]
        }
        (None, Some(left)) => {
            let mut steps = Vec::new();
            let mut from = Cow::Borrowed(left);
            if deletes_source(rules, &entry.rule) {
                // Otherwise, the stream record of the delete would delete the source.
                let clauses = vec![Clause::Set(deleting_path(), Value::Bool(true))];
                let announce = Action::Update { key: key(), clauses };
                if let Ok(Some(announced)) = after(&announce, Some(left)) {
                    steps.push(step(Some(left), announce));
                    from = Cow::Owned(announced);
                }
            }
            steps.push(step(Some(&from), Action::Delete(key())));
            steps
        }
    }
}

fn deletes_source(rules: &Rules, rule: &str) -> bool {
    let Some(RuleId::Mirror(rule)) = rule_named(rules, rule, None) else { return false };
    rules[rule].on_mirror_delete == OnMirrorDelete::DeleteSource
}

/// The clauses that turn the image after a write back into the image before it. Attributes that
/// others add meanwhile stay.
fn differences(before: &Item<'static>, left: &Item<'static>) -> Vec<Clause> {
    let set = before
        .iter()
        .filter(|(name, value)| left.get(*name) != Some(*value))
        .map(|(name, value)| Clause::Set(Path::attribute(name), value.clone()));
    let removed = left
        .keys()
        .filter(|name| !before.contains_key(*name))
        .map(|name| Clause::Remove(Path::attribute(name)));
    set.chain(removed).collect()
}

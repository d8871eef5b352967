//! Processes a batch, stage by stage.

use serde_json::value::RawValue;

use super::census::Census;
use super::deleted::{Deletes, resolve_deleted};
use super::detect::{DeletedTarget, detect};
use super::event::batch::{DecodeError, DecodedBatch};
use super::event::change::History;
use super::event::coalesce;
use super::event::home::Home;
use super::recheck::{Message, Received, RecheckError, Rechecked, send};
use super::report::Report;
use super::report::outcome::Outcome;
use super::resolve::{correct_mirrors, resolve_marked, resolve_references, write_mirrors};
use super::services::Services;
use super::verify::{Suspects, first_look, second_look};
use crate::data::Item;
use crate::integrity::index::Index;
use crate::rules::model::{Rules, TableId};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::pass::Pass;
use crate::runtime::queue::Queue;
use crate::store::{Store, StoreError};

/// The rules, ready to run.
#[derive(Debug)]
pub struct Engine {
    pub(super) rules: Rules,
    pub(super) index: Index,
    /// Whether outcomes have a census.
    counts: bool,
}

impl Engine {
    /// Prepares the rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let index = Index::new(&rules);
        Self { rules, index, counts: false }
    }

    /// Counts what the records of each batch are, for the totals that people read.
    #[must_use]
    pub fn counting(self) -> Self {
        Self { counts: true, ..self }
    }

    /// Counts what items are that exist, like the records of a batch.
    #[must_use]
    pub fn census<'i>(
        &self,
        items: impl IntoIterator<Item = (TableId, &'i Item<'static>)>,
    ) -> Census {
        Census::of_items(&self.rules, &self.index, items)
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Decodes Lambda's event, which contains one batch.
    ///
    /// Fails if it is not an event of a DynamoDB stream, or if these rules cannot work with its
    /// stream: if it belongs to a table that they do not declare or declare with another key, or to
    /// another account or Region than they declare, or lacks the old or the new images.
    pub fn decode<'e>(&self, event: &'e str) -> Result<DecodedBatch<'e>, DecodeError> {
        self.decode_at(&Home::default(), event)
    }

    /// Like [`decode`](Self::decode), but also fails if the stream belongs to another account or
    /// Region than the function, unless the rules declare that.
    pub fn decode_at<'e>(
        &self,
        home: &Home,
        event: &'e str,
    ) -> Result<DecodedBatch<'e>, DecodeError> {
        DecodedBatch::of_event(&self.rules, &self.index, home, event)
    }

    /// Decodes the records of a batch, each still unparsed.
    #[must_use]
    pub fn decode_records<'e>(&self, records: &[&'e RawValue]) -> DecodedBatch<'e> {
        DecodedBatch::of_records(&self.rules, &self.index, records)
    }

    /// Processes one batch of stream records, each still unparsed.
    pub async fn process<S: Store, C: Clock>(
        &self,
        records: &[&RawValue],
        store: &S,
        clock: &C,
    ) -> Result<Outcome, Fatal> {
        self.process_decoded(self.decode_records(records), store, clock).await
    }

    /// Processes one batch of stream records.
    pub async fn process_decoded<S: Store, C: Clock>(
        &self,
        batch: DecodedBatch<'_>,
        store: &S,
        clock: &C,
    ) -> Result<Outcome, Fatal> {
        self.process_with(batch, Services::new(store, clock)).await
    }

    /// Processes one batch of stream records. Suspects wait for the end of their grace period on the
    /// queue, if there is one and it accepts them. Otherwise, the batch waits.
    pub async fn process_with<S: Store, C: Clock, Q: Queue>(
        &self,
        batch: DecodedBatch<'_>,
        services: Services<'_, S, C, Q>,
    ) -> Result<Outcome, Fatal> {
        let Self { rules, index, counts } = self;
        let Services { store, clock, queue, repairs } = services;
        let store = Metered::new(store);
        let pass = Pass { rules, index, store: &store, clock, repairs };
        let DecodedBatch { records, changes, unmatched, rejected } = batch;
        let mut report = Report::new(records);

        for rejected in rejected {
            report.reject(rejected);
        }
        report.oldest(changes.iter().filter_map(|change| change.created_ms).min());
        let histories = coalesce(changes);
        let mut work = detect(rules, index, &histories);
        work.rejected.drain(..).for_each(|rejected| report.reject(rejected));
        let positions = unmatched.iter().map(|it| it.position);
        let of_history = work.unmatched.iter().flat_map(|history| history.steps());
        report.unmatched(positions.chain(of_history.map(|step| step.position)).collect());
        report.census(
            counts.then(|| Census::of(rules, index, &histories, (&unmatched, &work.unmatched))),
        );

        // Mirrors are written before anything is read: lookups may use them.
        write_mirrors(pass, std::mem::take(&mut work.changed_sources), &mut report).await?;
        let looked = first_look(pass, work, &mut report).await?;
        correct_mirrors(pass, looked.outdated, &mut report).await?;
        resolve_marked(pass, looked.marked, &mut report).await?;
        let (mut suspects, mut known) = (looked.suspects, looked.unreferenced);
        if let Some(queue) = queue {
            known = enqueue(pass, queue, (&histories, &mut suspects, known), &mut report).await;
        }
        resolve_suspects(pass, suspects, known, &mut report).await?;
        Ok(report.finish(&store))
    }

    /// Judges the suspects in a message of the queue. The result is the same as if they had waited
    /// in their batch.
    pub async fn recheck<S: Store, C: Clock, Q: Queue>(
        &self,
        text: &str,
        services: Services<'_, S, C, Q>,
    ) -> Result<Rechecked, RecheckError> {
        let Self { rules, index, .. } = self;
        let Services { store, clock, queue, repairs } = services;
        let message = Message::parse(text).map_err(RecheckError::Malformed)?;
        if message.wait(text, clock, queue).await? {
            return Ok(Rechecked { is_forwarded: true, ..Rechecked::default() });
        }
        let Received { changes, mut dropped, listed } = Received::new(rules, message);
        let store = Metered::new(store);
        let pass = Pass { rules, index, store: &store, clock, repairs };
        let mut report = Report::new(listed.records());
        let histories = coalesce(changes);
        let picked = listed.pick(rules, detect(rules, index, &histories));
        dropped.extend(picked.dropped);
        resolve_due(pass, picked.suspects, picked.known, &mut report).await?;
        Ok(Rechecked { outcome: report.finish(&store), dropped, is_forwarded: false })
    }
}

/// Sends the suspects whose grace period is not over to the queue. Those that it does not accept
/// stay, and wait in the batch. Returns the deleted items that are known, with those that were sent.
async fn enqueue<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    queue: &impl Queue,
    (histories, suspects, mut known): (
        &'h [History<'h>],
        &mut Suspects<'h>,
        Vec<DeletedTarget<'h>>,
    ),
    report: &mut Report,
) -> Vec<DeletedTarget<'h>> {
    let Pass { rules, clock, .. } = pass;
    let now_ms = clock.now_ms();
    let mut waiting = suspects.remove_due_after(rules, now_ms, now_ms);
    if let Some(first) = report.first_handed_back() {
        // They are found again when their records are redelivered.
        drop(waiting.remove_of(|cause| cause.position_from() >= first));
    }
    if waiting.len() == 0 {
        return known;
    }
    let sent = waiting.deleted_targets.clone();
    known.extend(suspects.deleted_targets.iter().cloned());
    let refused = send((rules, clock), queue, histories, waiting, &known, report).await;
    suspects.extend(refused);
    known.extend(sent);
    known
}

/// Waits until the grace periods of the suspects are over, looks at them again, and resolves those
/// that are confirmed. Suspects whose grace period outlasts the deadline are handed back.
async fn resolve_suspects<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    mut suspects: Suspects<'h>,
    known: Vec<DeletedTarget<'h>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, clock, .. } = pass;
    let deadline_ms = clock.deadline_ms().unwrap_or(i64::MAX);
    let late = suspects.remove_due_after(rules, clock.now_ms(), deadline_ms);
    if let Some(due_ms) = suspects.due_ms(rules, clock.now_ms()) {
        if due_ms > clock.now_ms() {
            // The whole batch waits once, and not at all if its records are old enough.
            clock.sleep_until_ms(due_ms).await;
        }
        resolve_due(pass, suspects, known, report).await?;
    }
    for cause in late.causes() {
        let error = "its grace period is not over before the deadline".to_owned();
        report.fail(StoreError::Retry(error), &cause)?;
    }
    if late.len() > 0 {
        // If these suspects were handed back at once, their records would be redelivered again and
        // again during the grace period.
        clock.sleep_until_ms(deadline_ms).await;
    }
    Ok(())
}

/// Looks at suspects again whose grace period is over, and resolves those that are confirmed.
async fn resolve_due<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    suspects: Suspects<'h>,
    known: Vec<DeletedTarget<'h>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let confirmed = second_look(pass, suspects, report).await?;
    resolve_references(pass, confirmed.references, report).await?;
    let (mirrors, gaps) = (confirmed.mirrors, confirmed.gaps);
    let deletes = Deletes { mirrors, gaps, targets: confirmed.deleted_targets, known };
    resolve_deleted(pass, deletes, report).await
}

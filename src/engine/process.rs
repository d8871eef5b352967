//! Processes a batch, stage by stage.

use serde_json::value::RawValue;

use super::deleted::{Deletes, resolve_deleted};
use super::detect::{DeletedTarget, detect};
use super::event::batch::{DecodeError, DecodedBatch};
use super::event::coalesce;
use super::event::home::Home;
use super::report::Report;
use super::report::outcome::Outcome;
use super::resolve::{correct_mirrors, resolve_marked, resolve_references, write_mirrors};
use super::verify::{Suspects, first_look, second_look};
use crate::integrity::index::Index;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::pass::Pass;
use crate::store::{Store, StoreError};

/// The rules, ready to run.
#[derive(Debug)]
pub struct Engine {
    pub(super) rules: Rules,
    pub(super) index: Index,
}

impl Engine {
    /// Prepares the rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let index = Index::new(&rules);
        Self { rules, index }
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
        let Self { rules, index } = self;
        let store = Metered::new(store);
        let pass = Pass { rules, index, store: &store, clock };
        let DecodedBatch { records, changes, rejected } = batch;
        let mut report = Report::new(records);

        for rejected in rejected {
            report.reject(rejected);
        }
        report.oldest(changes.iter().filter_map(|change| change.created_ms).min());
        let histories = coalesce(changes);
        let mut work = detect(rules, index, &histories);
        work.rejected.drain(..).for_each(|rejected| report.reject(rejected));

        // Mirrors are written before anything is read: lookups may use them.
        write_mirrors(pass, std::mem::take(&mut work.changed_sources), &mut report).await?;
        let looked = first_look(pass, work, &mut report).await?;
        correct_mirrors(pass, looked.outdated, &mut report).await?;
        resolve_marked(pass, looked.marked, &mut report).await?;
        resolve_suspects(pass, looked.suspects, looked.unreferenced, &mut report).await?;
        Ok(report.finish(&store))
    }
}

/// Waits until the grace periods of the suspects are over, looks at them again, and resolves those
/// that are confirmed. Suspects whose grace period outlasts the deadline are handed back.
async fn resolve_suspects<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    mut suspects: Suspects<'h>,
    unreferenced: Vec<DeletedTarget<'h>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, clock, .. } = pass;
    let deadline_ms = clock.deadline_ms().unwrap_or(i64::MAX);
    let late = suspects.remove_late(rules, clock.now_ms(), deadline_ms);
    if let Some(due_ms) = suspects.due_ms(rules, clock.now_ms()) {
        if due_ms > clock.now_ms() {
            // The whole batch waits once, and not at all if its records are old enough.
            clock.sleep_until_ms(due_ms).await;
        }
        let confirmed = second_look(pass, suspects, report).await?;
        resolve_references(pass, confirmed.references, report).await?;
        let (mirrors, gaps) = (confirmed.mirrors, confirmed.gaps);
        let deletes = Deletes { mirrors, gaps, targets: confirmed.deleted_targets, unreferenced };
        resolve_deleted(pass, deletes, report).await?;
    }
    for cause in &late {
        let error = "its grace period is not over before the deadline".to_owned();
        report.fail(StoreError::Retry(error), cause)?;
    }
    if !late.is_empty() {
        // If these suspects were handed back at once, their records would be redelivered again and
        // again during the grace period.
        clock.sleep_until_ms(deadline_ms).await;
    }
    Ok(())
}

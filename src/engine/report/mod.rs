//! Collects what was found and done into the outcome of the batch.

pub(crate) mod outcome;
pub(crate) mod violation;

use super::census::Census;
use super::event::change::Cause;
use super::event::decode::Rejected;
use crate::integrity::finding::Finding;
use crate::integrity::repair::ItemWrite;
use crate::rules::model::Rules;
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::repair_log::ViolationName;
use crate::store::StoreError;
use outcome::{HandedBack, Outcome, Unqueued, WriteMade};
use violation::{Occurrence, Resolution, Violation};

/// The outcome of a batch or an audit, in progress.
#[derive(Debug, Default)]
pub(crate) struct Report {
    outcome: Outcome,
    /// The pages of an audit that are not done, each with the reason.
    unfinished_pages: Vec<(usize, String)>,
}

impl Report {
    /// Starts the outcome of a batch of this many records.
    pub(crate) fn new(records: usize) -> Self {
        Self { outcome: Outcome { records, ..Outcome::default() }, ..Self::default() }
    }

    /// The first page that is not done, and the reason, if any.
    pub(crate) fn first_unfinished_page(&self) -> Option<(usize, String)> {
        self.unfinished_pages.iter().min_by_key(|(index, _)| *index).cloned()
    }

    /// Returns the outcome, in the order of the records, with the cost of its requests.
    pub(crate) fn finish<S>(self, store: &Metered<'_, S>) -> Outcome {
        let Self { mut outcome, .. } = self;
        outcome.violations.sort_by_key(|violation| violation.occurrence.position);
        outcome.rejected.sort_by_key(|rejected| rejected.position);
        outcome.handed_back.sort_by_key(|handed_back| handed_back.position);
        let (requests, reads, units) = (store.requests(), store.reads(), store.units());
        Outcome { requests, reads, units, ..outcome }
    }

    /// Sets the time of the oldest change that a rule looks at.
    pub(crate) fn oldest(&mut self, created_ms: Option<i64>) {
        self.outcome.oldest_ms = created_ms;
    }

    /// The position of the first record that is handed back so far, if any.
    pub(crate) fn first_handed_back(&self) -> Option<usize> {
        self.outcome.checkpoint().map(|first| first.position)
    }

    /// Adds suspects that the queue has accepted.
    pub(crate) const fn queued(&mut self, suspects: usize) {
        self.outcome.queued += suspects;
    }

    /// Adds suspects that could not be sent to the queue.
    pub(crate) fn unqueued(&mut self, suspects: usize, reason: String) {
        self.outcome.unqueued = Some(Unqueued { suspects, reason });
    }

    /// Sets which records match no entity.
    pub(crate) fn unmatched(&mut self, mut positions: Vec<usize>) {
        positions.sort_unstable();
        self.outcome.unmatched = positions;
    }

    /// Sets what the records are.
    pub(crate) fn census(&mut self, census: Option<Census>) {
        self.outcome.census = census.map(Box::new);
    }

    /// Adds a record that cannot be processed.
    pub(crate) fn reject(&mut self, rejected: Rejected) {
        self.outcome.rejected.push(rejected);
    }

    /// Adds the consequence of a store error: the record must be delivered again or the page audited
    /// again, or the record is rejected. A fatal error is returned.
    pub(crate) fn fail(&mut self, error: StoreError, cause: &Cause<'_>) -> Result<(), Fatal> {
        match error {
            StoreError::Retry(reason) | StoreError::Throttled(reason) => match cause {
                Cause::Record { from, .. } => {
                    let (position, sequence) = (from.position, from.sequence.to_string());
                    self.outcome.handed_back.push(HandedBack { position, sequence, reason });
                }
                Cause::Page { index } => self.unfinished_pages.push((*index, reason)),
            },
            StoreError::Rejected(error) => self.reject(Rejected {
                position: cause.position(),
                sequence: cause.sequence().map(ToString::to_string),
                error,
            }),
            StoreError::Fatal(message) => return Err(Fatal(message)),
        }
        Ok(())
    }

    /// Adds the consequence of work that was not reached because of this error. Without an error,
    /// it must be tried again.
    pub(crate) fn unfinished(
        &mut self,
        error: Option<&StoreError>,
        cause: &Cause<'_>,
    ) -> Result<(), Fatal> {
        let unknown = || StoreError::Retry("it was not reached".to_owned());
        self.fail(error.cloned().unwrap_or_else(unknown), cause)
    }

    /// Adds writes that were made.
    pub(crate) fn writes(
        &mut self,
        rule: &str,
        writes: impl IntoIterator<Item = ItemWrite>,
        cause: &Cause<'_>,
    ) {
        self.outcome.writes.extend(writes.into_iter().map(|write| of_rule(rule, write, cause)));
    }

    /// Adds writes that a rule in observe mode would have made.
    pub(crate) fn planned(
        &mut self,
        rule: &str,
        writes: impl IntoIterator<Item = ItemWrite>,
        cause: &Cause<'_>,
    ) {
        self.outcome.planned.extend(writes.into_iter().map(|write| of_rule(rule, write, cause)));
    }

    /// Adds a violation.
    pub(crate) fn violation(
        &mut self,
        finding: Finding,
        resolution: impl Into<Resolution>,
        cause: &Cause<'_>,
    ) {
        let sequence = cause.sequence().map(ToString::to_string);
        let occurrence = Occurrence { sequence, position: cause.position() };
        self.outcome.violations.push(Violation {
            finding,
            occurrence,
            resolution: resolution.into(),
        });
    }
}

/// The name of the violation that this cause reveals.
pub(crate) fn violation_name(rules: &Rules, finding: &Finding, cause: &Cause<'_>) -> ViolationName {
    let sequence = cause.sequence().map(ToString::to_string);
    ViolationName {
        id: finding.id(rules, sequence.as_deref()),
        rule: finding.rule.clone(),
        kind: finding.kind(),
        sequence,
    }
}

fn of_rule(rule: &str, write: ItemWrite, cause: &Cause<'_>) -> WriteMade {
    let ItemWrite { operation, item, detail } = write;
    WriteMade { rule: rule.to_owned(), operation, item, detail, position: cause.position() }
}

//! The delivery of a batch, repeated until every record is done, as Lambda does after a partial
//! batch response.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::collections::BTreeSet;

use super::pause::Pauses;
use crate::engine::Outcome;
use crate::rules::Rules;

/// A batch that is being delivered.
#[derive(Debug)]
pub(super) struct Delivery {
    records: usize,
    /// The number of records from the beginning that are done.
    done: usize,
    pauses: Pauses,
    /// The ids of the violations reported so far.
    violations: BTreeSet<String>,
    /// The positions of the rejected records reported so far.
    rejected: BTreeSet<usize>,
}

/// What to do after a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: the whole batch is done.
    Done,
    /// Deliver the remaining records again, after a wait.
    Again {
        /// Why they are not done.
        reason: String,
        /// How long to wait.
        pause_ms: i64,
    },
}

impl Delivery {
    /// A batch of this many records that has not been delivered yet.
    pub(super) fn new(records: usize) -> Self {
        let mut pauses = Pauses::new();
        // Skip the shortest wait, which is only for a delivery that made progress.
        pauses.restart_ms();
        let (violations, rejected) = (BTreeSet::new(), BTreeSet::new());
        Self { records, done: 0, pauses, violations, rejected }
    }

    /// The number of leading records that are done. The next delivery begins there.
    pub(super) const fn done(&self) -> usize {
        self.done
    }

    /// Records the outcome of a delivery. Violations and rejected records that an earlier delivery
    /// reported are removed from it, so that each is reported once.
    pub(super) fn advance(&mut self, rules: &Rules, outcome: &mut Outcome) -> Next {
        let first = self.done;
        outcome.violations.retain(|violation| self.violations.insert(violation.id(rules)));
        outcome.rejected.retain(|rejected| self.rejected.insert(first + rejected.position));
        let Some(checkpoint) = outcome.checkpoint() else {
            self.done = self.records;
            return Next::Done;
        };
        self.done = first + checkpoint.position;
        let has_progress = self.done > first;
        let pause_ms = if has_progress { self.pauses.restart_ms() } else { self.pauses.next_ms() };
        Next::Again { reason: checkpoint.reason.clone(), pause_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{HandedBack, Occurrence, Rejected, Response, Violation};
    use crate::integrity::finding::{Defect, Finding};
    use crate::rules::model::Severity;

    fn violation(sequence: &str) -> Violation {
        Violation {
            finding: Finding {
                rule: "rule".to_owned(),
                severity: Severity::Error,
                referencing: None,
                referenced: None,
                path: None,
                reference: None,
                defect: Defect::TargetMissing,
            },
            occurrence: Occurrence { sequence: Some(sequence.to_owned()), position: 0 },
            resolution: Response::Reported.into(),
        }
    }

    fn outcome(handed_back: Option<usize>, violations: &[&str], rejected: &[usize]) -> Outcome {
        let hand_back = |position| HandedBack {
            position,
            sequence: position.to_string(),
            reason: "throttled".to_owned(),
        };
        let reject =
            |position| Rejected { position, sequence: None, error: "unreadable".to_owned() };
        Outcome {
            violations: violations.iter().map(|sequence| violation(sequence)).collect(),
            rejected: rejected.iter().map(|position| reject(*position)).collect(),
            handed_back: handed_back.into_iter().map(hand_back).collect(),
            ..Outcome::default()
        }
    }

    #[test]
    fn findings_of_a_redelivered_record_are_reported_once() {
        let (rules, mut delivery) = (Rules::default(), Delivery::new(5));
        let mut first = outcome(Some(2), &["1", "3"], &[0, 3]);
        assert!(matches!(delivery.advance(&rules, &mut first), Next::Again { .. }));
        assert_eq!((first.violations.len(), first.rejected.len(), delivery.done()), (2, 2, 2));
        // The record that was the fourth is now the second.
        let mut second = outcome(None, &["3", "4"], &[1, 2]);
        assert_eq!(delivery.advance(&rules, &mut second), Next::Done);
        assert_eq!(delivery.done(), 5);
        assert_eq!(second.violations, [violation("4")]);
        assert_eq!(second.rejected.iter().map(|it| it.position).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn the_wait_grows_until_a_delivery_makes_progress() {
        let (rules, mut delivery) = (Rules::default(), Delivery::new(99));
        let mut pause =
            |position| match delivery.advance(&rules, &mut outcome(Some(position), &[], &[])) {
                Next::Again { pause_ms, .. } => pause_ms,
                Next::Done => 0,
            };
        assert_eq!([0, 0, 0].map(&mut pause), [500, 1_000, 2_000]);
        assert_eq!(pause(1), 250);
        assert_eq!([0; 9].map(&mut pause)[8], 30_000);
    }
}

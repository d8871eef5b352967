//! The delivery of a batch, again and again until nothing of it is handed back: as Lambda does
//! with a partial batch response.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::collections::BTreeSet;

use crate::engine::Outcome;
use crate::rules::Rules;

/// The shortest wait before what was handed back is delivered again, and the longest.
const PAUSE_MS_MIN: i64 = 250;
const PAUSE_MS_MAX: i64 = 30_000;

/// A batch on its way: how much of it is done, and what has been told of it.
#[derive(Debug)]
pub(super) struct Delivery {
    records: usize,
    done: usize,
    attempts: u32,
    violations: BTreeSet<String>,
    rejected: BTreeSet<usize>,
}

/// What is to be done after a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The whole batch is done.
    Done,
    /// What was not done is delivered again, after a wait.
    Again {
        /// Why it was handed back.
        reason: String,
        /// How long to wait.
        pause_ms: i64,
    },
}

impl Delivery {
    /// A batch of this many records, of which none is done.
    pub(super) const fn new(records: usize) -> Self {
        Self {
            records,
            done: 0,
            attempts: 0,
            violations: BTreeSet::new(),
            rejected: BTreeSet::new(),
        }
    }

    /// How many records from the batch's beginning are done: what is delivered next begins there.
    pub(super) const fn done(&self) -> usize {
        self.done
    }

    /// Takes in what became of the records that were not done, and leaves in it what was not told
    /// before: a record that is delivered twice violates once, and is rejected once.
    pub(super) fn settle(&mut self, rules: &Rules, outcome: &mut Outcome) -> Next {
        let begun = self.done;
        outcome.violations.retain(|violation| self.violations.insert(violation.id(rules)));
        outcome.rejected.retain(|rejected| self.rejected.insert(begun + rejected.position));
        let Some(handed_back) = outcome.checkpoint() else {
            self.done = self.records;
            return Next::Done;
        };
        self.done = begun + handed_back.position;
        self.attempts = if self.done > begun { 0 } else { self.attempts + 1 };
        Next::Again { reason: handed_back.reason.clone(), pause_ms: pause_ms(self.attempts) }
    }
}

/// How long to wait after this many attempts that came to nothing.
pub(super) fn pause_ms(attempts: u32) -> i64 {
    let doubled = 1_i64.checked_shl(attempts.min(20)).unwrap_or(i64::MAX);
    PAUSE_MS_MIN.saturating_mul(doubled).min(PAUSE_MS_MAX)
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
                defect: Defect::TargetMissing,
            },
            occurrence: Occurrence { sequence: sequence.to_owned(), position: 0 },
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
    fn what_is_delivered_twice_is_told_once() {
        let (rules, mut delivery) = (Rules::default(), Delivery::new(5));
        let mut first = outcome(Some(2), &["1", "3"], &[0, 3]);
        assert!(matches!(delivery.settle(&rules, &mut first), Next::Again { .. }));
        assert_eq!((first.violations.len(), first.rejected.len(), delivery.done()), (2, 2, 2));
        // The record that was the fourth is now the second.
        let mut second = outcome(None, &["3", "4"], &[1, 2]);
        assert_eq!(delivery.settle(&rules, &mut second), Next::Done);
        assert_eq!(delivery.done(), 5);
        assert_eq!(second.violations, [violation("4")]);
        assert_eq!(second.rejected.iter().map(|it| it.position).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn the_wait_grows_until_a_delivery_gets_on() {
        let (rules, mut delivery) = (Rules::default(), Delivery::new(99));
        let mut pause =
            |position| match delivery.settle(&rules, &mut outcome(Some(position), &[], &[])) {
                Next::Again { pause_ms, .. } => pause_ms,
                Next::Done => 0,
            };
        assert_eq!([0, 0, 0].map(&mut pause), [500, 1_000, 2_000]);
        assert_eq!(pause(1), 250);
        assert_eq!([0; 9].map(&mut pause)[8], PAUSE_MS_MAX);
        assert_eq!(pause_ms(u32::MAX), PAUSE_MS_MAX);
    }
}

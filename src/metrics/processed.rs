//! What counts of a batch.

use super::count_of;
use crate::engine::{Outcome, Response, Violation};
use crate::rules::model::{Rules, Severity};

/// A batch in which the records before `end` are done.
pub(super) struct Processed<'p> {
    pub(super) rules: &'p Rules,
    pub(super) outcome: &'p Outcome,
    pub(super) end: usize,
    pub(super) now_ms: i64,
}

impl<'p> Processed<'p> {
    pub(super) fn violations(&self, severity: Severity) -> Vec<&'p str> {
        let found = self.counted().filter(|it| it.finding.severity == severity);
        found.map(|it| it.finding.rule.as_str()).collect()
    }

    pub(super) fn with_response(&self, response: Response) -> Vec<&'p str> {
        let found = self.counted().filter(|it| it.resolution.response == response);
        found.map(|it| it.finding.rule.as_str()).collect()
    }

    /// The violations of the records that are done, and those that are repaired: when their records
    /// are delivered again, they are not found again.
    fn counted(&self) -> impl Iterator<Item = &'p Violation> {
        let end = self.end;
        let is_repaired = |it: &Violation| it.resolution.response == Response::Repaired;
        let violations = self.outcome.violations.iter();
        violations.filter(move |it| it.occurrence.position < end || is_repaired(it))
    }

    pub(super) fn mirror_writes(&self) -> Vec<&'p str> {
        let is_mirror = |rule: &str| self.rules.mirrors.iter().any(|mirror| mirror.name == rule);
        let made = self.outcome.writes.iter().map(|it| it.rule.as_str());
        made.filter(|rule| is_mirror(rule)).collect()
    }

    pub(super) fn rejected(&self) -> Option<f64> {
        count_of(self.outcome.rejected.iter().filter(|it| it.position < self.end).count())
    }

    pub(super) fn unmatched(&self) -> Option<f64> {
        let unmatched = &self.outcome.unmatched;
        count_of(unmatched.iter().filter(|position| **position < self.end).count())
    }

    pub(super) fn unqueued(&self) -> Option<f64> {
        count_of(self.outcome.unqueued.as_ref().map_or(0, |unqueued| unqueued.suspects))
    }

    pub(super) fn age_ms(&self) -> Option<f64> {
        let oldest_ms = self.outcome.oldest_ms.filter(|_| self.end > 0)?;
        // The clocks may differ, and a negative age would be meaningless.
        let age_ms = self.now_ms.saturating_sub(oldest_ms).max(0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a float is exact for ages up to 285,000 years"
        )]
        Some(age_ms as f64)
    }
}

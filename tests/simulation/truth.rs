//! Checks that each reference that a worker reported as dangling did dangle at some moment while
//! the worker ran.

use referee::integrity::finding::Finding;

use crate::items::of_key;
use crate::model::{Name, State, exists, refers};
use crate::past::{Past, Reported};
use crate::scenario::Lag;
use crate::schema::{Reference, Schema};

/// Reports of dangling references that are not yet confirmed.
pub(crate) struct Unconfirmed<'p> {
    schema: &'p Schema,
    open: Vec<Report<'p>>,
}

/// A report that an item's reference to a target dangles.
struct Report<'p> {
    reported: &'p Reported,
    /// The number of steps from which on it may have been true.
    begun: usize,
    reference: &'p Reference,
    of: Name,
    target: Name,
    /// Whether the item has referred to the target since then.
    referred: bool,
    /// Whether the target has been missing since then.
    was_missing: bool,
}

impl<'p> Unconfirmed<'p> {
    pub(crate) fn new(schema: &'p Schema, past: &'p Past) -> Self {
        let mut open = Vec::new();
        for reported in &past.reported {
            let finding = &reported.violation.finding;
            let Finding { rule, referenced, referencing, .. } = finding;
            let reference = schema.references.iter().find(|it| it.name == *rule);
            let Some((reference, target)) = reference.zip(referenced.as_ref()) else { continue };
            // An index may not show the item yet, which may have been missing before.
            let begun = match past.lag {
                Lag::Long if reference.is_in_index => continue,
                Lag::Short if reference.is_in_index => 0,
                Lag::None | Lag::Short | Lag::Long => reported.begun,
            };
            let orphans = finding.orphans().into_iter().flat_map(|orphans| &orphans.keys);
            for of in referencing.iter().map(|it| &it.key).chain(orphans).map(of_key) {
                let target = of_key(&target.key);
                let (referred, was_missing) = (false, false);
                open.push(Report { reported, begun, reference, of, target, referred, was_missing });
            }
        }
        Self { schema, open }
    }

    /// Confirms the reports that are true after this many steps.
    pub(crate) fn confirm(&mut self, state: &State, steps: usize) {
        let schema = self.schema;
        self.open.retain_mut(|report| {
            if !(report.begun..=report.reported.happened).contains(&steps) {
                return true;
            }
            let Report { reference, of, target, .. } = report;
            let refers = state
                .get(of)
                .is_some_and(|content| refers(schema, reference, (of, content), target));
            let is_missing = !exists(schema, state, reference, target);
            report.referred |= refers;
            report.was_missing |= is_missing;
            // An audit reads the two items one after the other, and nothing repeats it.
            let is_audit = report.reported.violation.occurrence.sequence.is_none();
            let is_plausible = is_audit && report.referred && report.was_missing;
            !(is_plausible || refers && is_missing)
        });
    }

    pub(crate) fn assert_none(self) {
        let first = self.open.first().map(|report| (&report.of, report.reported));
        assert!(first.is_none(), "reported, but never true: {first:?}");
    }
}

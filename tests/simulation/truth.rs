//! Checks that each reference that a worker reported as dangling did dangle at some moment while
//! the worker ran.

use referee::integrity::finding::Finding;

use crate::items::of_key;
use crate::model::{Name, State, exists, refers};
use crate::past::{Past, Reported};
use crate::schema::{Reference, Schema};

/// Reports of dangling references that are not yet confirmed.
pub(crate) struct Unconfirmed<'p> {
    schema: &'p Schema,
    open: Vec<Report<'p>>,
}

/// A report that an item's reference to a target dangles.
struct Report<'p> {
    reported: &'p Reported,
    reference: &'p Reference,
    of: Name,
    target: Name,
}

impl<'p> Unconfirmed<'p> {
    pub(crate) fn new(schema: &'p Schema, past: &'p Past) -> Self {
        let mut open = Vec::new();
        for reported in &past.reported {
            let finding = &reported.violation.finding;
            let Finding { rule, referenced, referencing, .. } = finding;
            let reference = schema.references.iter().find(|it| it.name == *rule);
            let Some((reference, target)) = reference.zip(referenced.as_ref()) else { continue };
            let orphans = finding.orphans().into_iter().flat_map(|orphans| &orphans.keys);
            for of in referencing.iter().map(|it| &it.key).chain(orphans).map(of_key) {
                open.push(Report { reported, reference, of, target: of_key(&target.key) });
            }
        }
        Self { schema, open }
    }

    /// Confirms the reports that are true after this many steps.
    pub(crate) fn confirm(&mut self, state: &State, steps: usize) {
        let schema = self.schema;
        self.open.retain(|report| {
            let is_then = (report.reported.begun..=report.reported.happened).contains(&steps);
            let Some(content) = state.get(&report.of).filter(|_| is_then) else { return true };
            exists(schema, state, report.reference, &report.target)
                || !refers(schema, report.reference, (&report.of, content), &report.target)
        });
    }

    pub(crate) fn assert_none(self) {
        let first = self.open.first().map(|report| (&report.of, report.reported));
        assert!(first.is_none(), "reported, but never true: {first:?}");
    }
}

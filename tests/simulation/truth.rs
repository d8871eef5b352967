//! Whether what was told of references was ever so, while the worker that told it was at work.

use referee::integrity::finding::Finding;

use crate::items::of_key;
use crate::model::{Name, State, exists, targets};
use crate::schema::{Reference, Schema};
use crate::world::{Past, Told};

/// What was told, and has not been seen to be so.
pub(crate) struct Doubts<'p> {
    schema: &'p Schema,
    open: Vec<Doubt<'p>>,
}

/// An item was told to refer to a target in vain.
struct Doubt<'p> {
    told: &'p Told,
    reference: &'p Reference,
    of: Name,
    target: Name,
}

impl<'p> Doubts<'p> {
    pub(crate) fn new(schema: &'p Schema, past: &'p Past) -> Self {
        let mut open = Vec::new();
        for told in &past.told {
            let finding = &told.violation.finding;
            let Finding { rule, referenced, referencing, .. } = finding;
            let reference = schema.references.iter().find(|it| it.name == *rule);
            let Some((reference, target)) = reference.zip(referenced.as_ref()) else { continue };
            let orphans = finding.orphans().into_iter().flat_map(|orphans| &orphans.keys);
            for of in referencing.iter().map(|it| &it.key).chain(orphans).map(of_key) {
                open.push(Doubt { told, reference, of, target: of_key(&target.key) });
            }
        }
        Self { schema, open }
    }

    /// Looks at how things were when so many steps had happened.
    pub(crate) fn look(&mut self, state: &State, steps: usize) {
        let schema = self.schema;
        self.open.retain(|doubt| {
            let is_then = (doubt.told.begun..=doubt.told.happened).contains(&steps);
            let Some(thing) = state.get(&doubt.of).filter(|_| is_then) else { return true };
            exists(schema, state, &doubt.target)
                || !targets(schema, doubt.reference, &doubt.of, thing).contains(&doubt.target)
        });
    }

    pub(crate) fn assert_none(self) {
        let first = self.open.first().map(|doubt| (&doubt.of, doubt.told));
        assert!(first.is_none(), "told, and not so: {first:?}");
    }
}

//! What the records of a batch are, for the totals that people read: an entity or a rule that never
//! matches is probably misspelled.

use super::event::change::{History, Unmatched};
use crate::data::{Item, KeyValue, into_owned};
use crate::integrity::index::{Index, Role};
use crate::integrity::nearest::Stray;
use crate::integrity::reference::evaluate;
use crate::rules::model::{EntityId, Rules, TableId};

/// What the records of a batch are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Census {
    /// The number of records of each entity that a rule uses, in the order of the rules.
    pub entities: Vec<u64>,
    /// The number of records whose items have a value of each reference.
    pub references: Vec<u64>,
    /// The number of records of the sources of each mirror rule.
    pub mirrors: Vec<u64>,
    /// The first item that matches no entity.
    pub stray: Option<Stray>,
}

impl Census {
    /// Counts the records. `unmatched` and `unmet` are the ones that match no entity: by their keys,
    /// and because of a `where`.
    pub(crate) fn of(
        rules: &Rules,
        index: &Index,
        histories: &[History<'_>],
        (unmatched, unmet): (&[Unmatched<'_>], &[&History<'_>]),
    ) -> Self {
        let mut census = Self {
            entities: vec![0; rules.entities.len()],
            references: vec![0; rules.references.len()],
            mirrors: vec![0; rules.mirrors.len()],
            stray: stray(unmatched, unmet),
        };
        for history in histories {
            census.add(rules, index, history);
        }
        census
    }

    /// Counts items that exist like records.
    pub(crate) fn of_items<'i>(
        rules: &Rules,
        index: &Index,
        items: impl IntoIterator<Item = (TableId, &'i Item<'static>)>,
    ) -> Self {
        let mut census = Self::of(rules, index, &[], (&[], &[]));
        for (table, item) in items {
            let Ok(key) = rules[table].key.key_of(item) else { continue };
            for (id, captures) in index.matching(rules, table, &key) {
                census.member(rules, index, (id, &captures), &[item]);
            }
        }
        census
    }

    fn add(&mut self, rules: &Rules, index: &Index, history: &History<'_>) {
        let item = &history.last.change;
        for (id, captures) in index.matching(rules, item.table, &item.key) {
            for step in history.steps() {
                let images: Vec<&Item<'_>> =
                    step.change.before.iter().chain(&step.change.after).collect();
                self.member(rules, index, (id, &captures), &images);
            }
        }
    }

    /// Counts an item of an entity, if any of its images belongs to the entity.
    fn member(
        &mut self,
        rules: &Rules,
        index: &Index,
        (id, captures): (EntityId, &[KeyValue<'_>]),
        images: &[&Item<'_>],
    ) {
        let images = || images.iter().filter(|image| rules[id].admits(image));
        if images().next().is_none() {
            return;
        }
        increment(&mut self.entities, id.0);
        for role in index.roles(id) {
            match role {
                Role::Source(mirror) => increment(&mut self.mirrors, mirror.0),
                Role::Referencing(reference) => {
                    let rule = &rules[*reference];
                    let has_value =
                        |image: &&Item<'_>| !evaluate(rules, rule, captures, image).is_empty();
                    if images().any(has_value) {
                        increment(&mut self.references, reference.0);
                    }
                }
                Role::Mirror(_) | Role::Referenced(_) => {}
            }
        }
    }
}

fn increment(counts: &mut [u64], index: usize) {
    if let Some(count) = counts.get_mut(index) {
        *count += 1;
    }
}

/// The first item in the batch that matches no entity.
fn stray(unmatched: &[Unmatched<'_>], unmet: &[&History<'_>]) -> Option<Stray> {
    let by_key = unmatched.first().map(|it| {
        let stray =
            Stray { table: it.table, key: it.key.clone().into_owned(), attributes: Item::new() };
        (it.position, stray)
    });
    let by_where = unmet.first().map(|history| {
        let change = &history.last.change;
        let image = change.after.as_ref().or(change.before.as_ref());
        let attributes = image.map(|image| into_owned(image.clone()));
        let (table, key) = (change.table, change.key.clone().into_owned());
        let stray = Stray { table, key, attributes: attributes.unwrap_or_default() };
        (history.last.position, stray)
    });
    let first = by_key.into_iter().chain(by_where).min_by_key(|(position, _)| *position);
    first.map(|(_, stray)| stray)
}

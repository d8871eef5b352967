//! What each rule sees in one item, and the queries and mirrors that follow from it.

use super::finding::Defect;
use super::mirror::{self, Pair};
use super::reference::{ReferenceState, evaluate, finder, path_of};
use crate::data::{Item, Key, KeyValue};
use crate::rules::model::{EntityId, MirrorId, Mode, Reference, ReferenceId, Rules, TableId};
use crate::store::Query;

/// An item, interpreted as an item of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The entity.
    pub entity: EntityId,
    /// The values of the entity's captures in the item's key, in their order.
    pub captures: Vec<KeyValue<'static>>,
    /// Whether the entity's `where` holds; if not, the item does not belong to the entity.
    pub admitted: bool,
    /// What the rules that look at the entity see.
    pub views: Vec<View>,
}

/// What a rule sees in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// The item refers to others.
    Refers {
        /// The reference.
        rule: ReferenceId,
        /// What each value refers to, or what is wrong with it, with the value's path.
        values: Vec<(Result<Key<'static>, Defect>, Option<String>)>,
    },
    /// Others may refer to the item.
    Referred {
        /// The reference.
        rule: ReferenceId,
        /// The query for the referencing items; `None` if the rule has no way to find them.
        query: Option<Query>,
    },
    /// The item is mirrored.
    Mirrored {
        /// The rule.
        rule: MirrorId,
        /// The mirror's key, or why it cannot be built.
        mirror: Result<Key<'static>, String>,
        /// The mirror, without its mark; `None` if there should be none.
        content: Option<Item<'static>>,
    },
    /// The item is a mirror.
    Mirrors {
        /// The rule.
        rule: MirrorId,
        /// The source's key, or why it cannot be built.
        source: Result<Key<'static>, String>,
    },
}

/// Returns what the rules see in an item, for each entity that its key matches.
#[must_use]
pub fn inspect(rules: &Rules, table: TableId, key: &Key<'_>, item: &Item<'_>) -> Vec<Sighting> {
    let of_table = rules.entities.iter().enumerate().filter(|(_, entity)| entity.table == table);
    of_table
        .filter_map(|(index, entity)| {
            let captures = entity.key.parse(key)?;
            Some(Sighting {
                entity: EntityId(index),
                admitted: entity.admits(item),
                views: views(rules, EntityId(index), &captures, item),
                captures: captures.into_iter().map(KeyValue::into_owned).collect(),
            })
        })
        .collect()
}

fn views(rules: &Rules, entity: EntityId, captures: &[KeyValue<'_>], item: &Item<'_>) -> Vec<View> {
    let mut views = Vec::new();
    for (index, reference) in rules.references.iter().enumerate() {
        let rule = ReferenceId(index);
        let values = |reference: &Reference| evaluate(rules, reference, captures, item);
        let is_shown = || {
            let mut others = rules.alternatives(rule).map(|(_, it)| it);
            let mut is_none = || others.all(|it| values(it).is_empty());
            !values(reference).is_empty() || (reference.alternative.is_first && is_none())
        };
        if reference.from == entity && reference.mode != Mode::Off && is_shown() {
            let values = values(reference).into_iter().map(|value| {
                let path = path_of(reference, &value);
                match value.state {
                    ReferenceState::Refers(key) => (Ok(key), path),
                    ReferenceState::Broken(defect) => (Err(defect), path),
                }
            });
            views.push(View::Refers { rule, values: values.collect() });
        }
        if reference.to == entity && reference.mode != Mode::Off {
            let query = finder(rules, rule, captures).map(|finder| finder.query);
            views.push(View::Referred { rule, query });
        }
    }
    for (index, mirror) in rules.mirrors.iter().enumerate() {
        let rule = MirrorId(index);
        if mirror.source == entity && mirror.mode != Mode::Off {
            let pair = Pair::of_source(rules, rule, captures, Some(item)).transpose();
            let Some(pair) = pair else { continue };
            let content =
                pair.as_ref().ok().and_then(|pair| mirror::expected(rules, pair, Some(item)));
            let mirror = pair.map(|pair| pair.mirror).map_err(|error| error.to_string());
            views.push(View::Mirrored { rule, mirror, content });
        }
        if mirror.mirror == entity && mirror.mode != Mode::Off {
            let source = Pair::of_mirror(rules, rule, captures)
                .map(|pair| pair.source)
                .map_err(|error| error.to_string());
            views.push(View::Mirrors { rule, source });
        }
    }
    views
}

//! Inspecting: what the rules see in one item, and what each would do about it.

use crate::data::{Item, Key, KeyValue};
use crate::integrity::mirror::{self, Pair};
use crate::integrity::reference::{Stance, claim_path, evaluate, finder};
use crate::rules::model::{EntityId, MirrorId, Mode, ReferenceId, Rules, TableId};
use crate::store::Query;

/// An item, seen as one of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The entity.
    pub entity: EntityId,
    /// What the entity's captures are in the item's key, in their order.
    pub captures: Vec<KeyValue<'static>>,
    /// Whether the entity's `where` holds of the item; if not, it is none of the entity's.
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
        /// What it refers to, or what is wrong with the reference, each with where it stands.
        claims: Vec<(Result<Key<'static>, String>, Option<String>)>,
    },
    /// Others may refer to the item.
    Referred {
        /// The reference.
        rule: ReferenceId,
        /// How they are found if the item is deleted; nothing if they are not.
        query: Option<Query>,
    },
    /// The item is mirrored.
    Mirrored {
        /// The rule.
        rule: MirrorId,
        /// The mirror's key, or why there can be none.
        mirror: Result<Key<'static>, String>,
        /// The mirror, without its mark.
        content: Option<Item<'static>>,
    },
    /// The item is a mirror.
    Mirrors {
        /// The rule.
        rule: MirrorId,
        /// The source's key, or why there can be none.
        source: Result<Key<'static>, String>,
    },
}

/// What the rules see in an item with this key.
#[must_use]
pub fn inspect(rules: &Rules, table: TableId, key: &Key<'_>, item: &Item<'_>) -> Vec<Sighting> {
    let of_table = rules.entities.iter().enumerate().filter(|(_, entity)| entity.table == table);
    of_table
        .filter_map(|(place, entity)| {
            let captures = entity.key.parse(key)?;
            Some(Sighting {
                entity: EntityId(place),
                admitted: entity.admits(item),
                views: views(rules, EntityId(place), &captures, item),
                captures: captures.into_iter().map(KeyValue::into_owned).collect(),
            })
        })
        .collect()
}

fn views(rules: &Rules, entity: EntityId, captures: &[KeyValue<'_>], item: &Item<'_>) -> Vec<View> {
    let mut views = Vec::new();
    for (place, reference) in rules.references.iter().enumerate() {
        let rule = ReferenceId(place);
        if reference.from == entity && reference.mode != Mode::Off {
            let claims = evaluate(rules, reference, captures, item).into_iter().map(|claim| {
                let path = claim_path(reference, &claim);
                match claim.stance {
                    Stance::Refers(key) => (Ok(key), path),
                    Stance::Wrong(_, detail) => (Err(detail), path),
                }
            });
            views.push(View::Refers { rule, claims: claims.collect() });
        }
        if reference.to == entity && reference.mode != Mode::Off {
            let query = finder(rules, rule, captures).map(|finder| finder.query);
            views.push(View::Referred { rule, query });
        }
    }
    for (place, mirror) in rules.mirrors.iter().enumerate() {
        let rule = MirrorId(place);
        if mirror.source == entity && mirror.mode != Mode::Off {
            let pair = Pair::of_source(rules, rule, captures);
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

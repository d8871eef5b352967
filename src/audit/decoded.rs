//! The facts of any item, with the functions that decide for the engine, too.

use super::fact::{Fact, Location};
use super::hash::{ContentHash, KeyHasher};
use crate::data::{Item, Key, KeyValue, into_owned};
use crate::integrity::expiry::is_expired;
use crate::integrity::index::Projection;
use crate::integrity::index::{Index, Role};
use crate::integrity::membership;
use crate::integrity::mirror::{self, Pair, Standing};
use crate::integrity::nearest::Stray;
use crate::integrity::reference::{ReferenceState, evaluate, is_expired_target, is_target, others};
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules, TableId};

/// Finds the facts of items whose attributes are decoded.
#[derive(Debug)]
pub(super) struct Decoded<'r> {
    rules: &'r Rules,
    index: &'r Index,
    hasher: KeyHasher,
    now_ms: i64,
    /// The entities of the last item.
    pub(super) entities: Vec<EntityId>,
    /// The first item that belongs to no entity.
    pub(super) stray: Option<(Location, Stray)>,
}

impl<'r> Decoded<'r> {
    /// Finds facts by these rules, at this time in milliseconds since 1970.
    pub(super) fn new(rules: &'r Rules, index: &'r Index, now_ms: i64) -> Self {
        let (entities, stray) = (Vec::new(), None);
        Self { rules, index, hasher: KeyHasher::default(), now_ms, entities, stray }
    }

    /// Appends the facts of an item. `attributes` returns those of its attributes that the rules
    /// look at; only its errors are returned.
    pub(super) fn facts<'i, E>(
        &mut self,
        at: Location,
        table: TableId,
        key: &Key<'_>,
        attributes: impl FnOnce(&Projection) -> Result<Item<'i>, E>,
        out: &mut Vec<Fact>,
    ) -> Result<(), E> {
        let (rules, index) = (self.rules, self.index);
        let entities: Vec<_> = index.matching(rules, table, key).collect();
        let item = attributes(&membership::projection(rules, index, table, key))?;
        let hash = self.hasher.item(table, key);
        let mut referenced = entities.iter().filter(|(id, _)| self.is_referenced(*id, &item));
        let entity = referenced.next().map(|(id, _)| *id);
        let also: Vec<EntityId> = referenced.map(|(id, _)| *id).collect();
        out.push(Fact::Item { item: hash, entity, at });
        out.extend(also.into_iter().map(|entity| Fact::AlsoIs { item: hash, entity }));
        if entities.iter().any(|(id, _)| self.is_expired_target(*id, &item)) {
            out.push(Fact::Expired { item: hash });
        }
        for (id, captures) in &entities {
            for role in index.roles(*id) {
                self.apply(*role, captures, &item, key, at, out);
            }
        }
        self.entities.clear();
        self.entities.extend(membership::entities(rules, index, table, key, &item));
        if self.entities.is_empty() {
            out.push(Fact::Unknown { at });
            self.stray.get_or_insert_with(|| {
                let key = key.clone().into_owned();
                (at, Stray { table, key, attributes: into_owned(item.clone()) })
            });
        }
        Ok(())
    }

    /// Whether the item belongs to this entity and a rule references the entity.
    fn is_referenced(&self, entity: EntityId, item: &Item<'_>) -> bool {
        let is_referenced = |role: &Role| matches!(role, Role::Referenced(_));
        self.index.roles(entity).iter().any(is_referenced) && self.is_current(entity, item)
    }

    /// Whether the item belongs to this entity, and counts as existing at the time of the audit.
    fn is_current(&self, entity: EntityId, item: &Item<'_>) -> bool {
        let entity = &self.rules[entity];
        entity.admits(item) && entity.is_current(item, self.now_ms)
    }

    /// Whether the item has expired, and a rule that references this entity treats it as absent.
    fn is_expired_target(&self, entity: EntityId, item: &Item<'_>) -> bool {
        self.is_current(entity, item)
            && self.index.roles(entity).iter().any(|role| match role {
                Role::Referenced(rule) => is_expired_target(self.rules, *rule, item, self.now_ms),
                Role::Referencing(_) | Role::Source(_) | Role::Mirror(_) => false,
            })
    }

    /// Appends the facts of an item's role.
    fn apply(
        &mut self,
        role: Role,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        key: &Key<'_>,
        at: Location,
        out: &mut Vec<Fact>,
    ) {
        match role {
            Role::Referenced(id) => out.extend(self.in_index(id, item)),
            Role::Referencing(id) => self.referencing(id, captures, item, at, out),
            Role::Source(id) => out.extend(self.source(id, captures, item, at)),
            Role::Mirror(id) => out.extend(self.mirror(id, captures, item, key, at)),
        }
    }

    /// The item by the key of an index, if a reference knows it by this key.
    fn in_index(&mut self, rule: ReferenceId, item: &Item<'_>) -> Option<Fact> {
        let to = self.rules[rule].to;
        let view = self.rules.view(to)?;
        let key = view.key_of(item)?;
        if !is_target(self.rules, rule, item, self.now_ms) {
            return None;
        }
        Some(Fact::AlsoIs { item: self.hasher.item(view.entity.table, &key), entity: to })
    }

    fn referencing(
        &mut self,
        rule: ReferenceId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        at: Location,
        out: &mut Vec<Fact>,
    ) {
        let (rules, reference) = (self.rules, &self.rules[rule]);
        if !rules[reference.from].admits(item) {
            return;
        }
        let table = rules[reference.to].table;
        for value in evaluate(rules, reference, captures, item) {
            let ReferenceState::Refers(key) = &value.state else {
                out.push(Fact::Malformed { rule, at });
                continue;
            };
            let first = self.hasher.item(table, key);
            out.push(Fact::Refers { target: first, rule, at });
            let others: Vec<_> = others(rules, rule, key).collect();
            for rule in reference.alternative.others.iter().map(|other| other.rule) {
                let key = others.iter().find(|(other, _)| *other == rule).map(|(_, key)| key);
                let table = rules.referenced(rule).table;
                // An entity that cannot have such a key has no such item.
                let target = key.map_or(first.of_nothing(), |key| self.hasher.item(table, key));
                out.push(Fact::OrRefers { target, first, rule, at });
            }
        }
    }

    fn source(
        &mut self,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        at: Location,
    ) -> Option<Fact> {
        // Without a key, there can be no mirror: the stream rejects such a source.
        let pair = Pair::of_source(self.rules, rule, captures, Some(item)).ok()??;
        let expected = mirror::expected(self.rules, &pair, Some(item))?;
        let (mirror, content) =
            (self.hasher.mirror(rule, &pair.mirror), ContentHash::of(&expected));
        let has_expired = is_expired(self.rules, self.rules[rule].source, item, self.now_ms);
        Some(Fact::Requires { mirror, content, rule, at, has_expired })
    }

    fn mirror(
        &mut self,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        key: &Key<'_>,
        at: Location,
    ) -> Option<Fact> {
        // The rule ignores keys that no source can produce.
        Pair::of_mirror(self.rules, rule, captures).ok()?;
        let standing = Standing::of(self.rules, rule, Some(item));
        let mirror = self.hasher.mirror(rule, key);
        let content = ContentHash::of(item);
        Some(Fact::IsMirror { mirror, content, standing, rule, at })
    }
}

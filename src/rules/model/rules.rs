//! The checked content of a rule file.

#[cfg(feature = "cli")]
use std::hash::{Hash as _, Hasher as _};
use std::ops::Index;

#[cfg(feature = "cli")]
use twox_hash::XxHash3_64;

use super::alternative::Alternative;
use super::entity::Entity;
use super::ids::{EntityId, MirrorId, ReferenceId, TableId};
use super::mirror::Mirror;
use super::mode::Mode;
use super::reference::Reference;
use super::table::Table;
use super::view::View;
use crate::data::KeySchema;

/// The checked content of a rule file. All vectors are in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    /// The tables.
    pub tables: Vec<Table>,
    /// The kinds of item. One in several tables is one entity for each of them: they have the same
    /// name, and follow each other.
    pub entities: Vec<Entity>,
    /// The foreign keys. The alternatives of a rule follow each other. If the referencing entity has
    /// several tables, this is so for each of them, under the same name.
    pub references: Vec<Reference>,
    /// The mirror rules. If the source has several tables, a rule is here for each of them.
    pub mirrors: Vec<Mirror>,
    /// The entities that references know by the key of an index. Their ids follow those of the
    /// tables and of the entities.
    pub views: Vec<View>,
}

impl Rules {
    /// Sets the mode of every rule that is not off.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        let references = self.references.iter_mut().map(|reference| &mut reference.mode);
        let mirrors = self.mirrors.iter_mut().map(|mirror| &mut mirror.mode);
        for rule in references.chain(mirrors).filter(|rule| **rule != Mode::Off) {
            *rule = mode;
        }
        self
    }

    /// A hash of everything that the rules say, as hexadecimal digits. Files that depend on the
    /// rules contain it, so that they are not used with others.
    ///
    /// Comments and formatting of the rule file do not matter. Another release may compute another
    /// hash.
    #[cfg(feature = "cli")]
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = XxHash3_64::default();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The table with this name in DynamoDB.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<(TableId, &KeySchema)> {
        let index = self.tables.iter().position(|table| table.name == name)?;
        Some((TableId(index), &self.tables.get(index)?.key))
    }

    /// The names of all tables in DynamoDB, for messages.
    #[must_use]
    pub fn table_names(&self) -> String {
        let names: Vec<_> = self.tables.iter().map(|table| format!("`{}`", table.name)).collect();
        names.join(", ")
    }

    /// The table of an entity.
    #[must_use]
    pub fn table_of(&self, entity: EntityId) -> &Table {
        &self[self[entity].table]
    }

    /// The referencing entity of a reference.
    #[must_use]
    pub fn referencing(&self, rule: ReferenceId) -> &Entity {
        &self[self[rule].from]
    }

    /// The referenced entity of a reference.
    #[must_use]
    pub fn referenced(&self, rule: ReferenceId) -> &Entity {
        &self[self[rule].to]
    }

    /// The rules for references, each by the id of its first alternative in its first table.
    pub fn reference_rules(&self) -> impl Iterator<Item = (ReferenceId, &Reference)> {
        let rules = first_of_each_name(&self.references, |rule| &rule.name);
        rules.map(|(index, rule)| (ReferenceId(index), rule))
    }

    /// The mirror rules, each by its id for the first table of its source.
    pub fn mirror_rules(&self) -> impl Iterator<Item = (MirrorId, &Mirror)> {
        let rules = first_of_each_name(&self.mirrors, |rule| &rule.name);
        rules.map(|(index, rule)| (MirrorId(index), rule))
    }

    /// The references that are the rule with this name: its alternatives for each table of the
    /// referencing entity.
    pub fn references_named(&self, name: &str) -> impl Iterator<Item = (ReferenceId, &Reference)> {
        let all = (0..).map(ReferenceId).zip(&self.references);
        all.filter(move |(_, reference)| reference.name == name)
    }

    /// The mirrors that are the rule with this name: one for each table of the source.
    pub fn mirrors_named(&self, name: &str) -> impl Iterator<Item = (MirrorId, &Mirror)> {
        (0..).map(MirrorId).zip(&self.mirrors).filter(move |(_, mirror)| mirror.name == name)
    }

    /// The entities with this name: one for each of its tables.
    pub fn entities_named(&self, name: &str) -> impl Iterator<Item = (EntityId, &Entity)> {
        (0..).map(EntityId).zip(&self.entities).filter(move |(_, entity)| entity.name == name)
    }

    /// Whether an entity is in several tables.
    #[must_use]
    pub fn has_several_tables(&self, entity: EntityId) -> bool {
        self.entities_named(&self[entity].name).count() > 1
    }

    /// The alternatives of the rule that a reference belongs to, including itself, for the table of
    /// its referencing items.
    pub fn alternatives(
        &self,
        rule: ReferenceId,
    ) -> impl Iterator<Item = (ReferenceId, &Reference)> + Clone {
        let Alternative { first, count, .. } = &self[rule].alternative;
        let all = (first.0..).map(ReferenceId).zip(self.references.iter().skip(first.0));
        all.take(*count)
    }

    /// The view that a reference leads to, if the referenced entity is one.
    #[must_use]
    pub fn view(&self, entity: EntityId) -> Option<&View> {
        self.views.get(entity.0.checked_sub(self.entities.len())?)
    }

    /// The entity of the items that a reference to this one leads to: of a view, the declared entity.
    #[must_use]
    pub fn declared(&self, entity: EntityId) -> EntityId {
        self.view(entity).map_or(entity, |view| view.of)
    }

    /// Whether a table is a declared one, and not that of a view.
    #[must_use]
    pub const fn is_declared(&self, table: TableId) -> bool {
        table.0 < self.tables.len()
    }

    /// The source entity of a mirror rule.
    #[must_use]
    pub fn source_of(&self, rule: MirrorId) -> &Entity {
        &self[self[rule].source]
    }

    /// The mirror entity of a mirror rule.
    #[must_use]
    pub fn mirror_of(&self, rule: MirrorId) -> &Entity {
        &self[self[rule].mirror]
    }

    /// The key schema of an entity's table.
    #[must_use]
    pub fn key_schema(&self, entity: EntityId) -> &KeySchema {
        &self.table_of(entity).key
    }
}

/// Each rule by its index, once for all its tables and alternatives, which follow one another.
fn first_of_each_name<T>(rules: &[T], name: fn(&T) -> &str) -> impl Iterator<Item = (usize, &T)> {
    let before = std::iter::once(None).chain(rules.iter().map(Some));
    let first =
        rules.iter().enumerate().zip(before).filter(move |((_, rule), before)| {
            before.is_none_or(|before| name(before) != name(rule))
        });
    first.map(|(rule, _)| rule)
}

impl Index<TableId> for Rules {
    type Output = Table;

    #[expect(clippy::indexing_slicing, reason = "an id is an index into these rules")]
    fn index(&self, id: TableId) -> &Table {
        match id.0.checked_sub(self.tables.len()) {
            None => &self.tables[id.0],
            Some(view) => &self.views[view].table,
        }
    }
}

impl Index<EntityId> for Rules {
    type Output = Entity;

    #[expect(clippy::indexing_slicing, reason = "an id is an index into these rules")]
    fn index(&self, id: EntityId) -> &Entity {
        match id.0.checked_sub(self.entities.len()) {
            None => &self.entities[id.0],
            Some(view) => &self.views[view].entity,
        }
    }
}

impl Index<ReferenceId> for Rules {
    type Output = Reference;

    #[expect(clippy::indexing_slicing, reason = "an id is an index into these rules")]
    fn index(&self, id: ReferenceId) -> &Reference {
        &self.references[id.0]
    }
}

impl Index<MirrorId> for Rules {
    type Output = Mirror;

    #[expect(clippy::indexing_slicing, reason = "an id is an index into these rules")]
    fn index(&self, id: MirrorId) -> &Mirror {
        &self.mirrors[id.0]
    }
}

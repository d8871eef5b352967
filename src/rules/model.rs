//! The rules, checked: every name resolved, every type agreed.
//!
//! Invariant: a [`Rules`] that exists is sound. Ids index the vectors they belong to, an entity's
//! key has its table's shape, a reference has a component for each capture of its target's key.

use std::collections::BTreeMap;
use std::ops::Index;
use std::time::Duration;

use super::template::{EntityKey, KeyTemplate};
use crate::data::{Item, KeySchema, Path, Type, Value};

/// A table's place in [`Rules::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub usize);

/// An entity's place in [`Rules::entities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub usize);

/// A reference's place in [`Rules::references`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId(pub usize);

/// A mirror's place in [`Rules::mirrors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MirrorId(pub usize);

/// A whole rule file, checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The tables, in the order of the file.
    pub tables: Vec<Table>,
    /// The kinds of item.
    pub entities: Vec<Entity>,
    /// The foreign keys.
    pub references: Vec<Reference>,
    /// The derived copies.
    pub mirrors: Vec<Mirror>,
}

impl Rules {
    /// The same rules with every rule that is on in this mode. A rule that is off stays off.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        let references = self.references.iter_mut().map(|reference| &mut reference.mode);
        let mirrors = self.mirrors.iter_mut().map(|mirror| &mut mirror.mode);
        for rule in references.chain(mirrors).filter(|rule| **rule != Mode::Off) {
            *rule = mode;
        }
        self
    }

    /// The table with this name in DynamoDB.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<(TableId, &KeySchema)> {
        let place = self.tables.iter().position(|table| table.name == name)?;
        Some((TableId(place), &self.tables.get(place)?.key))
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

    /// The entity whose items make a reference.
    #[must_use]
    pub fn referencing(&self, rule: ReferenceId) -> &Entity {
        &self[self[rule].from]
    }

    /// The entity whose items a reference refers to.
    #[must_use]
    pub fn referenced(&self, rule: ReferenceId) -> &Entity {
        &self[self[rule].to]
    }

    /// The entity whose items a rule mirrors.
    #[must_use]
    pub fn source_of(&self, rule: MirrorId) -> &Entity {
        &self[self[rule].source]
    }

    /// The entity whose items are a rule's mirrors.
    #[must_use]
    pub fn mirror_of(&self, rule: MirrorId) -> &Entity {
        &self[self[rule].mirror]
    }

    /// The key schema of an entity's table.
    #[must_use]
    pub fn key_schema(&self, entity: EntityId) -> &KeySchema {
        &self[self[entity].table].key
    }
}

impl Index<TableId> for Rules {
    type Output = Table;

    #[expect(clippy::indexing_slicing, reason = "an id is a place in these rules")]
    fn index(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }
}

impl Index<EntityId> for Rules {
    type Output = Entity;

    #[expect(clippy::indexing_slicing, reason = "an id is a place in these rules")]
    fn index(&self, id: EntityId) -> &Entity {
        &self.entities[id.0]
    }
}

impl Index<ReferenceId> for Rules {
    type Output = Reference;

    #[expect(clippy::indexing_slicing, reason = "an id is a place in these rules")]
    fn index(&self, id: ReferenceId) -> &Reference {
        &self.references[id.0]
    }
}

impl Index<MirrorId> for Rules {
    type Output = Mirror;

    #[expect(clippy::indexing_slicing, reason = "an id is a place in these rules")]
    fn index(&self, id: MirrorId) -> &Mirror {
        &self.mirrors[id.0]
    }
}

/// A table that the rules watch or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name that the rule file gives it.
    pub alias: String,
    /// The table's own name in DynamoDB.
    pub name: String,
    /// Its primary key.
    pub key: KeySchema,
    /// The character that ends a capture in key templates.
    pub separator: char,
    /// The indexes that the rules look things up by.
    pub indexes: Vec<TableIndex>,
}

/// A global secondary index, as far as the rules tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableIndex {
    /// The index's name.
    pub name: String,
    /// Its key.
    pub key: KeySchema,
}

/// A kind of item: the keys it has, and what tells it from others with the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// The entity's name.
    pub name: String,
    /// The table whose items these are.
    pub table: TableId,
    /// The templates of its key.
    pub key: EntityKey,
    /// The attributes that rules use, by path.
    pub attributes: BTreeMap<Path, Type>,
    /// What an item of this kind holds besides: a value for each of these paths.
    pub conditions: Vec<(Path, Value<'static>)>,
}

impl Entity {
    /// Whether an item with a matching key is of this kind.
    #[must_use]
    pub fn admits(&self, item: &Item<'_>) -> bool {
        self.conditions.iter().all(|(path, value)| path.lookup(item) == Some(value))
    }
}

/// What a rule does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The rule is not evaluated.
    Off,
    /// Violations are reported, with what would be done about them.
    Observe,
    /// Violations are reported, and the rule's writes are made.
    #[default]
    Enforce,
}

impl Mode {
    /// The mode of this name in the rule file.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "observe" => Some(Self::Observe),
            "enforce" => Some(Self::Enforce),
            _ => None,
        }
    }
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// Counts as a violation.
    #[default]
    Error,
    /// Counts as a warning, and is no reason for exit code 1.
    Warn,
}

impl Severity {
    /// The name that the rule file and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The rule's name.
    pub name: String,
    /// The entity that refers.
    pub from: EntityId,
    /// The entity that is referred to.
    pub to: EntityId,
    /// Where the value of each capture of the referenced key comes from, in the order of
    /// [`EntityKey::captures`].
    pub components: Vec<Source>,
    /// What a composite reference with some parts missing means.
    pub matching: Matching,
    /// Whether a missing reference is a violation.
    pub required: bool,
    /// What is done when the referenced item does not exist.
    pub on_missing: OnMissing,
    /// What is done when the referenced item is deleted while others refer to it.
    pub on_delete: OnDelete,
    /// The same, for a delete made by TTL.
    pub on_ttl_delete: OnDelete,
    /// For each of [`Self::components`], the value that `set_default` sets; nothing for those that
    /// come from the key, nor without a default.
    pub defaults: Vec<Option<Value<'static>>>,
    /// How the referencing items of a deleted target are found.
    pub find: Find,
    /// How long a dangling reference may last before it counts.
    pub grace: Duration,
    /// What the rule does.
    pub mode: Mode,
    /// How much its violations weigh.
    pub severity: Severity,
    /// How many items one delete may touch.
    pub fanout_max: u64,
    /// How many levels deep a cascade may go that leads from items to others of the same kind.
    pub depth_max: u64,
}

impl Reference {
    /// Whether it refers once for each element of a list or set.
    #[must_use]
    pub fn has_elements(&self) -> bool {
        self.components.iter().any(|source| matches!(source, Source::Elements(..)))
    }

    /// The paths of the attributes that it is made of, besides the key.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.components.iter().filter_map(Source::path)
    }

    /// What is done when the referenced item is deleted, by whomever.
    #[must_use]
    pub fn on_deletes(&self) -> [OnDelete; 2] {
        [self.on_delete, self.on_ttl_delete]
    }

    /// Whether deletes by the rule may cause others by the same rule.
    #[must_use]
    pub fn is_recursive(&self) -> bool {
        self.from == self.to && self.on_deletes().contains(&OnDelete::Cascade)
    }
}

/// Where one part of a reference comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A capture of the referencing item's own key, by its place in [`EntityKey::captures`].
    Capture(usize),
    /// The value at a path.
    Attribute(Path, Type),
    /// Each element of the list or set at a path.
    Elements(Path, Type),
}

impl Source {
    /// Where in the referencing item it is; nothing for a part of its key.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Capture(_) => None,
            Self::Attribute(path, _) | Self::Elements(path, _) => Some(path),
        }
    }
}

/// What a composite reference with some parts missing means: SQL's `MATCH`.
///
/// <https://www.postgresql.org/docs/current/sql-createtable.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// It is not checked.
    #[default]
    Simple,
    /// All parts are there, or none.
    Full,
}

/// What is done when the referenced item does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissing {
    /// It is reported.
    #[default]
    Report,
    /// The referencing item is deleted.
    Delete,
    /// The attributes of the reference are removed.
    Unset,
    /// The reference is set to its default.
    SetDefault,
    /// What was written is undone: an update goes back to the image before it, an insert is
    /// deleted.
    Revert,
}

/// What is done when a referenced item is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDelete {
    /// The items left behind are reported.
    #[default]
    Report,
    /// They are deleted.
    Cascade,
    /// The attributes of their references are removed.
    Unset,
    /// Their references are set to the default.
    SetDefault,
    /// The referenced item is written again.
    Restore,
    /// Nothing: the items left behind are as they should be.
    Ignore,
}

/// How the referencing items of a deleted target are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// The referenced key fixes their partition key: a strongly consistent query.
    Derived,
    /// Through a global secondary index, whose key is built from the referenced key's captures.
    Index {
        /// The index, by its place in the referencing table's [`Table::indexes`].
        index: usize,
        /// The value of the index's partition key.
        partition: KeyTemplate,
        /// What the index's sort key is or begins with.
        sort: Option<KeyTemplate>,
    },
    /// Through the mirrors of the referencing items.
    Mirror(MirrorId),
    /// Not at all.
    None,
}

/// A derived copy of each item of an entity, at another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The rule's name.
    pub name: String,
    /// The entity that the application writes.
    pub source: EntityId,
    /// The entity that Referee writes.
    pub mirror: EntityId,
    /// For each capture of the mirror's key, its place among the source's captures.
    pub mirror_from_source: Vec<usize>,
    /// For each capture of the source's key, its place among the mirror's captures.
    pub source_from_mirror: Vec<usize>,
    /// The attributes copied.
    pub copy: Copied,
    /// What happens when someone else deletes a mirror.
    pub on_mirror_delete: OnMirrorDelete,
    /// What happens when someone else changes or creates a mirror.
    pub on_mirror_edit: OnMirrorEdit,
    /// Whether an item that Referee did not write may be overwritten at a mirror's key.
    pub adopt: bool,
    /// What the rule does.
    pub mode: Mode,
    /// How much its violations weigh.
    pub severity: Severity,
}

/// The attributes that a mirror copies. Key attributes and the reserved mark are never copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Copied {
    /// All of them.
    #[default]
    All,
    /// None: the mirror has its key alone.
    None,
    /// These.
    List(Vec<String>),
}

/// What happens when someone else deletes a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMirrorDelete {
    /// It is written again.
    #[default]
    Restore,
    /// Its source is deleted.
    DeleteSource,
    /// It is reported.
    Report,
}

/// What happens when someone else changes or creates a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMirrorEdit {
    /// It is written again as its source says.
    #[default]
    Overwrite,
    /// It is reported.
    Report,
}

//! References: the foreign keys.

use std::time::Duration;

use super::ids::{EntityId, MirrorId};
use super::mode::{Mode, Severity};
use crate::data::{Path, Type, Value};
use crate::rules::template::KeyTemplate;

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

//! Mirror rules, which maintain copies of items.

use super::ids::EntityId;
use super::mode::{Mode, Severity};

/// A rule that keeps a copy of each item of an entity at another key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mirror {
    /// The rule's name.
    pub name: String,
    /// The rule's former name, under which it may have written mirror items.
    pub was: Option<String>,
    /// The entity that the application writes.
    pub source: EntityId,
    /// The entity that Referee writes.
    pub mirror: EntityId,
    /// For each capture of the mirror's key, its index among the source's captures.
    pub mirror_from_source: Vec<usize>,
    /// For each capture of the source's key, its index among the mirror's captures.
    pub source_from_mirror: Vec<usize>,
    /// The attributes to copy.
    pub copy: Copied,
    /// The action when a writer other than Referee deletes a mirror item.
    pub on_mirror_delete: OnMirrorDelete,
    /// The action when a writer other than Referee changes or creates a mirror item.
    pub on_mirror_edit: OnMirrorEdit,
    /// Whether the rule may overwrite an item at a mirror's key that Referee did not write.
    pub adopt: bool,
    /// Whether the rule is evaluated, and whether it writes.
    pub mode: Mode,
    /// Whether the rule's violations count as errors or warnings.
    pub severity: Severity,
}

/// The attributes that a mirror rule copies. It never copies key attributes or the reserved
/// attribute `_referee`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Copied {
    /// All attributes.
    All,
    /// All attributes except these.
    Except(Vec<String>),
    /// No attributes of the source item.
    None,
    /// These attributes.
    List(Vec<String>),
}

/// The action when a writer other than Referee deletes a mirror item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnMirrorDelete {
    /// Write the mirror item again.
    Restore,
    /// Delete the source item.
    DeleteSource,
    /// Report it.
    Report,
}

impl OnMirrorDelete {
    /// Every action.
    pub(crate) const ALL: [Self; 3] = [Self::Restore, Self::DeleteSource, Self::Report];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::DeleteSource => "delete_source",
            Self::Report => "report",
        }
    }
}

/// The action when a writer other than Referee changes or creates a mirror item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnMirrorEdit {
    /// Write the mirror item again, from its source item.
    Overwrite,
    /// Report it.
    Report,
}

impl OnMirrorEdit {
    /// Every action.
    pub(crate) const ALL: [Self; 2] = [Self::Overwrite, Self::Report];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::Report => "report",
        }
    }
}

//! Mirrors: the derived copies.

use super::ids::EntityId;
use super::mode::{Mode, Severity};

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

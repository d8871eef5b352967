//! What a write does to its item, for output.

use crate::integrity::finding::ItemName;

/// A write of one item, made or planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemWrite {
    /// What it does.
    pub(crate) operation: Operation,
    /// The item.
    pub(crate) item: ItemName,
    /// What an update changes, in the syntax of an update expression.
    pub(crate) detail: Option<String>,
}

/// What a write does to its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Writes the complete item.
    Put,
    /// Changes some attributes.
    Update,
    /// Deletes the item.
    Delete,
}

impl Operation {
    /// The name that output uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

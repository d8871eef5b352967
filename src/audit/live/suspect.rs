//! Suspects of a live audit, by the keys of their items.

use crate::data::Key;
use crate::rules::model::{MirrorId, ReferenceId, TableId};

/// What looked wrong in a scan, by the keys of the items to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspect {
    /// An item with a reference that is malformed, incomplete, or has no target.
    Reference {
        /// The reference.
        rule: ReferenceId,
        /// The referencing item's key.
        key: Key<'static>,
    },
    /// A mirror that differs from what its source requires.
    Mirror {
        /// The rule.
        rule: MirrorId,
        /// The mirror's key.
        mirror: Key<'static>,
        /// The source's key.
        source: Key<'static>,
    },
    /// A source whose mirror differs from what it requires, if the mirror's key depends on attributes
    /// of the source.
    Source {
        /// The rule.
        rule: MirrorId,
        /// The source's key.
        source: Key<'static>,
    },
    /// An item that belongs to no entity.
    Unknown {
        /// The item's table.
        table: TableId,
        /// The item's key.
        key: Key<'static>,
    },
}

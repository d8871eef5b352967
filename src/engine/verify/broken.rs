//! Violations that the second look has confirmed.

use crate::data::Item;
use crate::engine::detect::MirrorSuspect;
use crate::engine::event::change::Cause;
use crate::integrity::change::Change;
use crate::integrity::finding::{ItemName, Unmet};
use crate::integrity::mirror::Difference;
use crate::integrity::reference::ReferenceValue;
use crate::rules::model::ReferenceId;

/// A malformed or incomplete reference, or one whose target does not exist.
#[derive(Debug, Clone)]
pub(crate) struct BrokenReference<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) value: ReferenceValue,
    /// The referencing item.
    pub(crate) item: ItemName,
    /// The referencing item's image when it was read.
    pub(crate) image: Item<'static>,
    /// The condition that the item at the referenced key does not meet, if an item is there.
    pub(crate) unmet: Option<Unmet>,
    /// The change that added the reference, if it is known.
    pub(crate) change: Option<&'h Change<'h>>,
    pub(crate) cause: Cause<'h>,
}

/// A mirror that differs from what its source requires.
#[derive(Debug)]
pub(crate) struct BrokenMirror<'h> {
    pub(crate) suspect: MirrorSuspect<'h>,
    pub(crate) difference: Difference,
}

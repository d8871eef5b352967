//! Obstacles: why an item was not repaired, as typed values.

use crate::integrity::finding::Defect;

/// Why an item that should be repaired was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The item that the default refers to does not exist either.
    ReplacementMissing,
    /// The write cannot be undone.
    CannotRevert(RevertObstacle),
    /// Another item is at the key of the item to be restored.
    KeyTaken,
    /// The item to be restored has expired, and the rule treats expired items as absent.
    Expired,
    /// The last image of the item to be restored is not known: the item was deleted together with
    /// the mirrors that lead to its referencing items, and only their records are in the batch.
    ImageUnknown,
    /// DynamoDB refuses the write, with this message.
    Refused(String),
}

/// Why a write cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertObstacle {
    /// The item has changed since.
    Changed,
    /// An audit or a lookup found the item; the write that made the reference is not known.
    WriteUnknown,
    /// The item no longer exists.
    Gone,
    /// The item's previous version violates a rule too.
    BrokenBefore(Defect),
    /// The item's previous version refers to more items than one transaction can check.
    TooManyReferences,
}

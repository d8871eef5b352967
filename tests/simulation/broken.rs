//! Referee with one part broken. The simulation must detect this, or it would prove nothing.

use referee::data::{Item, Path};
use referee::store::{Action, Condition, Write};

use crate::past::By;

/// A part that Referee needs to be correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A repair checks that its target is still missing.
    Guards,
    /// A write is made only if the item has not changed since it was read.
    Conditions,
    /// The function receives the records of its own writes.
    Verification,
    /// The items that refer to a deleted item are found.
    Finding,
    /// Reads return the items that exist.
    Reading,
    /// Violations are reported.
    Reporting,
    /// Repairs are logged before their writes.
    Logging,
    /// A failed batch is redelivered.
    Redelivery,
    /// Records that the event source mapping discarded are replayed.
    Replay,
    /// A queue delivers what it has accepted.
    Queue,
    /// A repair, and so a backfill, writes only what is as in its plan.
    RepairConditions,
    /// An undo takes a write back only if the item is as the write left it.
    UndoConditions,
}

/// Returns the write that is made instead of this one if a part is broken.
pub(crate) fn weakened(write: Write, broken: Option<Part>, by: By) -> Write {
    let is_check = matches!(write.action, Action::Check(_));
    let condition = match broken {
        Some(Part::RepairConditions) if by == By::Repair && !is_check => None,
        Some(Part::UndoConditions) if by == By::Undo => None,
        Some(Part::Guards) if is_check => {
            Some(Condition::NotExists(Path::attribute("nobody has this")))
        }
        Some(Part::Conditions) if !is_check => None,
        _ => write.condition,
    };
    Write { condition, ..write }
}

/// Returns the items that a read returns if a part is broken.
pub(crate) fn misread(
    items: Vec<Option<Item<'static>>>,
    broken: Option<Part>,
) -> Vec<Option<Item<'static>>> {
    match broken {
        Some(Part::Reading) => items.into_iter().map(|_| None).collect(),
        _ => items,
    }
}

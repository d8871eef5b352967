//! Referee with a part of it broken: what the simulation must notice, or it would prove nothing.

use referee::data::{Item, Path};
use referee::store::{Action, Condition, Write};

/// A part without which Referee is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A repair asks whether its target is still missing.
    Guards,
    /// What is written is written only where the item is what it was taken for.
    Conditions,
    /// The function's own writes come by it.
    Verification,
    /// Those who refer to what is gone are looked for.
    Finding,
    /// What was read is what is there.
    Reading,
    /// What was found is told.
    Telling,
    /// What has not been answered is delivered again.
    Redelivery,
    /// What the mapping has given up is replayed.
    Replay,
}

/// A write as it is made without a part.
pub(crate) fn weakened(write: Write, broken: Option<Part>) -> Write {
    let is_check = matches!(write.action, Action::Check(_));
    let condition = match broken {
        Some(Part::Guards) if is_check => {
            Some(Condition::NotExists(Path::attribute("nobody has this")))
        }
        Some(Part::Conditions) if !is_check => None,
        _ => write.condition,
    };
    Write { condition, ..write }
}

/// What is read without a part.
pub(crate) fn misread(
    items: Vec<Option<Item<'static>>>,
    broken: Option<Part>,
) -> Vec<Option<Item<'static>>> {
    match broken {
        Some(Part::Reading) => items.into_iter().map(|_| None).collect(),
        _ => items,
    }
}

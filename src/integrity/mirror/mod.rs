//! Mirrors: what they must be, how they are written, and how they are verified.
//!
//! A change of a source writes its mirror from the record's own image: one write, no read. A
//! change of a mirror, the echo of our own write included, reads the source and puts right what
//! differs: that makes late-landing writes, and edits and deletes by others, converge.

mod compare;
mod content;
mod mark;
mod write;

pub(crate) use compare::{BLOCKED, Fix, Judgement, Removed, Verdict, judge, removal, verify};
pub(crate) use content::{Pair, expected, is_unchanged};
pub(crate) use mark::Mark;
#[cfg(feature = "cli")]
pub(crate) use mark::{is_of, lowest_fence};
pub(crate) use write::{Step, steps_of_change, steps_of_fix};

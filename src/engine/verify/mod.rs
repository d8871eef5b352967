//! Verifying what looks wrong: a first look at once, a second one after the grace period.
//!
//! Each kind of suspect asks its own questions of the tables ([`question`]), and the questions of a
//! whole batch are read together.

mod broken;
mod first_look;
mod mirror_gap;
mod question;
mod second_look;
mod suspects;

pub(crate) use broken::{BrokenMirror, BrokenReference};
pub(crate) use first_look::{OutdatedMirror, first_look};
pub(crate) use mirror_gap::references_in_gaps;
pub(crate) use second_look::second_look;
pub(crate) use suspects::Suspects;

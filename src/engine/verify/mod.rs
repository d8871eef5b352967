//! Verifies what looks wrong, with a first look at once and a second one after the grace period.
//!
//! Each kind of work asks its own questions about the tables ([`question`]). The items that all
//! questions of a batch ask for are read together.

mod at_rest;
mod broken;
mod first_look;
mod mirror_gap;
mod question;
mod refused;
mod second_look;
mod suspects;

pub(crate) use at_rest::{first_look_at_rest, second_look_at_rest};
pub(crate) use broken::{BrokenMirror, BrokenReference};
pub(crate) use first_look::{OutdatedMirror, first_look};
pub(crate) use mirror_gap::{MirrorGap, MissingInGap, deletes_in_gaps, look_in_gaps};
pub(crate) use refused::{RefusedWrite, newest};
pub(crate) use second_look::{look_again, second_look};
pub(crate) use suspects::{Suspect, Suspects, gap_references, longest_grace_ms};

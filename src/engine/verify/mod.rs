//! Verifying what looks wrong: a first look at once, a second after the grace.

pub(crate) mod first_look;
pub(crate) mod mirror_gap;
pub(crate) mod second_look;
pub(crate) mod suspects;

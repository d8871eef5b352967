//! Settling: what was confirmed is reported, and repaired as its rule says.

mod bring_back;
mod cascade;
mod claims;
mod departures;
mod doomed;
mod enforce;

pub(crate) use claims::{Held, HeldItem, settle_claims};
pub(crate) use departures::{Settled, settle_departures};
pub(crate) use doomed::settle_doomed;
pub(crate) use enforce::Fate;

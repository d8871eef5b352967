//! Settling: what was confirmed is reported, and repaired as its rule says.

mod cascade;
mod deletes;
mod marked;
mod references;
mod restore;

pub(crate) use deletes::{Settled, settle_departures};
pub(crate) use marked::settle_doomed;
pub(crate) use references::{Held, HeldItem, settle_claims};

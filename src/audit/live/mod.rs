//! The live audit's reading of real tables.
//!
//! The tables are scanned, eventually consistent, in parallel segments ([`scan`]); how many at a time
//! ([`width`]) and how fast ([`rate`]) is adapted to the tables and limited by the user. Progress is
//! kept in a [`checkpoint`]. What looks wrong afterwards is read again, strongly consistent, before
//! it is reported ([`confirm`]). [`run`] puts these together.

mod accused;
pub mod checkpoint;
pub mod confirm;
pub mod error;
pub mod estimate;
pub(in crate::audit) mod log;
mod look;
pub mod paced;
pub mod rate;
pub mod run;
pub mod scan;
pub mod segments;
pub mod spool;
pub(in crate::audit) mod state;
pub mod suspect;
#[cfg(test)]
mod tests;
pub mod width;

use crate::store::StoreError;

/// Why the work ended early. What was done so far is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupted<E> {
    /// It was stopped.
    Stopped,
    /// Items could not be read.
    Store(StoreError),
    /// What was read could not be stored, or stored suspects could not be read.
    Sink(E),
}

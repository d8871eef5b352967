//! The operations that wait for a store or a clock, independent of streams: reads, queries for
//! referencing items, writes, and guarded transactions.

pub mod clock;
pub mod error;
mod in_index;
pub(crate) mod meter;
pub(crate) mod pass;
pub mod queue;
pub(crate) mod reads;
pub(crate) mod referrers;
pub mod repair_log;
pub mod stop;
#[cfg(any(feature = "aws", feature = "cli"))]
pub mod system_clock;
pub(crate) mod transactions;
pub(crate) mod writes;

//! What waits for a store or a clock and knows no stream: reads, the referencing items of an item,
//! writes, and guarded transactions.

pub mod clock;
pub mod error;
pub(crate) mod meter;
pub(crate) mod pass;
pub(crate) mod reads;
pub(crate) mod referrers;
#[cfg(feature = "aws")]
pub mod system_clock;
pub(crate) mod transactions;
pub(crate) mod writes;

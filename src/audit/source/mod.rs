//! Archives that an audit can read.

mod dump;

pub use dump::Dump;

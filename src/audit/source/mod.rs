//! Archives that an audit can read.

mod dump;
mod exported;
mod rows;

pub use dump::Dump;
pub use exported::Exported;
pub(crate) use rows::{List, Rows};

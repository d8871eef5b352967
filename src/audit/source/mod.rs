//! Archives that an audit can read.

mod dump;
mod exported;

pub use dump::Dump;
pub use exported::Exported;

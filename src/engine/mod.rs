//! The pipeline from a batch of stream records to an outcome.

pub(crate) mod detect;
pub(crate) mod event;
mod process;
pub(crate) mod report;
pub(crate) mod resolve;
pub(crate) mod verify;

pub use self::event::decode::{EventError, Rejected, decode_whole, records};
#[cfg(feature = "lambda")]
pub use self::event::response::{PartialBatchResponse, answer};
pub use self::process::Engine;
pub use self::report::outcome::{HandedBack, Operation, Outcome, WriteMade};
pub use crate::integrity::change::{Change, Origin};
pub use crate::integrity::finding::{ItemName, Kind, Orphans, Response, Violation};
pub use crate::integrity::index::MARK;
pub use crate::integrity::inspect::{Sighting, View, inspect};
#[cfg(feature = "cli")]
pub(crate) use crate::integrity::mirror::{Mark, is_of, lowest_fence};
pub use crate::runtime::clock::Clock;
pub use crate::runtime::error::Fatal;

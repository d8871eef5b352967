//! The pipeline from a batch of stream records to an outcome.
//!
//! A functional core: `reads`, `leads`, `writes`, `confirm`, `hidden` and `settle` wait for the store
//! or the clock, and [`process`](Engine::process) for them; every other module is pure functions
//! from values to values. Store and clock are arguments.

#[cfg(feature = "lambda")]
mod answer;
mod change;
mod coalesce;
mod confirm;
mod decide;
mod decode;
mod hidden;
mod inspect;
mod leads;
mod meter;
mod mirror;
mod outcome;
mod plan;
pub(crate) mod presence;
mod process;
mod reads;
mod reference;
mod repair;
mod report;
mod settle;
mod suspect;
mod violation;
mod work;
mod writes;

#[cfg(feature = "lambda")]
pub use answer::{PartialBatchResponse, answer};
pub use change::{Change, Origin};
pub use decode::{EventError, Rejected, decode_whole, records};
pub use inspect::{Sighting, View, inspect};
#[cfg(feature = "cli")]
pub(crate) use mirror::{Mark, is_of, lowest_fence};
pub use outcome::{HandedBack, Operation, Outcome, WriteMade};
pub use plan::MARK;
pub use process::{Clock, Engine, Fatal};
pub use violation::{ItemName, Kind, Orphans, Response, Violation};

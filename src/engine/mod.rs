//! The pipeline from a batch of stream records to an outcome.
//!
//! `process` shows the whole trip on one page; a folder each holds its stages: the event is decoded,
//! the rules' work is detected, what looks wrong is verified, what is wrong is resolved, and all of
//! it is reported.

mod detect;
mod event;
mod process;
mod report;
mod resolve;
mod verify;

pub use self::event::change::{Origin, StreamChange};
pub use self::event::decode::{EventError, Rejected, decode_whole, records};
#[cfg(feature = "lambda")]
pub use self::event::response::{PartialBatchResponse, answer};
pub use self::process::Engine;
pub use self::report::outcome::{HandedBack, Outcome, WriteMade};
pub use self::report::violation::{Occurrence, Resolution, Response, Violation};

//! The pipeline from a batch of stream records to an outcome.
//!
//! `process` shows all stages on one page, and `audit` those of an audit. Each stage has a folder:
//! `event` decodes Lambda's event, `detect` finds the work that the rules require, `verify` confirms
//! what looks wrong, `recheck` lets suspects wait on a queue, `resolve` repairs what is wrong, and
//! `report` collects the outcome.

mod audit;
mod census;
mod deleted;
mod detect;
mod event;
mod process;
mod recheck;
mod report;
mod resolve;
mod services;
mod verify;

pub use self::audit::{Audited, Part};
pub use self::census::Census;
pub use self::event::batch::{DecodeError, DecodedBatch};
pub use self::event::change::{Origin, StreamChange};
pub use self::event::decode::{EventError, Rejected, decode_whole, records};
pub use self::event::home::Home;
#[cfg(feature = "lambda")]
pub use self::event::response::{PartialBatchResponse, answer};
pub use self::process::Engine;
pub use self::recheck::{Dropped, RecheckError, Rechecked};
pub use self::report::outcome::{HandedBack, Outcome, Unqueued, WriteMade};
pub use self::report::violation::{Occurrence, Resolution, Response, Violation};
pub use self::services::Services;

//! What the tests and benchmarks share: histories, recorded cases, clocks, endpoints, processes,
//! and the oracle that judges the resulting tables.
//!
//! # Layout
//!
//! - [`history`], [`fixture`]: what the application did, written in a test or recorded in `events/`.
//! - `results`, `meanwhile`: the results of a history, and writes by others while it is processed.
//! - [`clocks`]: clocks of engines on the in-memory store.
//! - [`marks`]: removes the numbers of records from a mirror's mark.
//! - [`oracle`]: finds defects in the tables that were not reported, without any of the engine's
//!   code.
//! - [`filter`]: the filter criteria of an event source mapping.
//! - [`policy`]: what an IAM policy allows.
//! - `endpoint`, `stream_setting`: tests on DynamoDB Local.
//! - `runtime_api`: Lambda's Runtime API, and the process of a function.
//! - `tool`, `transcript`: the command-line tool as a process.

#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot continue has failed"
)]

pub mod clocks;
pub mod filter;
pub mod fixture;
pub mod history;
pub mod marks;
pub mod oracle;
pub mod policy;

#[cfg(feature = "suites")]
pub mod endpoint;
#[cfg(feature = "suites")]
pub mod meanwhile;
#[cfg(feature = "suites")]
pub mod results;
#[cfg(feature = "suites")]
pub mod runtime_api;
#[cfg(feature = "suites")]
pub mod tool;
#[cfg(feature = "suites")]
pub mod transcript;

#[cfg(feature = "live")]
pub mod stream_setting;

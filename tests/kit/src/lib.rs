//! Shared code of the tests and benchmarks: histories, recorded cases, clocks, endpoints,
//! processes, and the oracle that judges the resulting tables.
//!
//! # Layout
//!
//! - [`history`], [`fixture`]: the writes of an application, from a test or recorded in `events/`.
//! - `results`, `meanwhile`: the results of a history, and writes by other clients while the engine
//!   processes it.
//! - [`environment`]: the settings of a test run.
//! - [`requests`]: an engine's requests as values.
//! - [`clocks`]: clocks for engines that run on the in-memory store.
//! - [`marks`]: removes the parts of a mirror's mark that depend on records.
//! - [`oracle`]: finds defects in the tables and checks that they were reported, without using any
//!   of the engine's code.
//! - [`planted`]: random tables with violations of every kind.
//! - `repairs`: repairs on the in-memory store, and journals in memory.
//! - [`filter`]: the filter criteria of an event source mapping.
//! - [`policy`]: evaluates which actions an IAM policy allows.
//! - `endpoint`, `aws`, `stream_setting`: tests on DynamoDB Local.
//! - `runtime_api`: Lambda's Runtime API, and the processes of a function.
//! - `tool`, `transcript`: runs the command-line tool, and captures its output.
//! - `export`, `sample`: exports to S3, small ones for tests and a large realistic one.

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
pub mod environment;
pub mod filter;
pub mod fixture;
pub mod history;
pub mod marks;
pub mod oracle;
pub mod planted;
pub mod policy;
pub mod queue;
pub mod requests;

#[cfg(feature = "suites")]
pub mod endpoint;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "suites")]
pub mod meanwhile;
#[cfg(feature = "suites")]
pub mod repairs;
#[cfg(feature = "suites")]
pub mod results;
#[cfg(feature = "suites")]
pub mod runtime_api;
#[cfg(feature = "export")]
pub mod sample;
#[cfg(feature = "suites")]
pub mod tool;
#[cfg(feature = "suites")]
pub mod transcript;

#[cfg(feature = "live")]
pub mod aws;
#[cfg(feature = "live")]
pub mod stream_setting;

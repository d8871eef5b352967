//! Referential integrity for DynamoDB, after the fact.
//!
//! # Layout
//!
//! The data flows one way: decode → match → decide → write → answer.
//!
//! - [`data`]: DynamoDB's data model, borrowed where it can be.
//! - [`rules`]: the rule file: read, checked with all its problems at once, and the model that
//!   everything else runs on.
//! - [`engine`]: the pipeline from a batch of stream records to an outcome.
//! - [`store`]: what the engine asks of a database; the embedded one, and DynamoDB itself.
//! - `lambda`: the Lambda function.
//! - `metrics`: an outcome in numbers, for CloudWatch.
//! - `streams`: the tables' streams, shard by shard.
//! - `watch`: live streams through the engine, without a Lambda.
//! - `replay`: recorded events through the engine, on the embedded store.
//! - `guard`: the transactions in which applications keep references whole themselves.
//! - `iam`: the least privilege that the function needs.
//! - `cli`: the command-line tool.
//! - `aws`, `clock`, `files`: how AWS is reached, the real time, and files written as a whole.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod engine;
#[cfg(any(feature = "cli", feature = "live"))]
mod files;
#[cfg(feature = "cli")]
pub mod guard;
#[cfg(feature = "cli")]
pub mod iam;
pub mod integrity;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "aws")]
pub mod metrics;
pub mod preflight;
#[cfg(feature = "cli")]
pub mod replay;
pub mod rules;
pub mod runtime;
pub mod store;
#[cfg(feature = "live")]
pub mod streams;
#[cfg(feature = "live")]
pub mod watch;
pub mod wording;

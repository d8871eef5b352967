//! Referential integrity for DynamoDB, after the fact.
//!
//! # Layout
//!
//! Data flows in one direction: decode → detect → verify → resolve → report.
//!
//! - [`data`]: DynamoDB's data model: items, keys, numbers, paths.
//! - [`rules`]: reads and validates the rule file, and defines the model of the rules.
//! - [`integrity`]: rules and items without streams: what refers to what, what should exist, what
//!   is wrong, and which write fixes it. Pure functions.
//! - [`runtime`]: the operations that wait for a database or a clock.
//! - [`engine`]: the pipeline from a batch of stream records to an outcome.
//! - [`store`]: the database interface, and its implementations: DynamoDB and an in-memory store.
//! - [`preflight`]: compares the tables in DynamoDB with the rules.
//! - `audit`: checks all items that exist, in files or tables.
//! - [`metrics`]: the numbers of an outcome, for CloudWatch.
//! - `lambda`: the Lambda function.
//! - `streams`: reads the tables' streams.
//! - `watch`: processes live streams without a Lambda function.
//! - `replay`: processes recorded events on the in-memory store.
//! - `account`: what is deployed in an AWS account.
//! - `diagram`: pictures of the rules, and of what is deployed around the function.
//! - `repair`: plans and makes the writes that resolve the findings of an audit, and takes them back.
//! - `guard`: transactions with which applications prevent violations themselves.
//! - `infer`: drafts a rule file from the items of tables.
//! - `iam`: the least privilege that the function needs.
//! - `audit`: the rules over items at rest: exports.
//! - `cli`: the command-line tool.
//! - `aws`, `files`: access to AWS, and atomic replacement of files.

#[cfg(all(feature = "cli", feature = "live"))]
pub mod account;
#[cfg(feature = "cli")]
pub mod audit;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
#[cfg(feature = "cli")]
pub mod diagram;
pub mod engine;
#[cfg(any(feature = "cli", feature = "live"))]
mod files;
#[cfg(feature = "cli")]
pub mod guard;
#[cfg(feature = "cli")]
pub mod iam;
#[cfg(feature = "cli")]
pub mod infer;
pub mod integrity;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod metrics;
pub mod preflight;
#[cfg(feature = "cli")]
pub mod repair;
#[cfg(feature = "cli")]
pub mod replay;
#[cfg(feature = "cli")]
pub mod report;
pub mod rules;
pub mod runtime;
pub mod store;
#[cfg(feature = "live")]
pub mod streams;
#[cfg(feature = "live")]
pub mod watch;
pub mod wording;

//! Emulates an event source mapping, which delivers a stream to a function, as AWS documents it.
//!
//! The logic is pure and has its own unit tests. [`run`] applies it to a real stream.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

mod destination;
mod lane;
mod lineage;
mod response;
mod run;

use kit::filter;
use libtest_mimic::Trial;

pub(crate) use run::Mapping;

/// The settings of a mapping, with AWS's names and defaults.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) batch_size: usize,
    pub(crate) maximum_batching_window_seconds: u32,
    pub(crate) parallelization_factor: usize,
    pub(crate) bisect_batch_on_function_error: bool,
    /// If `None`, a batch is retried until its records are too old.
    pub(crate) maximum_retry_attempts: Option<u32>,
    /// If `None`, a record is retried until the stream has trimmed it.
    pub(crate) maximum_record_age_seconds: Option<u32>,
    /// Whether `ReportBatchItemFailures` is on.
    pub(crate) reports_batch_item_failures: bool,
    /// The patterns of the filter criteria.
    pub(crate) filters: Vec<&'static str>,
}

impl Default for Settings {
    /// Returns AWS's defaults, except that partial batch responses are on, because Referee needs
    /// them.
    fn default() -> Self {
        Self {
            batch_size: 100,
            maximum_batching_window_seconds: 0,
            parallelization_factor: 1,
            bisect_batch_on_function_error: false,
            maximum_retry_attempts: None,
            maximum_record_age_seconds: None,
            reports_batch_item_failures: true,
            filters: Vec::new(),
        }
    }
}

/// Returns the tests of the pure logic.
pub(crate) fn trials() -> Vec<Trial> {
    let tests = [filter::TESTS, lane::TESTS, lineage::TESTS, response::TESTS, destination::TESTS];
    let trial = |(name, test): &(&str, fn())| {
        let test = *test;
        Trial::test(format!("mapping::{name}"), move || {
            test();
            Ok(())
        })
    };
    tests.concat().iter().map(trial).collect()
}

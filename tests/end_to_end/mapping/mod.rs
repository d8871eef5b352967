//! An event source mapping: what stands between a stream and its function, as AWS documents it.
//!
//! The rules are pure, and have tests of their own; [`run`] applies them to a real stream.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

mod destination;
mod filter;
mod lane;
mod lineage;
mod response;
mod run;

use libtest_mimic::Trial;

pub(crate) use run::Mapping;

/// The settings of a mapping, under the names and with the defaults that AWS gives them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) batch_size: usize,
    pub(crate) maximum_batching_window_seconds: u32,
    pub(crate) parallelization_factor: usize,
    pub(crate) bisect_batch_on_function_error: bool,
    /// Without one, until the record is too old.
    pub(crate) maximum_retry_attempts: Option<u32>,
    /// Without one, until the stream has it no longer.
    pub(crate) maximum_record_age_seconds: Option<u32>,
    /// `ReportBatchItemFailures`.
    pub(crate) reports_batch_item_failures: bool,
    /// The patterns of the filter criteria.
    pub(crate) filters: Vec<&'static str>,
}

impl Default for Settings {
    /// What AWS sets, but for partial responses, without which Referee is not to be run.
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

/// The tests of the rules themselves.
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

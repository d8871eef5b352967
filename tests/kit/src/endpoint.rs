//! Runs tests on a real DynamoDB endpoint: DynamoDB Local, if it runs.

use libtest_mimic::{Failed, Trial};

/// The environment variable with the endpoint.
pub const VARIABLE: &str = "REFEREE_TEST_DYNAMODB";

/// Returns a trial that runs the test on the endpoint. Without an endpoint, the trial is ignored.
pub fn trial(
    name: impl Into<String>,
    test: impl FnOnce(&str) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    #[expect(clippy::disallowed_methods, reason = "this is where the tests read their environment")]
    let endpoint = std::env::var(VARIABLE).ok();
    let is_skipped = endpoint.is_none();
    let run = move || test(&endpoint.unwrap_or_default());
    Trial::test(name, run).with_ignored_flag(is_skipped)
}

//! Runs tests on real endpoints: on DynamoDB Local and an emulator of S3, if they run.

use libtest_mimic::{Failed, Trial};

use crate::environment;

/// The environment variable with the endpoint.
pub const VARIABLE: &str = "REFEREE_TEST_DYNAMODB";

/// The environment variable with the endpoint of S3.
pub const S3: &str = "REFEREE_TEST_S3";

/// The access key of the tests. On DynamoDB Local, tables belong to an access key and a Region, so
/// that suites with different keys can run side by side.
#[must_use]
pub fn access_key() -> String {
    environment::variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "local".to_owned())
}

/// Returns a trial that runs the test on the endpoint. Without an endpoint, the trial is ignored.
pub fn trial(
    name: impl Into<String>,
    test: impl FnOnce(&str) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    trial_on(VARIABLE, name, test)
}

/// A trial that gets the endpoint in this environment variable; it is ignored without one.
pub fn trial_on(
    variable: &str,
    name: impl Into<String>,
    test: impl FnOnce(&str) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let endpoint = environment::variable(variable);
    let is_skipped = endpoint.is_none();
    let run = move || test(&endpoint.unwrap_or_default());
    Trial::test(name, run).with_ignored_flag(is_skipped)
}

//! Tests on a real endpoint of DynamoDB: on DynamoDB Local, where it runs.

use libtest_mimic::{Failed, Trial};

/// Names the endpoint.
pub(crate) const VARIABLE: &str = "REFEREE_TEST_DYNAMODB";

/// A test, given the endpoint; as ignored where there is none.
pub(crate) fn trial(
    name: impl Into<String>,
    test: impl FnOnce(&str) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    #[expect(clippy::disallowed_methods, reason = "this is the edge of the tests")]
    let endpoint = std::env::var(VARIABLE).ok();
    let is_skipped = endpoint.is_none();
    let run = move || test(&endpoint.unwrap_or_default());
    Trial::test(name, run).with_ignored_flag(is_skipped)
}

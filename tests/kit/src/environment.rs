//! The settings of tests and benchmarks, which are environment variables.

use std::str::FromStr;

/// Returns a variable, if it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where tests and benchmarks read their environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the number in a variable, if it is set and not empty. Any other text fails the run.
pub fn number<N: FromStr>(name: &str) -> Option<N> {
    let text = variable(name).filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")))
}

//! Failed invocations.

use crate::runtime::error::Fatal;

/// Why an invocation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// An operator must act.
    Fatal(Fatal),
    /// The same audit may succeed later, and has made no progress.
    Retry(String),
}

impl Failure {
    /// The type that the caller sees: a state machine retries only some.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Fatal(_) => "Fatal",
            Self::Retry(_) => "Retry",
        }
    }

    /// The message.
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Fatal(Fatal(message)) | Self::Retry(message) => message,
        }
    }
}

impl From<Fatal> for Failure {
    fn from(error: Fatal) -> Self {
        Self::Fatal(error)
    }
}

//! Code that all commands on real tables share.

use tokio::runtime::{Builder, Runtime};

use super::Failure;
use crate::store::StoreError;
use crate::streams::StreamError;
use crate::watch::KeepError;

/// The heading of the options that select real tables.
pub(super) const REAL_TABLES: &str = "Real tables";

/// Checks only the scheme of a URL. The AWS SDK checks the rest.
pub(super) fn endpoint_url(text: &str) -> Result<String, &'static str> {
    let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if is_url { Ok(text.to_owned()) } else { Err("it must begin with http:// or https://") }
}

/// Creates a single-threaded runtime for requests to AWS.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Incomplete(error.to_string()))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Incomplete(error.to_string())
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        Self::Incomplete(error.to_string())
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        Self::Incomplete(error.to_string())
    }
}

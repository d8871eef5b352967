//! Code that all commands on real tables share.

use std::pin::pin;

use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};

use super::signals::{Signals, exit_after_second_signal};
use super::{EXIT_INCOMPLETE, Failure};
use crate::aws::{self, SdkConfig};
use crate::runtime::stop::Stop;
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

/// The configuration of the clients, for another Region if one is given. Fails at once if it names
/// an endpoint that cannot be used.
pub(super) async fn configured(
    endpoint: Option<&str>,
    region: Option<&str>,
) -> Result<SdkConfig, Failure> {
    let config = aws::configure_in(endpoint, region).await;
    let checked = aws::check_endpoint(&config, has_proxy()).await;
    checked.map_err(|error| Failure::Incomplete(error.to_string()))?;
    Ok(config)
}

/// Whether the environment names a proxy, which the HTTP client then uses.
fn has_proxy() -> bool {
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].iter().any(|name| {
        [(*name).to_owned(), name.to_lowercase()].iter().any(|it| std::env::var_os(it).is_some())
    })
}

/// Creates a single-threaded runtime for requests to AWS.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Incomplete(error.to_string()))
}

/// Does this work until it is done, or until a second signal. The first one sets the request to
/// stop.
pub(super) fn until_signal<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let failed = |error: std::io::Error| Failure::Incomplete(error.to_string());
    runtime()?.block_on(async {
        let mut signals = Signals::new().map_err(failed)?;
        let signalled = pin!(async {
            signals.next().await;
            stop.set();
            signals.next().await;
        });
        exit_after_second_signal(EXIT_INCOMPLETE).map_err(failed)?;
        match select(pin!(work), signalled).await {
            Either::Left((done, _)) => done,
            Either::Right(((), _)) => {
                Err(Failure::Incomplete("stopped in the middle of a request".to_owned()))
            }
        }
    })
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

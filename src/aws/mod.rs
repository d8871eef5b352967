//! Access to AWS: credentials, Region, endpoints, one HTTP client for every service, error classes
//! and back-off.

pub(crate) mod backoff;
#[cfg(any(feature = "lambda", feature = "live"))]
mod call;
#[cfg(feature = "live")]
mod endpoint;
pub(crate) mod error;
#[cfg(feature = "lambda")]
mod function;
#[cfg(feature = "live")]
mod loader;

use std::time::Duration;

use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
#[cfg(any(feature = "lambda", feature = "live"))]
use aws_types::service_config::ServiceConfigKey;

pub use aws_types::SdkConfig;
#[cfg(any(feature = "lambda", feature = "live"))]
pub use call::{Call, CallError, JSON_1_0, JSON_1_1, Service, call};
#[cfg(feature = "live")]
pub use endpoint::{EndpointError, check_endpoint};
#[cfg(feature = "lambda")]
pub(crate) use function::configure_function;
#[cfg(feature = "live")]
pub use loader::{configure, configure_in};

/// The timeout of one attempt at a request, and of the connection that it needs.
const ATTEMPT_MS_MAX: u64 = 5_000;
const CONNECT_MS_MAX: u64 = 3_000;

fn http_client() -> SharedHttpClient {
    // Use ring, because aws-lc spends 20 ms gathering entropy before the first request of a
    // process.
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
        .operation_attempt_timeout(Duration::from_millis(ATTEMPT_MS_MAX))
        .build()
}

/// Callers retry requests themselves. A second layer of retries would multiply the attempts.
fn retries() -> RetryConfig {
    RetryConfig::disabled()
}

/// The endpoint that this configuration has for a service; `None` if it is AWS's own.
#[cfg(any(feature = "lambda", feature = "live"))]
pub(crate) fn endpoint_of(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|services| services.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

//! Access to AWS: credentials, Region, endpoints, one HTTP client for every service, error classes
//! and back-off.

pub(crate) mod backoff;
#[cfg(any(feature = "lambda", feature = "live"))]
mod call;
#[cfg(feature = "live")]
mod endpoint;
pub(crate) mod error;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub use aws_config::SdkConfig;
#[cfg(any(feature = "lambda", feature = "live"))]
use aws_types::service_config::ServiceConfigKey;
#[cfg(any(feature = "lambda", feature = "live"))]
pub use call::{Call, CallError, JSON_1_0, JSON_1_1, Service, call};
#[cfg(feature = "live")]
pub use endpoint::{EndpointError, check_endpoint};

/// The timeout of one attempt at a request.
const ATTEMPT_MS_MAX: u64 = 5_000;

/// Loads the configuration that every AWS client uses.
///
/// The SDK resolves credentials, Region and endpoints from the environment and the shared
/// configuration files. An endpoint given here takes precedence.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html>
pub async fn configure(endpoint: Option<&str>) -> SdkConfig {
    configure_in(endpoint, None).await
}

/// Loads the same configuration for another Region, if one is given.
pub async fn configure_in(endpoint: Option<&str>, region: Option<&str>) -> SdkConfig {
    // Use ring, because aws-lc spends 20 ms gathering entropy before the first request of a
    // process.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(ATTEMPT_MS_MAX))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        // Callers retry requests themselves. A second layer of retries would multiply the attempts.
        .retry_config(RetryConfig::disabled());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region {
        loader = loader.region(aws_config::Region::new(region.to_owned()));
    }
    loader.load().await
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

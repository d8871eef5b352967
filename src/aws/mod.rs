//! How AWS is reached: credentials, Region, endpoints, and one HTTP client for every service.

pub(crate) mod error;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub use aws_config::SdkConfig;

/// How long one attempt at a request may take before it counts as lost.
const ATTEMPT_MS_MAX: u64 = 5_000;

/// What every client of AWS is made from.
///
/// Credentials, Region and endpoints are resolved as the SDK does, from the environment and the
/// shared files; an endpoint given here goes before them.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html>
pub async fn configure(endpoint: Option<&str>) -> SdkConfig {
    // ring: aws-lc spends 20 ms gathering entropy before the first request of a process.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(ATTEMPT_MS_MAX))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        // Each client decides what it tries again: two layers of it would multiply.
        .retry_config(RetryConfig::disabled());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

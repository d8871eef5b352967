//! The configuration of AWS clients in tests.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use referee::aws::SdkConfig;

/// Loads Referee's configuration for an endpoint, with a long timeout and retries: what a slow
/// machine delays, or a connection that was idle for too long, is no failure.
pub async fn configure(endpoint: &str) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_mins(1)).build();
    let config = referee::aws::configure(Some(endpoint)).await;
    let builder = config.to_builder().timeout_config(timeouts);
    builder.retry_config(RetryConfig::standard()).build()
}

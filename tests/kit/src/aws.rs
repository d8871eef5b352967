//! The configuration of AWS clients in tests.

use std::time::Duration;

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use referee::aws::SdkConfig;

/// Loads Referee's configuration for an endpoint, with a long timeout: what a slow machine delays
/// has not failed.
pub async fn configure(endpoint: &str) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_mins(1)).build();
    let config = referee::aws::configure(Some(endpoint)).await;
    config.to_builder().timeout_config(timeouts).build()
}

//! The configuration of AWS clients in tests.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::StreamSpecification;
use referee::aws::SdkConfig;

/// Loads Referee's configuration for an endpoint, as [`patient`] changes it.
pub async fn configure(endpoint: &str) -> SdkConfig {
    patient(&referee::aws::configure(Some(endpoint)).await)
}

/// Returns this configuration with a long timeout and retries: what a slow machine delays, a
/// connection that was idle for too long, or an internal error of DynamoDB Local is no failure.
#[must_use]
pub fn patient(config: &SdkConfig) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_mins(1)).build();
    let builder = config.to_builder().timeout_config(timeouts);
    builder.retry_config(RetryConfig::standard()).build()
}

/// Like [`configure`], with this access key.
pub async fn configure_as(endpoint: &str, access_key: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key, "local", None, None, "tests");
    let provider = SharedCredentialsProvider::new(credentials);
    configure(endpoint).await.to_builder().credentials_provider(provider).build()
}

/// Turns a table's stream off. At almost every request for a table with a stream, DynamoDB Local goes
/// through all records that tables of the same access key and Region have ever written before.
///
/// # Panics
///
/// If the table has no stream.
pub async fn turn_stream_off(client: &Client, table: &str) {
    let off = StreamSpecification::builder().stream_enabled(false).build().unwrap();
    client.update_table().table_name(table).stream_specification(off).send().await.unwrap();
}

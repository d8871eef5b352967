//! The queue for suspects, in Amazon SQS.
//!
//! Invariant: no other module uses the SDK's SQS types.

use std::pin::Pin;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;

use crate::aws::SdkConfig;
use crate::aws::error::Brief;
use crate::runtime::queue::Queue;

/// The maximum number of attempts of a request. A second one helps if SQS has closed the connection
/// meanwhile.
const ATTEMPTS_MAX: u32 = 2;

/// The time of all attempts together, in milliseconds. The batch waits for them, and if the queue is
/// down, for the grace period besides.
const SEND_MS_MAX: u64 = 2_000;

/// A queue in Amazon SQS.
#[derive(Debug)]
pub(super) struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue with this URL, in this configuration's account and Region.
    pub(super) fn new(config: &SdkConfig, url: String) -> Self {
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
        let timeouts =
            TimeoutConfig::builder().operation_timeout(Duration::from_millis(SEND_MS_MAX));
        let config = aws_sdk_sqs::config::Builder::from(config)
            .retry_config(retries)
            .timeout_config(timeouts.build());
        Self { client: Client::from_conf(config.build()), url }
    }
}

impl Queue for Sqs {
    async fn send(&self, message: String, delay_seconds: u32) -> Result<(), String> {
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(message)
            .delay_seconds(i32::try_from(delay_seconds).unwrap_or(i32::MAX));
        // The request is boxed because the SDK's futures take kilobytes each.
        let sending: Pin<Box<_>> = Box::pin(request.send());
        let Err(error) = sending.await else { return Ok(()) };
        Err(match error.code() {
            Some(code) => {
                let message = error.message().unwrap_or("no message");
                format!("`SendMessage`: {code}: {message}")
            }
            None => format!("`SendMessage`: {}", Brief(&error)),
        })
    }
}

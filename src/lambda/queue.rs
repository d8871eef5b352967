//! The queue for suspects, in Amazon SQS.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::aws::{Call, JSON_1_0, SdkConfig, Service, call};
use crate::runtime::queue::Queue;

/// The maximum number of retries of a request. One helps if SQS has closed the connection meanwhile.
const RETRIES_MAX: usize = 1;

/// The time of all attempts together, in milliseconds. The batch waits for them, and if the queue is
/// down, for the grace period besides.
const SEND_MS_MAX: u64 = 2_000;

const SQS: Service = Service { id: "SQS", name: "sqs" };

/// A queue in Amazon SQS.
#[derive(Debug)]
pub(super) struct Sqs {
    config: SdkConfig,
    url: String,
}

impl Sqs {
    /// The queue with this URL, in this configuration's account and Region.
    pub(super) fn new(config: &SdkConfig, url: String) -> Self {
        Self { config: config.clone(), url }
    }
}

impl Queue for Sqs {
    async fn send(&self, message: String, delay_seconds: u32) -> Result<(), String> {
        let body =
            json!({ "QueueUrl": self.url, "MessageBody": message, "DelaySeconds": delay_seconds });
        let request = Call {
            endpoint: Some(origin(&self.url)),
            ..Call::json(SQS, JSON_1_0, "AmazonSQS.SendMessage", &body)
        };
        // The request is boxed because the SDK's futures take kilobytes each.
        let sending = Box::pin(call(&self.config, &request, RETRIES_MAX));
        match timeout(Duration::from_millis(SEND_MS_MAX), sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("`SendMessage`: no answer within {SEND_MS_MAX} ms")),
        }
    }
}

/// The scheme and the host of a queue's URL, which are right in every partition.
fn origin(url: &str) -> &str {
    let path = url.match_indices('/').nth(2);
    path.and_then(|(slash, _)| url.get(..slash)).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_endpoint_is_that_of_the_queue() {
        let url = "https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/recheck";
        assert_eq!(origin(url), "https://sqs.eusc-de-east-1.amazonaws.eu");
    }
}

//! SQS: `GetQueueUrl` and `GetQueueAttributes`.

use serde_json::{Value as Json, json};

use super::RETRIES_MAX;
use crate::aws::{Call, CallError, JSON_1_0, SdkConfig, Service, call};
use crate::diagram::system::deployment::{Queue, name_of_arn};

const SQS: Service = Service { id: "SQS", name: "sqs" };

/// Describes a queue; `None` if it does not exist.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>
pub(super) async fn queue(config: &SdkConfig, name: &str) -> Result<Option<Queue>, CallError> {
    let url = ask(config, "AmazonSQS.GetQueueUrl", json!({ "QueueName": name }));
    let url = match url.await {
        Ok(found) => found.get("QueueUrl").cloned().unwrap_or_default(),
        Err(CallError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let body = json!({ "QueueUrl": url, "AttributeNames": ["RedrivePolicy"] });
    let found = ask(config, "AmazonSQS.GetQueueAttributes", body).await?;
    // The policy is JSON in a text. A queue without one has no such attribute.
    let policy = found.pointer("/Attributes/RedrivePolicy").and_then(Json::as_str);
    let policy: Json = policy.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let target = policy.get("deadLetterTargetArn").and_then(Json::as_str);
    Ok(Some(Queue {
        name: name.to_owned(),
        dead_letters: target.map(|arn| name_of_arn(arn).to_owned()),
        receives_max: policy.get("maxReceiveCount").and_then(number),
    }))
}

/// A number, which the policy may have as a text.
fn number(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.parse().ok())
}

async fn ask(config: &SdkConfig, target: &str, body: Json) -> Result<Json, CallError> {
    call(config, &Call::json(SQS, JSON_1_0, target, &body), RETRIES_MAX).await
}

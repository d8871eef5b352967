//! CloudWatch Logs: `DescribeLogGroups`.

use serde_json::{Value as Json, json};

use super::RETRIES_MAX;
use crate::aws::{Call, CallError, SdkConfig, Service, call};
use crate::diagram::system::deployment::LogGroup;

const LOGS: Service = Service { id: "CloudWatch Logs", name: "logs" };

const HEADERS: [(&str, &str); 2] = [
    ("content-type", "application/x-amz-json-1.1"),
    ("x-amz-target", "Logs_20140328.DescribeLogGroups"),
];

/// Describes the log group with this name, if there is one.
///
/// The groups whose names begin with it come in alphabetical order, so it is the first one.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>
pub(super) async fn group(config: &SdkConfig, name: &str) -> Result<Option<LogGroup>, CallError> {
    let request = Call {
        service: LOGS,
        endpoint: None,
        operation: "DescribeLogGroups",
        method: "POST",
        path: "/".to_owned(),
        headers: HEADERS.to_vec(),
        body: json!({ "logGroupNamePrefix": name, "limit": 1 }).to_string(),
    };
    let answer = call(config, &request, RETRIES_MAX).await?;
    let groups = answer.get("logGroups").and_then(Json::as_array);
    let is_named = |group: &&Json| group.get("logGroupName").and_then(Json::as_str) == Some(name);
    let group = groups.into_iter().flatten().find(is_named);
    Ok(group.map(|group| LogGroup {
        name: name.to_owned(),
        // A group that keeps its events for ever has no retention.
        retention_days: Some(group.get("retentionInDays").and_then(Json::as_i64).unwrap_or(0)),
    }))
}

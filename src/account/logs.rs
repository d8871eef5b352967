//! CloudWatch Logs: `DescribeLogGroups`.

use serde_json::{Value as Json, json};

use super::RETRIES_MAX;
use crate::aws::{Call, CallError, JSON_1_1, SdkConfig, Service, call};
use crate::diagram::system::deployment::LogGroup;

const LOGS: Service = Service { id: "CloudWatch Logs", name: "logs" };

/// Describes the log group with this name, if there is one.
///
/// The groups whose names begin with it come in alphabetical order, so it is the first one.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>
pub(super) async fn group(config: &SdkConfig, name: &str) -> Result<Option<LogGroup>, CallError> {
    let body = json!({ "logGroupNamePrefix": name, "limit": 1 });
    let request = Call::json(LOGS, JSON_1_1, "Logs_20140328.DescribeLogGroups", &body);
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

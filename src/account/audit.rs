//! `EventBridge` Scheduler and Step Functions: `ListSchedules`, `GetSchedule` and
//! `DescribeStateMachine`.

use serde_json::{Value as Json, json};

use super::{RETRIES_MAX, encoded};
use crate::aws::{Call, CallError, JSON_1_0, SdkConfig, Service, call};
use crate::diagram::system::deployment::{Audit, name_of_arn};

const SCHEDULER: Service = Service { id: "Scheduler", name: "scheduler" };
const STEP_FUNCTIONS: Service = Service { id: "SFN", name: "states" };

/// Describes the regular audit of a function, if there is one: of the schedules whose names begin
/// with the function's name, as those of the Terraform module do, the first one that starts a state
/// machine that invokes the function.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html>
pub(super) async fn audit(config: &SdkConfig, function: &str) -> Result<Option<Audit>, CallError> {
    let path = format!("/schedules?NamePrefix={}", encoded(function));
    let listed = get(config, "ListSchedules", path).await?;
    let schedules = listed.get("Schedules").and_then(Json::as_array);
    for schedule in schedules.into_iter().flatten() {
        let text = |name: &str| schedule.get(name).and_then(Json::as_str);
        let target = schedule.pointer("/Target/Arn").and_then(Json::as_str);
        let (Some(name), Some(machine)) = (text("Name"), target) else { continue };
        if machine.contains(":stateMachine:") && invokes(config, machine, function).await? {
            let group = encoded(text("GroupName").unwrap_or("default"));
            let path = format!("/schedules/{}?groupName={group}", encoded(name));
            return Ok(Some(scheduled(machine, &get(config, "GetSchedule", path).await?)));
        }
    }
    Ok(None)
}

/// Whether a state machine invokes a function.
async fn invokes(config: &SdkConfig, machine: &str, function: &str) -> Result<bool, CallError> {
    let target = "AWSStepFunctions.DescribeStateMachine";
    let body = json!({ "stateMachineArn": machine });
    let request = Call::json(STEP_FUNCTIONS, JSON_1_0, target, &body);
    let found = match call(config, &request, RETRIES_MAX).await {
        Err(CallError::Missing(_)) => return Ok(false),
        found => found?,
    };
    let definition = found.get("definition").and_then(Json::as_str).unwrap_or_default();
    Ok(Audit::is_of(definition, function))
}

fn scheduled(machine: &str, schedule: &Json) -> Audit {
    let text = |name: &str| schedule.get(name).and_then(Json::as_str).map(str::to_owned);
    let resource = name_of_arn(machine);
    Audit {
        state_machine: Some(resource.strip_prefix("stateMachine:").unwrap_or(resource).to_owned()),
        schedule: text("ScheduleExpression"),
        timezone: text("ScheduleExpressionTimezone"),
        is_enabled: Some(text("State").is_none_or(|state| state == "ENABLED")),
    }
}

async fn get(config: &SdkConfig, operation: &str, path: String) -> Result<Json, CallError> {
    call(config, &Call::get(SCHEDULER, operation, path), RETRIES_MAX).await
}

//! Summarizes plans: the created resources, the function, mappings, permissions and alarms. The
//! golden files are in `tests/infra/plans`.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;
use serde_json::Value as Json;

use super::terraform::Terraform;
use super::{root, systems};

/// Compares the plan of an example with its golden file.
pub(crate) fn matches_golden_file(terraform: &Terraform, example: &Path) {
    let zip = root().join("infra/tests/fixtures/package/bootstrap.zip");
    let takes_package = example.join("variables.tf").exists()
        && std::fs::read_to_string(example.join("variables.tf")).unwrap().contains("\"package\"");
    let variables =
        if takes_package { vec![format!("-var=package={}", zip.display())] } else { Vec::new() };
    let plan = terraform.enter(example).plan(&variables);
    let name = example.file_name().unwrap().to_str().unwrap();
    let golden = root().join(format!("tests/infra/plans/{name}.txt"));
    expect_file![golden].assert_eq(&summary(&plan));
    systems::is_recorded(name, &plan);
}

/// Compares the messages about rejected input with the golden file.
pub(crate) fn refusals_match_golden_file(terraform: &Terraform) {
    let refusals = terraform.enter("tests/infra/refusals").refusals();
    let golden = root().join("tests/infra/refusals/messages.txt");
    expect_file![golden].assert_eq(&format!("{}\n", refusals.join("\n\n")));
}

fn summary(plan: &Json) -> String {
    let changes = plan["resource_changes"].as_array().unwrap();
    let managed: Vec<&Json> = changes.iter().filter(|it| it["mode"] == "managed").collect();
    let of = |kind: &'static str| managed.iter().copied().filter(move |it| it["type"] == kind);
    let mut text = "resources\n".to_owned();
    for resource in &managed {
        let _ = writeln!(text, "  {}", resource["address"].as_str().unwrap());
    }
    text.push_str("\nfunction\n");
    for function in of("aws_lambda_function") {
        text.push_str(&function_lines(function));
    }
    text.push_str("\nmappings\n");
    for mapping in of("aws_lambda_event_source_mapping") {
        text.push_str(&mapping_lines(mapping));
    }
    text.push_str("\npermissions\n");
    for policy in of("aws_iam_role_policy") {
        text.push_str(&permission_lines(&policy["change"]["after"]["policy"]));
    }
    text.push_str("\nalarms\n");
    for alarm in of("aws_cloudwatch_metric_alarm") {
        text.push_str(&alarm_line(alarm));
    }
    text.push_str("\nsystem\n");
    text.push_str(&systems::summary(plan));
    text
}

fn function_lines(function: &Json) -> String {
    let after = &function["change"]["after"];
    let mut text = String::new();
    for key in ["function_name", "runtime", "architectures", "memory_size", "timeout", "region"] {
        let _ = writeln!(text, "  {key}: {}", shown(&after[key]));
    }
    for (name, value) in after["environment"][0]["variables"].as_object().unwrap() {
        let _ = writeln!(text, "  {name}: {}", shown(value).replace('\n', "\n    "));
    }
    text
}

fn mapping_lines(mapping: &Json) -> String {
    let after = &mapping["change"]["after"];
    let mut text = format!("  {}\n", shown(&mapping["index"]));
    for key in [
        "event_source_arn",
        "starting_position",
        "function_response_types",
        "bisect_batch_on_function_error",
        "maximum_retry_attempts",
        "maximum_record_age_in_seconds",
        "batch_size",
        "maximum_batching_window_in_seconds",
        "parallelization_factor",
    ] {
        let _ = writeln!(text, "    {key}: {}", shown(&after[key]));
    }
    let destination = &after["destination_config"][0]["on_failure"][0]["destination_arn"];
    let _ = writeln!(text, "    on_failure: {}", shown(destination));
    for filter in after["filter_criteria"][0]["filter"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "    filter: {}", shown(&filter["pattern"]));
    }
    text
}

fn permission_lines(policy: &Json) -> String {
    // The policy is unknown at plan if it contains ARNs of tables that the same apply creates.
    let Some(policy) = policy.as_str() else { return "  known after apply\n".to_owned() };
    let policy: Json = serde_json::from_str(policy).unwrap();
    let mut text = String::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let _ = writeln!(text, "  {}: {}", shown(&statement["Sid"]), list(&statement["Action"]));
        for resource in statement["Resource"].as_array().unwrap() {
            let _ = writeln!(text, "    on {}", shown(resource));
        }
        if let Some(condition) = statement.get("Condition") {
            let _ = writeln!(text, "    if {condition}");
        }
    }
    text
}

fn alarm_line(alarm: &Json) -> String {
    let after = &alarm["change"]["after"];
    let known = after["dimensions"].as_object().into_iter().flatten();
    let unknown = alarm["change"]["after_unknown"]["dimensions"].as_object().into_iter().flatten();
    let dimensions: Vec<String> = known
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .chain(unknown.map(|(name, _)| format!("{name}={}", shown(&Json::Null))))
        .collect();
    let part = |key: &str| shown(&after[key]);
    format!(
        "  {}: {} {} of {{{}}} {} {}, in {} of {} periods of {} s; missing: {}; alarm: {}; ok: {}\n    {}\n",
        part("alarm_name"),
        part("statistic"),
        format_args!("{} {}", part("namespace"), part("metric_name")),
        dimensions.join(", "),
        match after["comparison_operator"].as_str() {
            Some("LessThanThreshold") => "<",
            _ => ">",
        },
        part("threshold"),
        part("datapoints_to_alarm"),
        part("evaluation_periods"),
        part("period"),
        part("treat_missing_data"),
        list(&after["alarm_actions"]),
        list(&after["ok_actions"]),
        part("alarm_description"),
    )
}

fn list(values: &Json) -> String {
    values.as_array().into_iter().flatten().map(shown).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "known after apply".to_owned(),
        Json::String(text) => text.trim_end().to_owned(),
        Json::Array(_) => list(value),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => value.to_string(),
    }
}

//! `referee diagram system`: what it finds in Terraform's JSON, with and without an account.
//!
//! The JSON in `tests/data/terraform` is that of Terraform itself; `tests/infra/systems.rs` records
//! it.

#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod command;
mod inputs;

use std::path::Path;

use expect_test::{Expect, expect};
use referee::diagram::system::deployment::Deployment;
use referee::diagram::system::terraform;
use referee::diagram::system::{Health, Sources, System, draw, findings};
use referee::rules::{self, RuleSource, Rules};
use serde_json::{Value as Json, json};

/// The address of a resource type in the Terraform module.
const MAPPING: &str = "aws_lambda_event_source_mapping";
const FUNCTION: &str = "aws_lambda_function";
const ALARM: &str = "aws_cloudwatch_metric_alarm";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn rules_of(path: &str) -> Rules {
    let source = RuleSource { name: path.to_owned(), text: read(path) };
    let stage = |name: &str| (name == "STAGE").then(|| "test".to_owned());
    rules::load(&source, &stage).rules.unwrap()
}

/// The rules of the README's example, and the plan of its Terraform code.
fn readme() -> (Rules, Json) {
    let plan = read("tests/data/terraform/readme.json");
    (rules_of("events/company-user/referee.yaml"), serde_json::from_str(&plan).unwrap())
}

/// The resources of a plan's module.
fn resources(plan: &mut Json) -> &mut Vec<Json> {
    let root = &mut plan["planned_values"]["root_module"];
    root["child_modules"][0]["resources"].as_array_mut().unwrap()
}

/// Sets a value of every resource of a type.
fn set(plan: &mut Json, kind: &str, name: &str, value: &Json) {
    for resource in resources(plan).iter_mut().filter(|it| it["type"] == kind) {
        resource["values"][name] = value.clone();
    }
    for change in plan["resource_changes"].as_array_mut().unwrap() {
        if change["address"].as_str().unwrap().contains(&format!("{kind}.")) {
            change["change"]["after_unknown"][name] = json!(false);
        }
    }
}

fn read_plan(rules: &Rules, plan: &Json) -> Deployment {
    terraform::read(&serde_json::to_vec(plan).unwrap(), rules, None).unwrap()
}

fn system(rules: &Rules, terraform: Option<Deployment>, account: Option<Deployment>) -> System<'_> {
    System::new(Sources { rules, terraform, account, function: None, other_rules: Vec::new() })
}

/// The findings, a line each, and the boxes and arrows that are not all right.
fn text(system: &System<'_>) -> String {
    let findings = findings(system);
    let mut lines: Vec<String> = findings
        .iter()
        .map(|it| format!("{}[{}]: {}", it.kind.severity().name(), it.kind.name(), it.message))
        .collect();
    let picture = draw(system, &findings);
    let shown = |health: Health| health > Health::Unknown;
    lines.extend(picture.parts.iter().filter(|it| shown(it.health)).flat_map(|it| {
        let rows = it.rows.iter().filter(|row| shown(row.health));
        let rows = rows.map(|row| format!("  {}: {}", row.label, row.value));
        std::iter::once(format!("({})", it.id)).chain(rows.take(3)).collect::<Vec<_>>()
    }));
    let arrows = picture.arrows.iter().filter(|it| shown(it.health));
    lines.extend(arrows.map(|it| format!("{} -> {}: {}", it.from, it.to, it.label)));
    lines.push(String::new());
    lines.join("\n")
}

/// Compares what is found in the README's plan after a change of it.
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(change: impl FnOnce(&mut Json), expected: Expect) {
    let (rules, mut plan) = readme();
    change(&mut plan);
    let deployment = read_plan(&rules, &plan);
    expected.assert_eq(&text(&system(&rules, Some(deployment), None)));
}

#[test]
fn nothing_is_wrong_with_the_plans_of_the_module() {
    check(|_| {}, expect![""]);
    let rules = rules_of("infra/examples/complete/referee.yaml");
    let plan = serde_json::from_str(&read("tests/data/terraform/complete.json")).unwrap();
    let deployment = read_plan(&rules, &plan);
    assert_eq!(deployment.audit.as_ref().unwrap().timezone.as_deref(), Some("Europe/Berlin"));
    expect![""].assert_eq(&text(&system(&rules, Some(deployment), None)));
}

#[test]
fn a_watched_table_that_no_mapping_reads_is_broken() {
    check(
        |plan| resources(plan).retain(|it| it["type"] != MAPPING),
        expect![[r#"
        broken[table_not_read]: no event source mapping of function `referee` reads the stream of table `app`, so its changes are not checked
        (table:app)
        table:app -> function: no event source mapping
    "#]],
    );
}

#[test]
fn a_disabled_mapping_is_broken() {
    check(
        |plan| set(plan, MAPPING, "enabled", &json!(false)),
        expect![[r#"
        broken[mapping_disabled]: the event source mapping from table `app` to function `referee` is disabled, so changes are not checked
        (table:app)
        table:app -> mapping:1: stream
        mapping:1 -> function: batches
    "#]],
    );
}

#[test]
fn a_mapping_that_does_not_report_batch_item_failures_is_broken() {
    check(
        |plan| set(plan, MAPPING, "function_response_types", &json!([])),
        expect![[r#"
        broken[no_batch_item_failures]: the event source mapping from table `app` does not have ReportBatchItemFailures, so what the function returns for redelivery is lost
        (mapping:1)
          batch item failures: not reported
    "#]],
    );
    check(
        |plan| set(plan, MAPPING, "function_response_types", &Json::Null),
        expect![[r#"
        broken[no_batch_item_failures]: the event source mapping from table `app` does not have ReportBatchItemFailures, so what the function returns for redelivery is lost
        (mapping:1)
          batch item failures: not reported
    "#]],
    );
}

#[test]
fn alarms_that_notify_nobody_are_broken() {
    check(
        |plan| set(plan, ALARM, "actions_enabled", &json!(false)),
        expect![[r#"
        broken[alarm_without_action]: 15 alarms have no enabled action, so they notify nobody: `referee-dropped-records-app`, `referee-duration`, `referee-errors`, `referee-failed-deliveries`, `referee-given-up-records-app` and 10 more
        (alarms)
          dropped-records-app: Sum > 0, notifies nobody
          duration: Maximum > 48000, notifies nobody
          errors: Sum > 0, notifies nobody
    "#]],
    );
    let one = |plan: &mut Json| {
        let alarm = resources(plan).iter_mut().find(|it| it["type"] == ALARM).unwrap();
        alarm["values"]["alarm_actions"] = json!([]);
    };
    check(
        one,
        expect![[r#"
        broken[alarm_without_action]: the alarm `referee-dropped-records-app` has no enabled action, so it notifies nobody
        (alarms)
          dropped-records-app: Sum > 0, notifies nobody
    "#]],
    );
}

#[test]
fn alarms_whose_actions_are_not_known_yet_are_not_reported() {
    let unknown = |plan: &mut Json| {
        set(plan, ALARM, "alarm_actions", &Json::Null);
        for change in plan["resource_changes"].as_array_mut().unwrap() {
            change["change"]["after_unknown"]["alarm_actions"] = json!(true);
        }
    };
    check(unknown, expect![""]);
}

#[test]
fn a_function_without_alarms_and_log_group_is_reported() {
    let without = |plan: &mut Json| {
        resources(plan)
            .retain(|it| it["type"] != ALARM && it["type"] != "aws_cloudwatch_log_group");
    };
    check(
        without,
        expect![[r#"
        warning[no_log_group]: function `referee` has no log group, and its role usually may not create it, so violations are not logged
        warning[no_alarms]: no alarm watches function `referee` or its metrics, so nobody learns of violations and failures
        (function)
    "#]],
    );
}

#[test]
fn streams_with_another_view_and_tables_without_a_stream_are_broken() {
    let stream = |enabled: bool, view: &'static str| {
        move |plan: &mut Json| {
            let root = &mut plan["prior_state"]["values"]["root_module"];
            let table = &mut root["child_modules"][0]["resources"][0]["values"];
            table["stream_enabled"] = json!(enabled);
            table["stream_view_type"] = json!(view);
        }
    };
    check(
        stream(true, "KEYS_ONLY"),
        expect![[r#"
        broken[stream_view]: the stream of table `app` has the view type KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES
        (table:app)
          stream: KEYS_ONLY
    "#]],
    );
    check(
        stream(false, ""),
        expect![[r#"
        broken[no_stream]: table `app` has no stream
        (table:app)
          stream: none
    "#]],
    );
}

#[test]
fn a_table_with_another_key_is_broken() {
    let keyed = |plan: &mut Json| {
        let root = &mut plan["prior_state"]["values"]["root_module"];
        let table = &mut root["child_modules"][0]["resources"][0]["values"];
        table["hash_key"] = json!("pk");
        table["attribute"] = json!([{ "name": "pk", "type": "N" }]);
    };
    check(
        keyed,
        expect![[r#"
        broken[table_key]: table `app` has the key `pk` (N), but the rule file says `pk` (S), `sk` (S)
        (table:app)
          key: pk (N)
    "#]],
    );
}

#[test]
fn settings_of_mappings_that_lose_records_are_warnings() {
    let risky = |plan: &mut Json| {
        set(plan, MAPPING, "starting_position", &json!("LATEST"));
        set(plan, MAPPING, "destination_config", &json!([]));
        let pattern = r#"{"dynamodb":{"NewImage":{"kind":{"S":["order"]}}}}"#;
        set(plan, MAPPING, "filter_criteria", &json!([{ "filter": [{ "pattern": pattern }] }]));
    };
    check(
        risky,
        expect![[r#"
        warning[no_failure_destination]: the event source mapping from table `app` has no destination on failure, so records that it gives up are lost
        warning[starts_at_latest]: the event source mapping from table `app` begins at LATEST, so changes may be missed while it is created or updated
        warning[filter_drops_deletes]: each filter of the event source mapping from table `app` tests the new image, so deletes never reach the function
        (mapping:1)
          filter: 1 pattern
          begins at: LATEST
          given up: lost
    "#]],
    );
}

#[test]
fn more_than_two_readers_of_a_stream_are_a_warning() {
    let shared = |plan: &mut Json| {
        let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/1";
        for name in ["search", "analytics"] {
            let values = json!({ "function_name": name, "event_source_arn": arn });
            let address = format!("{MAPPING}.{name}");
            let (mode, kind) = ("managed", MAPPING);
            resources(plan).push(json!({
                "address": address, "mode": mode, "type": kind, "name": name, "values": values
            }));
        }
    };
    check(
        shared,
        expect![[r#"
        warning[too_many_readers]: 3 functions read the stream of table `app`, but each shard allows 2 readers: `analytics`, `referee`, `search`
        (table:app)
    "#]],
    );
}

#[test]
fn a_recheck_queue_that_no_mapping_reads_is_broken() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/referee-recheck";
    let queued = |plan: &mut Json| {
        let function = resources(plan).iter_mut().find(|it| it["type"] == FUNCTION).unwrap();
        let variables = &mut function["values"]["environment"][0]["variables"];
        variables["REFEREE_RECHECK_QUEUE"] = json!(url);
    };
    check(
        queued,
        expect![[r#"
        broken[recheck_not_read]: function `referee` sends suspects to the queue `referee-recheck`, but no enabled event source mapping reads it
        (function)
        queue:referee-recheck -> function: no event source mapping
    "#]],
    );
}

#[test]
fn rules_alone_draw_what_they_need() {
    let rules = rules_of("events/company-user/referee.yaml");
    let system = system(&rules, None, None);
    let findings = findings(&system);
    assert_eq!(findings, []);
    let picture = draw(&system, &findings);
    let arrows =
        picture.arrows.iter().map(|it| format!("{} -> {}: {}\n", it.from, it.to, it.label));
    expect![[r#"
        table:app -> function: stream
        function -> table:app: mirror membership
    "#]]
    .assert_eq(&arrows.collect::<String>());
}

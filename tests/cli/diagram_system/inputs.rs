//! Files of every kind: other modules, states, code without the module, damaged files.

use expect_test::expect;
use referee::diagram::system::deployment::{Mapping, Origin, Source};
use referee::diagram::system::terraform::{self, TerraformError};
use serde_json::{Value as Json, json};

use super::{FUNCTION, MAPPING, read, read_plan, readme, resources, rules_of, system, text};

#[test]
fn json_of_another_module_names_what_is_missing() {
    let (rules, mut plan) = readme();
    resources(&mut plan).retain(|it| it["type"] == "aws_sqs_queue");
    let deployment = read_plan(&rules, &plan);
    expect![[r#"
        none of its 0 resources is a Lambda function with a variable `REFEREE_…`
        help: use the JSON of the configuration that has Referee's module, or name the function with --function
    "#]].assert_eq(&format!("{}\n", deployment.unread[0].why));
    expect![[r#"
        broken[table_not_read]: no event source mapping of function `referee` reads the stream of table `app`, so its changes are not checked
        (table:app)
        table:app -> function: no event source mapping
    "#]].assert_eq(&text(&system(&rules, Some(deployment), None)));
}

#[test]
fn a_state_is_read_like_a_plan_in_modules_of_any_depth() {
    let (rules, mut plan) = readme();
    let module = plan["planned_values"]["root_module"]["child_modules"].take();
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/2026-01-01T00:00:00.000";
    let mut state = json!({
        "format_version": "1.0",
        "terraform_version": "1.11.4",
        "values": { "root_module": { "child_modules": [
            { "address": "module.data[\"a.b\"]", "child_modules": module }
        ] } }
    });
    let root = &mut state["values"]["root_module"]["child_modules"][0]["child_modules"][0];
    for resource in root["resources"].as_array_mut().unwrap() {
        if resource["type"] == MAPPING {
            resource["values"]["event_source_arn"] = json!(arn);
            resource["values"]["function_name"] =
                json!("arn:aws:lambda:eu-west-1:123456789012:function:referee:live");
        }
    }
    let deployment = read_plan(&rules, &state);
    assert_eq!(deployment.origin, Origin::State);
    let mapping = &deployment.mappings[0];
    assert_eq!((mapping.is_ours, mapping.alias.as_deref()), (true, Some("live")));
    expect![""].assert_eq(&text(&system(&rules, Some(deployment), None)));
}

#[test]
fn a_mapping_written_by_hand_is_found_by_what_it_refers_to() {
    let rules = rules_of("events/company-user/referee.yaml");
    let resource = |kind: &str, name: &str, values: &Json| {
        json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "values": values
        })
    };
    let unknown = json!({ "event_source_arn": true, "function_name": true });
    let types = json!({ "function_response_types": ["ReportBatchItemFailures"] });
    let variables = json!([{ "variables": { "REFEREE_RULES_JSON": "{}" } }]);
    let function = json!({ "function_name": "checks", "environment": variables });
    let plan = json!({
        "format_version": "1.2",
        "planned_values": { "root_module": { "resources": [
            resource("aws_dynamodb_table", "main", &json!({ "name": "app" })),
            resource(FUNCTION, "checks", &function),
            resource(FUNCTION, "other", &json!({ "function_name": "other" })),
            resource(MAPPING, "m", &types),
        ] } },
        "resource_changes": [
            { "address": format!("{MAPPING}.m"), "change": { "after_unknown": unknown } }
        ],
        "configuration": { "root_module": { "resources": [{
            "address": format!("{MAPPING}.m"), "mode": "managed", "type": MAPPING, "name": "m",
            "expressions": {
                "event_source_arn": { "references": ["aws_dynamodb_table.main.stream_arn"] },
                "function_name": { "references": ["aws_lambda_function.checks.arn"] }
            }
        }] } }
    });
    let found: Vec<Mapping> = read_plan(&rules, &plan).mappings;
    assert_eq!(found[0].function.as_deref(), Some("checks"));
    assert_eq!(found[0].source, Source::Stream { table: "app".to_owned(), arn: None });
}

#[test]
fn a_stream_that_the_plan_creates_is_matched_by_the_key_of_its_mapping() {
    let rules = rules_of("events/company-user/referee.yaml");
    let plan = read("tests/data/terraform/single-table-many-to-many.json");
    let found = read_plan(&rules, &serde_json::from_str(&plan).unwrap()).mappings;
    assert_eq!(found[0].source, Source::Stream { table: "app".to_owned(), arn: None });
    assert!(found[0].is_ours);
}

#[test]
fn files_that_are_not_the_json_of_terraform_show_are_named() {
    let rules = rules_of("events/company-user/referee.yaml");
    let error = |text: &[u8]| match terraform::read(text, &rules, None) {
        Err(TerraformError::Other(what)) => what,
        Err(other) => other.to_string(),
        Ok(_) => "read".to_owned(),
    };
    let state = br#"{"version": 4, "serial": 1, "lineage": "x", "resources": []}"#;
    assert_eq!(error(state), ", but a state file");
    assert_eq!(error(b"PK\x03\x04"), ", but a plan file");
    let lines = b"{\"@level\":\"info\",\"@message\":\"x\"}\n{\"@level\":\"info\"}\n";
    assert_eq!(error(lines), ", but that of `terraform plan -json`");
    assert_eq!(error(b"{}"), "");
    assert!(error(br#"{"format_version": "2.0"}"#).contains("begin with `0.` or `1.`"));
    // A state without resources.
    assert_eq!(error(br#"{"format_version": "1.0"}"#), "read");
    let (_, plan) = readme();
    let plan = serde_json::to_vec(&plan).unwrap();
    let missing = terraform::read(&plan, &rules, Some("other")).unwrap_err();
    assert!(missing.to_string().contains("no Lambda function `other`; it has `referee`"));
}

/// Replaces one value of a document after the other.
#[test]
fn no_damaged_json_makes_the_reader_panic() {
    fn pointers(json: &Json, path: &str, all: &mut Vec<String>) {
        all.push(path.to_owned());
        match json {
            Json::Object(map) => {
                for (name, value) in map {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    pointers(value, &format!("{path}/{name}"), all);
                }
            }
            Json::Array(list) => {
                for (position, value) in list.iter().enumerate() {
                    pointers(value, &format!("{path}/{position}"), all);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    let (rules, plan) = readme();
    let mut all = Vec::new();
    pointers(&plan, "", &mut all);
    for (position, pointer) in all.iter().enumerate().filter(|(position, _)| position % 11 == 0) {
        let mut damaged = plan.clone();
        *damaged.pointer_mut(pointer).unwrap() =
            [json!(null), json!("x"), json!([[1]]), json!({ "": {} })][position % 4].clone();
        let damaged = serde_json::to_vec(&damaged).unwrap();
        if let Ok(deployment) = terraform::read(&damaged, &rules, None) {
            let _ = text(&system(&rules, Some(deployment), None));
        }
    }
}

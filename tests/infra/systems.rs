//! What `referee diagram system` reads from plans: the system that it finds in the plan of each
//! example, and recordings of plans for tests without Terraform.

use std::fmt::Write as _;

use expect_test::expect_file;
use referee::diagram::system::{Sources, System, draw, findings, terraform};
use referee::rules::{self, RuleSource};
use serde_json::{Map, Value as Json};

use super::readme::plan_beside_a_clone;
use super::terraform::Terraform;
use super::{read, root};

/// The examples whose plans are recorded.
const RECORDED: [&str; 2] = ["complete", "single-table-many-to-many"];

/// The types that `referee diagram system` reads.
const READ: [&str; 8] = [
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_dynamodb_table",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_scheduler_schedule",
    "aws_sfn_state_machine",
    "aws_sqs_queue",
];

/// The plan of the code in README.md, with the rules of its example, is as recorded.
pub(crate) fn the_readme_can_be_planned(terraform: &Terraform) {
    let readme = read("README.md");
    let (_, code) = readme.split_once("\n```hcl\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let plan = plan_beside_a_clone(terraform, code, "events/company-user/referee.yaml");
    let golden = root().join("tests/data/terraform/readme.json");
    expect_file![golden].assert_eq(&recording(&plan));
}

/// Compares the plan of an example with its recording, if it has one.
pub(crate) fn is_recorded(name: &str, plan: &Json) {
    if RECORDED.contains(&name) {
        let golden = root().join(format!("tests/data/terraform/{name}.json"));
        expect_file![golden].assert_eq(&recording(plan));
    }
}

/// The boxes, arrows and findings of a plan, with the rules of its function.
pub(crate) fn summary(plan: &Json) -> String {
    let changes = plan["resource_changes"].as_array().unwrap();
    let function = changes.iter().find(|it| it["type"] == "aws_lambda_function").unwrap();
    let variables = &function["change"]["after"]["environment"][0]["variables"];
    let Some(text) = variables["REFEREE_RULES_JSON"].as_str() else {
        return "  the rules are packed\n".to_owned();
    };
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let environment = |name: &str| variables[name].as_str().map(str::to_owned);
    let rules = rules::load(&source, &environment).rules.unwrap();
    let deployment = terraform::read(&serde_json::to_vec(plan).unwrap(), &rules, None).unwrap();
    let sources = Sources {
        rules: &rules,
        terraform: Some(deployment),
        account: None,
        function: None,
        other_rules: Vec::new(),
    };
    let system = System::new(sources);
    let findings = findings(&system);
    let mut text = String::new();
    for arrow in draw(&system, &findings).arrows {
        let _ = writeln!(text, "  {} -> {}: {}", arrow.from, arrow.to, arrow.label);
    }
    for finding in &findings {
        let _ = writeln!(text, "  {}: {}", finding.kind.name(), finding.message);
    }
    for unread in system.unread() {
        let _ = writeln!(text, "  not found: {}", unread.what);
    }
    text
}

/// The parts of a plan that `referee diagram system` reads.
fn recording(plan: &Json) -> String {
    let mut kept = Map::new();
    for key in ["format_version", "terraform_version"] {
        kept.insert(key.to_owned(), plan[key].clone());
    }
    let values = |values: &Json, mode| {
        let root = module(&values["root_module"], mode);
        serde_json::json!({ "root_module": root })
    };
    kept.insert("planned_values".to_owned(), values(&plan["planned_values"], "managed"));
    let prior = values(&plan["prior_state"]["values"], "data");
    kept.insert("prior_state".to_owned(), serde_json::json!({ "values": prior }));
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let changes = changes.filter(|it| it["mode"] == "managed" && is_read(it));
    let changes: Vec<Json> = changes
        .map(|it| {
            let change = serde_json::json!({ "after_unknown": it["change"]["after_unknown"] });
            serde_json::json!({ "address": it["address"], "change": change })
        })
        .collect();
    kept.insert("resource_changes".to_owned(), Json::Array(changes));
    let root = configuration(&plan["configuration"]["root_module"]);
    kept.insert("configuration".to_owned(), serde_json::json!({ "root_module": root }));
    format!("{:#}\n", Json::Object(kept))
}

fn is_read(resource: &Json) -> bool {
    READ.iter().any(|kind| resource["type"] == *kind)
}

fn module(module: &Json, mode: &str) -> Json {
    let mut kept = Map::new();
    if let Some(address) = module.get("address") {
        kept.insert("address".to_owned(), address.clone());
    }
    let resources = module["resources"].as_array().into_iter().flatten();
    let resources = resources.filter(|it| it["mode"] == mode && is_read(it)).cloned();
    let resources = resources.map(|mut resource| {
        let resource_map = resource.as_object_mut().unwrap();
        resource_map.remove("sensitive_values");
        let values = resource_map["values"].as_object_mut().unwrap();
        // These depend on where the plan is made.
        values.remove("filename");
        values.remove("source_code_hash");
        resource
    });
    kept.insert("resources".to_owned(), resources.collect());
    let children = module["child_modules"].as_array().into_iter().flatten();
    let children: Vec<Json> = children.map(|child| self::module(child, mode)).collect();
    if !children.is_empty() {
        kept.insert("child_modules".to_owned(), Json::Array(children));
    }
    Json::Object(kept)
}

fn configuration(module: &Json) -> Json {
    let resources = module["resources"].as_array().into_iter().flatten();
    let resources = resources.filter(|it| it["type"] == "aws_lambda_event_source_mapping").cloned();
    let calls = module["module_calls"].as_object().into_iter().flatten();
    let calls: Map<String, Json> = calls
        .map(|(name, call)| {
            let inner = configuration(&call["module"]);
            (name.clone(), serde_json::json!({ "module": inner }))
        })
        .collect();
    let resources: Json = resources.collect();
    serde_json::json!({ "resources": resources, "module_calls": calls })
}

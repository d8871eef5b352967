//! The command itself, and its manual.

use std::path::Path;

use expect_test::expect;
use kit::tool;
use referee::diagram::system::Kind;
use serde_json::{Value as Json, json};

use super::{MAPPING, read, readme, set};

#[test]
fn the_exit_code_says_whether_the_system_works() {
    let rules = read("events/company-user/referee.yaml");
    let tool = tool!("diagram-system", &rules);
    let run = |name: &str, plan: &Json, more: &[&str]| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("diagram-{name}.json"));
        std::fs::write(&path, serde_json::to_vec(plan).unwrap()).unwrap();
        let path = path.to_str().unwrap();
        let arguments = [&["diagram", "system", "--terraform", path], more].concat();
        let output = tool.command(&arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, mut plan) = readme();
    assert_eq!(run("clean", &plan, &[]).0, 0);
    assert_eq!(run("unknown", &plan, &["--function", "other"]).0, 2);
    let (code, lines) = run("json", &plan, &["--json"]);
    let end = r#"{"type":"summary","boxes":8,"findings":0,"complete":true}"#;
    assert_eq!((code, lines.lines().last().unwrap()), (0, end));
    set(&mut plan, MAPPING, "enabled", &json!(false));
    assert_eq!(run("broken", &plan, &[]).0, 1);
}

#[test]
fn the_rules_of_the_function_are_compared_with_the_file() {
    let rules = read("events/company-user/referee.yaml").replace("[joinedAt, role]", "[role]");
    let tool = tool!("diagram-system-rules", &rules);
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/terraform/readme.json");
    let plan = plan.to_str().unwrap();
    let output = tool.command(&["diagram", "system", "--terraform", plan]).output().unwrap();
    expect![[r#"
        broken[other_rules]: the rules of function `referee` differ from the rule file: mirror `membership`
        help: deploy the rule file; `referee diff` shows what a change means

    "#]].assert_eq(&String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_kind_of_finding_is_documented() {
    let manual = read("docs/diagrams.md");
    for kind in Kind::ALL {
        let row =
            format!("| `{}` | {} | {} |", kind.name(), kind.severity().name(), kind.meaning());
        assert!(manual.contains(&row), "{row}");
    }
}

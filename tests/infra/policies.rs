//! Checks that the module's policies are the ones that `referee iam` prints for the same rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use super::cases::{golden, rule_files};

/// Compares the policies statement by statement.
pub(crate) fn match_referee_iam() {
    for (name, path) in rule_files() {
        let golden = golden(&name);
        let mut expected = statements(&golden["policy"]);
        assert_eq!(expected, statements(&printed(&path, &["--audit"])), "{name}");
        assert!(expected.remove("ScanItems").is_some());
        assert_eq!(expected, statements(&printed(&path, &[])), "{name} without audits");
    }
}

/// Returns the policy that `referee iam` prints.
fn printed(rule_file: &Path, flags: &[&str]) -> Json {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.arg("iam").arg("--rules").arg(rule_file).args(flags);
    // The Region and account of the provider's stand-in, and the bucket that the module names.
    command.args(["--region", "eu-west-1", "--account", "123456789012"]);
    command.args(["--on-failure", "referee-failed-123456789012-eu-west-1"]);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", rule_file.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The actions, resources and condition of each statement, by the statement's name.
type Statements<'p> = BTreeMap<&'p str, (Vec<String>, Vec<String>, Option<&'p Json>)>;

fn statements(policy: &Json) -> Statements<'_> {
    let statements = policy["Statement"].as_array().unwrap().iter().map(|statement| {
        assert_eq!(statement["Effect"], "Allow");
        let resources = texts(&statement["Resource"]).iter().map(|it| of_any_stream(it)).collect();
        let parts = (texts(&statement["Action"]), sorted(resources), statement.get("Condition"));
        (statement["Sid"].as_str().unwrap(), parts)
    });
    statements.collect()
}

/// Reads a string or a list of strings, and sorts the result.
fn texts(value: &Json) -> Vec<String> {
    let all = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
    sorted(all.into_iter().map(|text| text.as_str().unwrap().to_owned()).collect())
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Replaces a stream's label with `*`, because Terraform knows which stream a table has, but the
/// rules do not.
fn of_any_stream(resource: &str) -> String {
    match resource.split_once("/stream/") {
        Some((table, _)) => format!("{table}/stream/*"),
        None => resource.to_owned(),
    }
}

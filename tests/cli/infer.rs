//! Drafts of rule files: they pass `check`, and an audit reports what their evidence says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn referee(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).env_clear().output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Drafts rules from a file, checks that `check` accepts them and that an audit finds exactly what
/// the evidence says, and returns the evidence.
fn draft(items: &Path, options: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("referee.yaml");
    let (items, rules) = (items.to_str().unwrap(), rules.to_str().unwrap());
    let mut arguments = vec!["infer", "--json", "--out", rules, items];
    arguments.extend(options);
    let inferred = referee(&arguments);
    assert!(inferred.status.success(), "{items}: {inferred:?}");
    let checked = referee(&["check", rules]);
    assert!(checked.status.success(), "{items}: {checked:?}");
    let evidence = lines(&inferred);
    let broken: u64 = evidence.iter().filter_map(|line| line["broken"].as_u64()).sum();
    let audited = referee(&["audit", "--json", "--rules", rules, items]);
    let is_reference = |line: &&Value| line["kind"] == "dangling_reference";
    let found = lines(&audited).iter().filter(is_reference).count() as u64;
    assert_eq!(found, broken, "{items}: {audited:?}");
    evidence
}

fn of<'e>(evidence: &'e [Value], kind: &str, name: &str) -> &'e Value {
    let is_it = |line: &&Value| line["type"] == kind && line["name"] == name;
    evidence.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} `{name}`: {evidence:#?}"))
}

fn shop() -> String {
    let mut items = Vec::new();
    for customer in 0..12 {
        if customer != 3 {
            items.push(format!(
                r#"{{"pk":{{"S":"CUSTOMER#c{customer}"}},"sk":{{"S":"PROFILE"}},"name":{{"S":"N{customer}"}}}}"#
            ));
        }
        for order in 0..3 {
            items.push(format!(
                r#"{{"pk":{{"S":"ORDER#{:05}"}},"sk":{{"S":"ORDER"}},"customerId":{{"S":"c{customer}"}},"total":{{"N":"{order}"}}}}"#,
                customer * 3 + order
            ));
        }
    }
    for (team, customer) in (0..4).flat_map(|team| (4..10).map(move |customer| (team, customer))) {
        let (one, two) = (format!("TEAM#t{team}"), format!("CUSTOMER#c{customer}"));
        items.push(format!(
            r#"{{"pk":{{"S":"{one}"}},"sk":{{"S":"{two}"}},"role":{{"S":"r"}},"since":{{"N":"{team}"}}}}"#
        ));
        items.push(format!(r#"{{"pk":{{"S":"{two}"}},"sk":{{"S":"{one}"}},"role":{{"S":"r"}}}}"#));
    }
    format!(r#"{{"shop":[{}]}}"#, items.join(","))
}

#[test]
fn broken_references_do_not_hide_a_rule_and_mirrors_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    std::fs::write(&items, shop()).unwrap();
    let evidence = draft(&items, &[]);
    let reference = of(&evidence, "reference", "order_customer");
    assert_eq!(reference["to"], "customer");
    assert_eq!(reference["verdict"], "BROKEN");
    assert_eq!((&reference["checked"], &reference["broken"]), (&36.into(), &3.into()));
    let mirrors: Vec<_> = evidence.iter().filter(|line| line["type"] == "mirror").collect();
    assert_eq!(mirrors.len(), 1, "{evidence:#?}");
    assert_eq!(mirrors[0]["copy"], serde_json::json!(["role"]));
    assert_eq!(mirrors[0]["missing"], 0);
}

#[test]
fn a_sample_confirms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    std::fs::write(&items, shop()).unwrap();
    let evidence = draft(&items, &["--sample"]);
    let verdicts = evidence.iter().filter_map(|line| line["verdict"].as_str());
    assert!(verdicts.clone().count() > 0);
    assert!(verdicts.clone().all(|verdict| verdict == "SAMPLE" || verdict == "WEAK"));
}

#[test]
fn every_recorded_seed_gives_a_draft_that_passes_the_check() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut count = 0;
    for case in std::fs::read_dir(events).unwrap() {
        let seed = case.unwrap().path().join("seed.json");
        if seed.exists() && std::fs::metadata(&seed).unwrap().len() > 10 {
            draft(&seed, &[]);
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn files_without_items_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.json");
    std::fs::write(&file, "{}").unwrap();
    let inferred = referee(&["infer", file.to_str().unwrap()]);
    assert_eq!(inferred.status.code(), Some(2));
    let message = String::from_utf8(inferred.stderr).unwrap();
    assert_eq!(message, "error: there are no items to infer from\n");
}

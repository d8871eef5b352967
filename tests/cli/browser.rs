//! Diagrams and reports in a real browser, in Mermaid's own renderer, and in Graphviz.
//!
//! `tests/tools/with-chromium.sh` installs them. `browser/check.mjs` has the checks; one browser runs
//! all of them, and each test here reads the result of one.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and prints how long it scrolled"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use kit::environment;

/// Where the browser is; `None` if its tests are skipped.
fn tools() -> Option<String> {
    environment::variable("REFEREE_TEST_CHROMIUM")
}

const ENTITIES: usize = 300;
const FINDINGS: usize = 100_000;

/// Rules whose names and constants are words and signs of the languages of diagrams.
const HOSTILE: &str = r#"
version: 1
tables:
  graph: { key: ["p\"k", "<b>"] }
entities:
  node:
    table: graph
    key: { "p\"k": "node(label=<&amp;>)#{id}", "<b>": "];}}\\" }
    attributes: { "strict\\\" -> ;": S, "</td></tr>": S, "\t\u0007\u2028\uFFFF": S, "%%|": S }
  edge:
    table: graph
    key: { "p\"k": "edge;#{end}", "<b>": "--> \"{class}" }
    attributes: { subgraph: S }
references:
  end: { from: edge, to: node, on: { id: "{subgraph}" }, find: none }
"#;

/// Rules with 300 entities in three tables. Each entity refers to up to two earlier ones.
fn rules() -> String {
    let mut random = fastrand::Rng::with_seed(11);
    let mut text = "version: 1\ntables:\n  app: { key: [pk, sk] }\n  bill: { key: [pk, sk] }\n  \
                    solo: { key: [pk, sk] }\nentities:\n"
        .to_owned();
    let mut references = String::new();
    for entity in 0..ENTITIES {
        let table = match entity {
            0..200 => "app",
            200..299 => "bill",
            _ => "solo",
        };
        let targets: BTreeSet<usize> =
            (0..entity.min(2)).map(|_| random.usize(0..entity)).collect();
        let targets = if entity == 9 { [7].into() } else { targets };
        let ids: String = targets.iter().fold(String::new(), |mut ids, target| {
            let _ = write!(ids, ", e{target}Id: S");
            ids
        });
        let _ = writeln!(
            text,
            "  e{entity}: {{ table: {table}, key: {{ pk: \"e{entity}#{{id}}\", sk: e{entity} }}, \
             attributes: {{ state: S{ids} }} }}"
        );
        for target in targets {
            let _ = writeln!(
                references,
                "  e{entity}_e{target}: {{ from: e{entity}, to: e{target}, \
                 on: {{ id: \"{{e{target}Id}}\" }}, find: none }}"
            );
        }
    }
    format!("{text}references:\n{references}")
}

/// 100,000 findings of a rule, one of them about an item with markup in its key.
fn findings() -> String {
    let mut text = String::new();
    for index in 0..FINDINGS {
        let sort = if index == 77 { "<script>injected = 1</script>" } else { "e9" };
        let line = serde_json::json!({
            "type": "violation", "id": index.to_string(), "rule": "e9_e7", "severity": "error",
            "kind": "dangling_reference", "path": "e7Id", "sequence": null, "action": "reported",
            "referencing": {"table": "app", "key": {"pk": {"S": format!("e9#{index}")}, "sk": {"S": sort}}},
            "referenced": {"table": "app", "key": {"pk": {"S": "e7#1"}, "sk": {"S": "e7"}}},
            "detail": "the referenced `e7` does not exist",
        });
        let _ = writeln!(text, "{line}");
    }
    text + "{\"type\":\"summary\",\"complete\":true}\n"
}

fn referee(arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_referee"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("REFEREE_RULES")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Draws every recorded case and the large rule file, and checks the files in the browser.
fn results(tools: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::write(folder.join("rules.yaml"), rules()).unwrap();
    std::fs::write(folder.join("findings.jsonl"), findings()).unwrap();
    referee(&["report", "rules.yaml", "--audit", "findings.jsonl", "--out", "report.html"], folder);
    let draw = |rules: &str, format: &str, more: &[&str], name: &str| {
        let arguments = [&["diagram", "er", rules, "--format", format], more].concat();
        std::fs::write(folder.join(name), referee(&arguments, folder)).unwrap();
    };
    std::fs::write(folder.join("hostile.yaml"), HOSTILE).unwrap();
    for (format, name) in
        [("mermaid", "hostile.mmd"), ("dot", "hostile.dot"), ("svg", "hostile.svg")]
    {
        draw("hostile.yaml", format, &[], name);
    }
    draw("rules.yaml", "dot", &["--entity", "e9", "--audit", "findings.jsonl"], "near.dot");
    draw("rules.yaml", "svg", &["--audit", "findings.jsonl"], "large.svg");
    draw("rules.yaml", "mermaid", &["--entity", "e9", "--audit", "findings.jsonl"], "near.mmd");
    for case in std::fs::read_dir(root.join("events")).unwrap().map(|entry| entry.unwrap().path()) {
        let rules = case.join("referee.yaml");
        if !rules.is_file() {
            continue;
        }
        let (rules, name) = (rules.to_str().unwrap(), case.file_name().unwrap().to_str().unwrap());
        draw(rules, "mermaid", &[], &format!("{name}.mmd"));
        draw(rules, "dot", &[], &format!("{name}.dot"));
        draw(rules, "svg", &[], &format!("{name}.svg"));
    }
    let check = root.join("tests/cli/browser/check.mjs");
    let output = Command::new("node").arg(check).arg(tools).arg(folder).output().unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let results = lines.lines().filter_map(|line| line.split_once('\t'));
    results.map(|(name, result)| (name.to_owned(), result.to_owned())).collect()
}

/// Fails unless the check with this name succeeded. Passes without a browser.
fn assert_ok(check: &str) {
    static RESULTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let Some(tools) = tools() else { return };
    let results = RESULTS.get_or_init(|| results(&tools));
    assert_eq!(results.get(check).map(String::as_str), Some("ok"), "{check}");
}

#[test]
fn mermaid_draws_every_diagram() {
    assert_ok("mermaid");
}

#[test]
fn graphviz_draws_every_diagram() {
    assert_ok("graphviz");
}

#[test]
fn no_label_overlaps_another_or_leaves_its_box() {
    assert_ok("labels");
}

#[test]
fn markup_in_a_key_is_shown_as_text() {
    assert_ok("untrusted");
}

#[test]
fn the_policy_refuses_other_scripts() {
    assert_ok("policy");
}

#[test]
fn search_finds_attributes_and_moves_to_them() {
    assert_ok("search");
}

#[test]
fn the_keyboard_reaches_entities_and_findings() {
    assert_ok("keyboard");
}

#[test]
fn a_finding_shows_its_item_and_its_fix() {
    assert_ok("finding");
}

#[test]
fn a_path_between_two_entities_is_shown() {
    assert_ok("path");
}

#[test]
fn keys_only_hides_attributes() {
    assert_ok("keys");
}

#[test]
fn the_theme_can_be_switched() {
    assert_ok("theme");
}

#[test]
fn every_control_has_a_name() {
    assert_ok("names");
}

#[test]
fn a_hundred_thousand_findings_scroll_smoothly() {
    assert_ok("smooth");
}

#[test]
fn a_printed_report_has_findings_and_no_buttons() {
    assert_ok("print");
}

#[test]
fn the_report_loads_nothing_and_has_no_errors() {
    assert_ok("problems");
}

//! Checks the documentation against the code: transcripts are run, rule files are checked, and
//! tables are compared.
//!
//! `TRYCMD=overwrite cargo test --test cli` rewrites the transcripts, and `UPDATE_EXPECT=1` the
//! references of the rule file and of the command line.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use referee::diagram::{er, mermaid};
use referee::rules::{self, RuleSource};

/// Pages whose transcripts are sessions: `transcripts.rs` and `tests/live/adopt.rs` run them.
const SESSIONS: [&str; 2] = ["docs/adopt.md", "docs/repair.md"];

pub(super) const DOCUMENTS: [&str; 24] = [
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/DESIGN.md",
    "docs/GUARANTEES.md",
    "docs/actions.md",
    "docs/adopt.md",
    "docs/audit-exports.md",
    "docs/audit-live.md",
    "docs/audit-replica.md",
    "docs/audit-sql.md",
    "docs/cli.md",
    "docs/cost.md",
    "docs/deploy.md",
    "docs/diagnostics.md",
    "docs/diagrams.md",
    "docs/guard.md",
    "docs/infer.md",
    "docs/lambda.md",
    "docs/repair.md",
    "docs/replay.md",
    "docs/rule-file.md",
    "docs/watch.md",
    "events/README.md",
    "infra/README.md",
];

/// The end of the marker before a generated part.
const GENERATED: &str = "--test cli -->\n\n";

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The code blocks of a document in a language.
fn blocks<'d>(document: &'d str, language: &str) -> Vec<&'d str> {
    let opening = format!("\n```{language}\n");
    let rest = document.split(opening.as_str()).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The rows of a document's tables, for rows that begin with a name in backticks: this name, and
/// the names in the second column.
fn rows(document: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let rows = document.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name, rest.split('`').skip(1).step_by(2).collect()))
    });
    rows.collect()
}

/// The folders in a folder.
fn folders(path: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn transcripts_are_what_the_commands_print() {
    let cases = trycmd::TestCases::new();
    cases.register_bin("referee", PathBuf::from(env!("CARGO_BIN_EXE_referee")));
    cases.env("REFEREE_MODE", "");
    for document in DOCUMENTS.into_iter().filter(|document| !SESSIONS.contains(document)) {
        cases.case(document);
    }
}

#[test]
fn the_reference_lists_every_key() {
    let document = read("docs/rule-file.md");
    let (by_hand, _) = document.split_once(GENERATED).unwrap();
    let document = format!("{by_hand}{GENERATED}{}", rules::manual());
    expect_file!["../../docs/rule-file.md"].assert_eq(&document);
}

#[cfg(feature = "live")]
#[test]
fn the_reference_of_the_command_line_matches_its_definition() {
    let document = read("docs/cli.md");
    let (by_hand, _) = document.split_once(GENERATED).unwrap();
    let document = format!("{by_hand}{GENERATED}{}", referee::cli::manual());
    expect_file!["../../docs/cli.md"].assert_eq(&document);
}

/// The README describes each command with the sentence of its help.
#[cfg(feature = "live")]
#[test]
fn the_readme_describes_every_command_as_its_help_does() {
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `referee "));
    let described: Vec<String> = rows.map(without_links).collect();
    let commands = referee::cli::command();
    let expected: Vec<String> = commands
        .get_subcommands()
        .map(|command| {
            format!("| `referee {}` | {} |", command.get_name(), command.get_about().unwrap())
        })
        .collect();
    assert_eq!(described, expected);
}

/// Replaces each link in a line by the link's text.
#[cfg(feature = "live")]
fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once('[') {
        let (shown, after) = link.split_once("](").unwrap();
        let (_, after) = after.split_once(')').unwrap();
        text.extend([before, shown]);
        rest = after;
    }
    text + rest
}

#[cfg(feature = "aws")]
#[test]
fn the_manual_lists_every_metric() {
    let document = read("docs/lambda.md");
    let (before, rest) = document.split_once(GENERATED).unwrap();
    let (_, after) = rest.split_once("\n## ").unwrap();
    let document = format!("{before}{GENERATED}{}\n## {after}", referee::metrics::manual());
    expect_file!["../../docs/lambda.md"].assert_eq(&document);
}

#[test]
fn rule_files_in_the_documentation_are_valid() {
    let mut count = 0;
    for document in DOCUMENTS {
        for block in
            blocks(&read(document), "yaml").iter().filter(|it| it.contains("references:\n"))
        {
            if !block.contains("version: 1\n") {
                continue;
            }
            let source = RuleSource { name: document.to_owned(), text: (*block).to_owned() };
            assert_eq!(rules::load(&source, &|_| None).diagnostics, [], "{document}: {block}");
            count += 1;
        }
    }
    assert!(count >= 2);
}

#[test]
fn the_readme_shows_the_diagram_of_its_rules() {
    const BEGIN: &str = "```mermaid\nerDiagram\n";
    let source =
        RuleSource { name: "README.md".to_owned(), text: read("events/company-user/referee.yaml") };
    let rules = rules::load(&source, &|_| None).rules.unwrap();
    let drawn = mermaid::er(&er::picture(&rules, &er::Selection::default(), None));
    let readme = read("README.md");
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    expect_file!["../../README.md"].assert_eq(&format!("{before}```mermaid\n{drawn}```{after}"));
}

#[test]
fn the_readme_shows_the_rules_that_it_replays() {
    let rules = read("events/company-user/referee.yaml");
    assert!(blocks(&read("README.md"), "yaml").contains(&rules.as_str()));
}

/// The picture of the system in the README is that of its Terraform code and its rules.
#[test]
fn the_readme_shows_the_system_that_its_terraform_code_deploys() {
    let tool = kit::tool!("readme-system", &read("events/company-user/referee.yaml"));
    let plan = root().join("tests/data/terraform/readme.json");
    let arguments = ["diagram", "system", "--terraform", plan.to_str().unwrap()];
    let output = tool.command(&arguments).output().unwrap();
    assert!(output.status.success());
    let drawn = String::from_utf8(output.stdout).unwrap();
    let readme = read("README.md");
    let (before, rest) = readme.split_once("```mermaid\nflowchart").unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    expect_file!["../../README.md"].assert_eq(&format!("{before}```mermaid\n{drawn}```{after}"));
}

#[test]
fn references_in_the_documentation_come_from_recorded_cases() {
    let cases = folders("events").into_iter();
    let rules: Vec<String> =
        cases.map(|case| read(format!("events/{case}/referee.yaml"))).collect();
    let mut count = 0;
    for document in ["README.md", "docs/actions.md"] {
        let text = read(document);
        for shown in blocks(&text, "yaml").into_iter().filter(|it| it.starts_with("references:")) {
            assert!(rules.iter().any(|rules| rules.contains(shown)), "{document}: {shown}");
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn the_json_lines_are_documented() {
    let manual = read("docs/replay.md");
    let documented = rows(&manual);
    for case in folders("events") {
        for line in read(format!("events/{case}/expected.jsonl")).lines() {
            let line: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).unwrap();
            let kind = line["type"].as_str().unwrap();
            let keys = documented.get(kind).unwrap();
            for key in line.keys().filter(|key| *key != "type") {
                assert!(keys.contains(key.as_str()), "`{key}` of `{kind}`, in `{case}`");
            }
            for word in ["kind", "action", "op"].into_iter().filter_map(|key| line.get(key)) {
                let word = word.as_str().unwrap();
                assert!(manual.contains(&format!("`{word}`")), "`{word}`, in `{case}`");
            }
        }
    }
}

#[test]
fn the_readme_names_every_key_of_the_rule_file() {
    let readme = read("README.md");
    let documented = rows(&readme);
    let schema = rules::schema();
    for section in ["tables", "entities", "references", "mirrors"] {
        let keys = &schema["properties"][section]["additionalProperties"]["properties"];
        let keys: BTreeSet<&str> = keys.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(documented[section], keys, "{section}");
    }
}

#[test]
fn every_recorded_case_is_described() {
    let document = read("events/README.md");
    let described: BTreeSet<String> =
        rows(&document).into_keys().filter(|name| !name.contains('.')).map(str::to_owned).collect();
    assert_eq!(described, folders("events"));
}

#[test]
fn the_code_map_has_every_folder() {
    let document = read("docs/ARCHITECTURE.md");
    for folder in folders("src") {
        assert!(document.contains(&format!("- `src/{folder}/`")), "`src/{folder}/`");
    }
}

#[test]
fn links_have_existing_targets() {
    for document in DOCUMENTS {
        let folder = root().join(document).parent().unwrap().to_owned();
        let text = read(document);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() { root().join(document) } else { folder.join(path) };
            assert!(linked.exists(), "`{target}` of {document}");
            let anchors: Vec<String> = if anchor.is_empty() {
                Vec::new()
            } else {
                std::fs::read_to_string(linked).unwrap().lines().filter_map(anchor_of).collect()
            };
            assert!(anchor.is_empty() || anchors.contains(&anchor.to_owned()), "`{target}`");
        }
    }
}

/// A link to a Rust file, with a name in backticks as its text, must name a test in that file: a
/// function, or a trial by its text.
#[test]
fn the_tests_named_in_the_guarantees_exist() {
    let text = read("docs/GUARANTEES.md");
    let mut count = 0;
    for link in text.split("[`").skip(1) {
        let (name, rest) = link.split_once('`').unwrap();
        let Some(path) = rest.strip_prefix("](../").and_then(|rest| rest.split(')').next()) else {
            continue;
        };
        if Path::new(path).extension().is_none_or(|it| it != "rs") || name.contains(' ') {
            continue;
        }
        let code = read(path);
        let is_there =
            code.contains(&format!("fn {name}(")) || code.contains(&format!("\"{name}\""));
        assert!(is_there, "`{name}` is not in `{path}`");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

/// The anchor of a heading's line.
fn anchor_of(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = title.chars().filter(|char| char.is_alphanumeric() || " _-".contains(*char));
    Some(kept.map(|char| if char == ' ' { '-' } else { char.to_ascii_lowercase() }).collect())
}

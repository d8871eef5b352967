//! Every fixture under `events/`: the output of `referee replay` and the final content of the
//! tables equal the golden files beside it.
//!
//! `UPDATE_EXPECT=1 cargo test --test cases golden` rewrites the golden files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect_file;
use kit::fixture::rule_files;
use libtest_mimic::{Failed, Trial};

/// A test, given the rule file of a case.
type Test = fn(&Path) -> Result<(), Failed>;

/// Returns two trials for each case.
pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 2] = [
        ("matches_golden_files", matches_golden_files),
        ("second_delivery_changes_nothing", second_delivery_changes_nothing),
    ];
    let trial = |rules: &Path, (name, test): (&str, Test)| {
        let case = rules.parent().and_then(Path::file_name).unwrap().display();
        let rules = rules.to_owned();
        Trial::test(format!("golden::{name}::{case}"), move || test(&rules))
    };
    let files = rule_files();
    files.iter().flat_map(|rules| tests.map(|test| trial(rules, test))).collect()
}

fn matches_golden_files(rules: &Path) -> Result<(), Failed> {
    let case = rules.parent().ok_or("a fixture has a folder")?;
    let dump = tempfile::NamedTempFile::new()?;
    let output = replay(case, dump.path(), &[])?;
    let found = String::from_utf8(output.stdout)?;
    let code = output.status.code().ok_or("the command was killed")?;
    assert_eq!(String::from_utf8(output.stderr)?, "");
    assert_eq!(code, i32::from(has_findings(&found)), "{found}");
    // Events are named by their paths, and golden files must not contain the path of the checkout.
    let found = found.replace(&format!("{}/", case.display()), "");
    let absolute = std::env::current_dir()?.join(case);
    expect_file![absolute.join("expected.jsonl")].assert_eq(&found);
    expect_file![absolute.join("after.json")].assert_eq(&std::fs::read_to_string(dump.path())?);
    Ok(())
}

/// Delivering all records of a fixture twice leaves the same content as delivering them once.
fn second_delivery_changes_nothing(rules: &Path) -> Result<(), Failed> {
    let case = rules.parent().ok_or("a fixture has a folder")?;
    let dump = tempfile::NamedTempFile::new()?;
    let again = case.join("stream").display().to_string();
    replay(case, dump.path(), &[&again])?;
    let once = std::fs::read_to_string(case.join("after.json"))?;
    assert_eq!(std::fs::read_to_string(dump.path())?, once);
    Ok(())
}

fn replay(case: &Path, dump: &Path, more: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.arg("replay").arg("--json").arg("--rules").arg(case.join("referee.yaml"));
    if case.join("seed.json").exists() {
        command.arg("--seed").arg(case.join("seed.json"));
    }
    command.arg("--dump").arg(dump).arg(case.join("stream")).args(more).output()
}

fn has_findings(lines: &str) -> bool {
    lines.lines().any(|line| {
        line.contains(r#""type":"rejected""#)
            || (line.contains(r#""type":"violation""#) && line.contains(r#""severity":"error""#))
    })
}

//! Every fixture under `events/`: the output of `referee replay` and the final content of the
//! tables equal the golden files beside it.
//!
//! `UPDATE_EXPECT=1 cargo test --test fixtures` rewrites the golden files.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect_file;

fn matches_golden_files(rules: &Path) -> datatest_stable::Result<()> {
    let case = rules.parent().ok_or("a fixture has a folder")?;
    let dump = tempfile::NamedTempFile::new()?;
    let output = replay(case, dump.path(), &[])?;
    let found = String::from_utf8(output.stdout)?;
    let code = output.status.code().ok_or("the command was killed")?;
    assert_eq!(String::from_utf8(output.stderr)?, "");
    assert_eq!(code, i32::from(has_findings(&found)), "{found}");
    // Events are named by their paths; golden files must not know where the checkout is.
    let found = found.replace(&format!("{}/", case.display()), "");
    let absolute = std::env::current_dir()?.join(case);
    expect_file![absolute.join("expected.jsonl")].assert_eq(&found);
    expect_file![absolute.join("after.json")].assert_eq(&std::fs::read_to_string(dump.path())?);
    Ok(())
}

/// A fixture that is delivered twice as a whole ends with the same content.
fn second_delivery_changes_nothing(rules: &Path) -> datatest_stable::Result<()> {
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

datatest_stable::harness! {
    { test = matches_golden_files, root = "events", pattern = r"/referee\.yaml$" },
    { test = second_delivery_changes_nothing, root = "events", pattern = r"/referee\.yaml$" },
}

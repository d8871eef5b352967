//! Runs the transcript of a document as one session in a folder of its own, because its commands
//! write files that later commands read.
//!
//! `UPDATE_EXPECT=1 cargo test --test cli transcripts` writes the output into the document.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

use expect_test::expect_file;
use kit::transcript::{last_block, shown, with_output};

/// Runs a command line, and returns what a terminal would show.
fn run(folder: &Path, line: &str) -> String {
    let (line, to) = line.split_once(" > ").unwrap_or((line, ""));
    let arguments = line.strip_prefix("referee ").unwrap().split(' ');
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).current_dir(folder).env_clear();
    let to = (!to.is_empty()).then(|| folder.join(to));
    shown(&mut command, to.as_deref())
}

#[test]
fn a_repair_is_as_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/repair.md");
    let document = std::fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (file, language) in [("referee.yaml", "yaml"), ("tables.json", "json")] {
        let text = last_block(&document, language).unwrap();
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let shown = with_output(&document, |_, line| run(folder.path(), line));
    expect_file!["../../docs/repair.md"].assert_eq(&shown);
}

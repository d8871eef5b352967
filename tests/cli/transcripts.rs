//! Runs the transcript of a document as one session in a folder of its own, because its commands
//! write files that later commands read.
//!
//! `UPDATE_EXPECT=1 cargo test --test cli transcripts` writes the output into the document.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;

/// The first block of a document in a language.
fn block<'d>(document: &'d str, language: &str) -> &'d str {
    let (_, rest) = document.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split("```").next().unwrap()
}

/// Runs a command line, and returns what a terminal would show.
fn run(folder: &Path, line: &str) -> String {
    let (line, to) = line.split_once(" > ").unwrap_or((line, ""));
    let arguments = line.strip_prefix("referee ").unwrap().split(' ');
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    let output = command.args(arguments).current_dir(folder).env_clear().output().unwrap();
    let mut text = String::new();
    if to.is_empty() {
        text += &String::from_utf8(output.stdout).unwrap();
    } else {
        std::fs::write(folder.join(to), output.stdout).unwrap();
    }
    text += &String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        Some(0) => text,
        code => format!("? {}\n{text}", code.unwrap()),
    }
}

/// The document with the output of its commands.
fn with_output(document: &str, folder: &Path) -> String {
    let mut text = String::new();
    let (mut is_console, mut is_output) = (false, false);
    for line in document.lines() {
        if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            writeln!(text, "{line}\n{}", run(folder, command)).unwrap();
            is_output = true;
            continue;
        }
        if line == "```console" {
            is_console = true;
        } else if line == "```" {
            (is_console, is_output) = (false, false);
        }
        if !is_output {
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

#[test]
fn a_repair_is_as_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/repair.md");
    let document = std::fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("referee.yaml"), block(&document, "yaml")).unwrap();
    std::fs::write(folder.path().join("tables.json"), block(&document, "json")).unwrap();
    expect_file!["../../docs/repair.md"].assert_eq(&with_output(&document, folder.path()));
}

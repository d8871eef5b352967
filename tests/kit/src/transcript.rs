//! Captures the output of a process, and runs the transcripts of documents.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a command, and returns its exit code, stdout and stderr as text.
pub fn transcript(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr)
    )
}

/// Replaces the time at the beginning of each line of a watcher.
pub fn with_times(text: &str, time: &str) -> String {
    const LENGTH: usize = "2026-11-20T08:00:00Z ".len();
    let without = |line: &str| {
        let (found, rest) = line.split_at_checked(LENGTH)?;
        let is_time = found.ends_with("Z ") && found.get(10..11) == Some("T");
        is_time.then(|| format!("{time}{rest}"))
    };
    text.split_inclusive('\n')
        .map(|line| without(line).unwrap_or_else(|| line.to_owned()))
        .collect()
}

/// Removes the lines of progress, which are written only if the machine is slow.
pub fn without_progress(text: &str) -> String {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_progress = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            // A scan and a write have a rate. A check has none.
            [done, "of", total, "finding" | "findings"] => is_number(done) && is_number(total),
            [done, ..] => {
                is_number(done) && (line.contains(" items/s, ") || line.contains("/s, about "))
            }
            [] => false,
        }
    };
    text.split_inclusive('\n').filter(|line| !is_progress(line)).collect()
}

/// Runs a command, and returns what a terminal would show, with a line of the exit code if it is not
/// 0. If `to` names a file, stdout goes there.
pub fn shown(command: &mut Command, to: Option<&Path>) -> String {
    let (mut reader, writer) = std::io::pipe().unwrap();
    match to {
        None => command.stdout(writer.try_clone().unwrap()),
        Some(file) => command.stdout(File::create(file).unwrap()),
    };
    let mut child = command.stdin(Stdio::null()).stderr(writer).spawn().unwrap();
    // The command holds the other ends of the pipe.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    match child.wait().unwrap().code() {
        Some(0) => text,
        code => format!("? {}\n{text}", code.unwrap()),
    }
}

/// A document with the output of its commands: `run` runs each command line of its transcripts, in
/// their order, and gets the document's text before the line.
pub fn with_output(document: &str, mut run: impl FnMut(&str, &str) -> String) -> String {
    let mut text = String::new();
    let (mut is_console, mut is_output) = (false, false);
    for line in document.lines() {
        if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            let output = run(&text, command);
            writeln!(text, "{line}\n{output}").unwrap();
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

/// The last block of a document in a language.
pub fn last_block<'d>(document: &'d str, language: &str) -> Option<&'d str> {
    let (_, rest) = document.rsplit_once(&format!("\n```{language}\n"))?;
    rest.split("```").next()
}

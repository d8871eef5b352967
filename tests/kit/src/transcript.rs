//! Captures the output of a process.

use std::process::Command;

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

//! The process that runs and parses scripts.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use referee::audit::sql::Dialect;
use serde_json::{Value as Json, json};

/// A running process.
pub(super) struct Engine {
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Engine {
    /// Starts the process with this interpreter of Python.
    pub(super) fn start(python: &OsStr) -> Self {
        let mut process = Command::new(python)
            .arg("tests/cases/sql/run.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, pipes: Mutex::new((input, output)) }
    }

    /// The lines that a script for DuckDB returns.
    pub(super) fn run(&self, script: &str) -> Result<Vec<String>, String> {
        let answer = self.ask(&json!({ "dialect": "duckdb", "script": script }))?;
        Ok(serde_json::from_value(answer["lines"].clone()).unwrap())
    }

    /// Whether a script has the syntax of its dialect.
    pub(super) fn parse(&self, dialect: Dialect, script: &str) -> Result<(), String> {
        self.ask(&json!({ "dialect": dialect.name(), "script": script })).map(|_| ())
    }

    fn ask(&self, request: &Json) -> Result<Json, String> {
        let mut pipes = self.pipes.lock().unwrap();
        let (input, output) = &mut *pipes;
        writeln!(input, "{request}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let answer: Json = serde_json::from_str(&line).unwrap();
        answer["error"].as_str().map_or(Ok(answer.clone()), |error| Err(error.to_owned()))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

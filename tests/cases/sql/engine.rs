//! The process that runs and parses scripts.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use referee::audit::sql::{self, Dialect, Options};
use referee::rules::Rules;
use serde_json::{Value as Json, json};

/// A running process.
pub(super) struct Engine {
    dialect: Dialect,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Engine {
    /// Starts the process that runs scripts of this dialect, with this interpreter of Python.
    pub(super) fn start(dialect: Dialect, python: &OsStr) -> Self {
        let program = match dialect {
            Dialect::Spark => "tests/cases/sql/run_spark.py",
            Dialect::Athena | Dialect::DuckDb => "tests/cases/sql/run.py",
        };
        let mut process = Command::new(python)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { dialect, process, pipes: Mutex::new((input, output)) }
    }

    /// Runs the audit on these files, and returns its lines.
    pub(super) fn run(&self, rules: &Rules, options: &Options) -> Result<Vec<String>, String> {
        let script = sql::script(rules, self.dialect, options);
        let answer = self.ask(&json!({ "dialect": self.dialect.name(), "script": script }))?;
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

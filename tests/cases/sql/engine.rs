//! The processes that run and parse scripts.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use referee::audit::sql::{self, Dialect, Options};
use referee::rules::Rules;
use serde_json::{Value as Json, json};

/// The idle processes of a dialect. Python takes longer to start than most scripts take to run.
pub(super) struct Engines {
    dialect: Dialect,
    python: OsString,
    idle: Mutex<Vec<Engine>>,
}

impl Engines {
    /// Creates a pool without processes, for this interpreter of Python.
    pub(super) const fn new(dialect: Dialect, python: OsString) -> Self {
        Self { dialect, python, idle: Mutex::new(Vec::new()) }
    }

    /// Calls a function with an idle process, or with a new one if there is none. After a panic, no
    /// other call uses the same process.
    pub(super) fn lend<T>(&self, call: impl FnOnce(&Engine) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let engine = lent.unwrap_or_else(|| Engine::start(self.dialect, &self.python));
        let result = call(&engine);
        idle().push(engine);
        result
    }
}

/// A running process.
pub(super) struct Engine {
    dialect: Dialect,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Engine {
    /// Starts the process that runs scripts of this dialect, with this interpreter of Python.
    fn start(dialect: Dialect, python: &OsStr) -> Self {
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

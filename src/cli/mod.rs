//! The command-line tool: one file per verb.
//!
//! Results go to stdout, as JSON Lines with `--json`; messages for people go to stderr.

mod check;
mod explain;
mod guard;
mod iam;
mod init;
mod input;
mod item;
mod lines;
#[cfg(feature = "live")]
mod live;
mod names;
mod output;
mod render;
mod replay;
mod rule_file;
mod schema;
#[cfg(feature = "live")]
mod watch;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use explain::markdown;
pub use output::Output;
pub use render::{human, json};

/// Referential integrity for DynamoDB, after the fact.
#[derive(Debug, Parser)]
#[command(name = "referee", version, about, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    /// The rule file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "REFEREE_RULES",
        default_value = "referee.yaml"
    )]
    rules: PathBuf,

    /// Print results as JSON Lines.
    #[arg(long, global = true)]
    json: bool,

    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented rule file to start from.
    Init(init::Args),
    /// Check the rule file, and show all its problems.
    Check(check::Args),
    /// Explain the code of a diagnostic, or what the rules see in an item.
    Explain(explain::Args),
    /// Replay recorded stream events through the rules, on an embedded store.
    Replay(replay::Args),
    /// Follow the streams of real tables, without a Lambda.
    #[cfg(feature = "live")]
    Watch(watch::Args),
    /// Print the transaction that writes an item only if its references are whole.
    Guard(guard::Args),
    /// Print the least-privilege IAM policy that the function needs for the rules.
    Iam(iam::Args),
    /// Print the JSON Schema of rule files, for editors.
    Schema(schema::Args),
}

/// What a verb was asked to do with, besides its own arguments.
struct Context<'c> {
    /// The path of the rule file.
    rules: PathBuf,
    /// Whether results are JSON Lines.
    json: bool,
    /// Whether messages have colour.
    color: bool,
    output: Output<'c>,
    /// The environment variables.
    environment: &'c dyn Fn(&str) -> Option<String>,
}

/// How a verb ended that did what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing is wrong.
    Clean,
    /// Something is.
    Findings,
}

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// What was asked for is not possible.
    #[error("{0}")]
    Usage(String),
    /// The rule file has errors, which have been reported.
    #[error("the rule file has errors")]
    Rules,
    /// It was begun and could not be brought to its end.
    #[error("incomplete: {0}")]
    Incomplete(String),
    /// A file could not be written.
    #[error("cannot write `{0}`: {1}")]
    File(String, io::Error),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Rules => ExitCode::from(2),
            Self::Incomplete(_) | Self::File(..) | Self::Output(_) => ExitCode::from(3),
        }
    }
}

/// Runs the tool with the process's arguments, environment and output.
#[must_use]
pub fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge: what is read goes on as an argument"
    )]
    let environment = |name: &str| std::env::var(name).ok();
    let output = Output::new(Box::new(io::stdout().lock()), Box::new(io::stderr().lock()));
    run(std::env::args_os(), output, &environment, io::stderr().is_terminal())
}

fn run(
    arguments: impl Iterator<Item = OsString>,
    output: Output<'_>,
    environment: &dyn Fn(&str) -> Option<String>,
    is_terminal: bool,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, output),
    };
    let set = |name| environment(name).is_some_and(|value| !value.is_empty());
    let color = match cli.color {
        Color::Auto => is_terminal && !set("NO_COLOR"),
        Color::Always => true,
        Color::Never => false,
    };
    let mut context = Context { rules: cli.rules, json: cli.json, color, output, environment };
    let done = cli.verb.run(&mut context);
    // What could not be written goes before what it would have said.
    let done = match context.output.flush() {
        Ok(()) => done,
        Err(error) => Err(Failure::Output(error)),
    };
    match done {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            if !matches!(failure, Failure::Rules) {
                // If not even this can be written, the exit code has to do.
                let _ = context.output.message(&format!("error: {failure}\n"));
                let _ = context.output.flush();
            }
            failure.exit_code()
        }
    }
}

/// Help and version go to stdout, and mistakes in the arguments to stderr.
fn usage(error: &clap::Error, mut output: Output<'_>) -> ExitCode {
    let text = error.render();
    let written = if error.use_stderr() {
        output.message(&text.to_string())
    } else {
        output.result(&text.to_string())
    };
    match written.and_then(|()| output.flush()) {
        Ok(()) => u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            let failure = Failure::Output(error);
            let _ = output.message(&format!("error: {failure}\n"));
            let _ = output.flush();
            failure.exit_code()
        }
    }
}

impl Verb {
    fn run(self, context: &mut Context<'_>) -> Result<Outcome, Failure> {
        match self {
            Self::Init(arguments) => init::run(&arguments, context),
            Self::Check(arguments) => check::run(&arguments, context),
            Self::Explain(arguments) => explain::run(&arguments, context),
            Self::Replay(arguments) => replay::run(&arguments, context),
            #[cfg(feature = "live")]
            Self::Watch(arguments) => watch::run(&arguments, context),
            Self::Guard(arguments) => guard::run(&arguments, context),
            Self::Iam(arguments) => iam::run(arguments, context),
            Self::Schema(arguments) => schema::run(&arguments, context),
        }
    }
}

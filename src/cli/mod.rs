//! The command-line tool: one file per command.
//!
//! Results go to stdout, as JSON Lines with `--json`; messages go to stderr. The help, the shell
//! completions, the manual pages and `docs/cli.md` are all generated from the definitions of the
//! arguments.

mod at;
mod audit;
mod backfill;
mod check;
mod completions;
mod coverage;
mod diagram;
mod diff;
mod explain;
mod guard;
mod help;
mod iam;
mod infer;
mod init;
mod input;
mod item;
mod job;
mod lines;
#[cfg(feature = "live")]
mod live;
mod manual;
mod names;
mod output;
mod progress;
#[cfg(feature = "live")]
mod record;
mod render;
mod repair;
mod replay;
mod report;
mod rule_file;
mod schema;
#[cfg(feature = "live")]
mod signals;
mod tables;
mod test;
#[cfg(feature = "live")]
mod watch;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use self::help::{GLOBAL, examples, exit_codes};

pub use explain::markdown;
pub use help::command;
pub use manual::manual;
pub use output::Output;
pub use render::{human, json};

/// The command line. clap takes its description from `Cargo.toml`.
#[derive(Debug, Parser)]
#[command(
    name = "referee",
    version,
    about,
    after_help = exit_codes(),
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    /// The rule file.
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "FILE",
        env = "REFEREE_RULES",
        default_value = "referee.yaml"
    )]
    rules: PathBuf,

    /// Print results as JSON Lines.
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,

    /// When to use colour.
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto
    )]
    color: Color,

    #[command(subcommand)]
    command: Command,
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
enum Command {
    /// Write a commented rule file to start from.
    #[command(after_help = examples(init::EXAMPLES))]
    Init(init::Args),
    /// Draft a rule file from the items of tables, with the evidence for each rule.
    #[command(after_help = examples(infer::EXAMPLES))]
    Infer(infer::Args),
    /// Check the rule file and report all its problems.
    #[command(after_help = examples(check::EXAMPLES))]
    Check(check::Args),
    /// Explain a rule, an entity, a kind of violation or a code, or how the rules apply to an item.
    #[command(after_help = examples(explain::EXAMPLES))]
    Explain(explain::Args),
    /// Run recorded stream events through the rules, and print violations and writes.
    #[command(after_help = examples(replay::EXAMPLES))]
    Replay(replay::Args),
    /// Run recorded cases, and compare their results with the expected ones.
    #[command(after_help = examples(test::EXAMPLES))]
    Test(test::Args),
    /// Print what changes from one rule file to another, for the data and for permissions.
    #[command(after_help = examples(diff::EXAMPLES))]
    Diff(diff::Args),
    /// Check the items that exist against the rules, or compare a table with its replica.
    #[command(after_help = examples(audit::EXAMPLES))]
    Audit(audit::Args),
    /// Write the mirrors that should exist and do not.
    #[command(after_help = examples(backfill::EXAMPLES))]
    Backfill(backfill::Args),
    /// Plan and make the writes that resolve the findings of an audit, and take them back.
    #[command(after_help = examples(repair::EXAMPLES))]
    Repair(repair::Args),
    /// Process the streams of real tables, without a Lambda function.
    #[cfg(feature = "live")]
    #[command(after_help = examples(watch::EXAMPLES))]
    Watch(watch::Args),
    /// Record the streams of real tables as events for `replay`.
    #[cfg(feature = "live")]
    #[command(after_help = examples(record::EXAMPLES))]
    Record(record::Args),
    /// Draw the rules, or what is deployed around the function.
    #[command(after_help = examples(diagram::EXAMPLES))]
    Diagram(diagram::Args),
    /// Write a page with diagrams, rules and the findings of an audit.
    #[command(after_help = examples(report::EXAMPLES))]
    Report(report::Args),
    /// Print a transaction that writes an item only if the items it refers to exist.
    #[command(after_help = examples(guard::EXAMPLES))]
    Guard(guard::Args),
    /// Print the least-privilege IAM policy for the Lambda function.
    #[command(after_help = examples(iam::EXAMPLES))]
    Iam(iam::Args),
    /// Print the JSON Schema of the rule file, for completion in editors.
    #[command(after_help = examples(schema::EXAMPLES))]
    Schema(schema::Args),
    /// Print the completion script for a shell.
    #[command(after_help = examples(completions::EXAMPLES))]
    Completions(completions::Args),
}

/// The global options, the output and the environment of a command.
struct Context<'c> {
    /// The path of the rule file.
    rules: PathBuf,
    /// Whether the command line names the rule file.
    are_rules_given: bool,
    /// Whether results are JSON Lines.
    json: bool,
    colors: Colors,
    output: Output<'c>,
    /// Looks up an environment variable.
    environment: &'c dyn Fn(&str) -> Option<String>,
}

/// What has colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Colors {
    results: bool,
    messages: bool,
}

/// The result of a command that finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing is wrong.
    Clean,
    /// Violations or rejected records were found.
    Findings,
}

/// Why a command did not finish.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The arguments, or the files that they name, cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The rule file has errors, which have been reported.
    #[error("the rule file has errors")]
    Rules,
    /// The command started and could not finish.
    #[error("incomplete: {0}")]
    Incomplete(String),
    /// A file could not be written.
    #[error("cannot write `{0}`: {1}")]
    File(String, io::Error),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// The exit code of a command that did not finish.
const EXIT_INCOMPLETE: u8 = 3;

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Rules => ExitCode::from(2),
            Self::Incomplete(_) | Self::File(..) | Self::Output(_) => {
                ExitCode::from(EXIT_INCOMPLETE)
            }
        }
    }
}

/// Runs the tool with the process's arguments, environment and output.
#[must_use]
pub fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read here, and passed on as an argument"
    )]
    let environment = |name: &str| std::env::var(name).ok();
    let output = Output::new(Box::new(io::stdout().lock()), Box::new(io::stderr().lock()));
    let are_terminals = [io::stderr().is_terminal(), io::stdout().is_terminal()];
    run(std::env::args_os(), output, &environment, are_terminals)
}

fn run(
    arguments: impl Iterator<Item = OsString>,
    output: Output<'_>,
    environment: &dyn Fn(&str) -> Option<String>,
    are_terminals: [bool; 2],
) -> ExitCode {
    let parsed = Cli::command().try_get_matches_from(arguments);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, output),
    };
    let are_rules_given = matches.value_source("rules") == Some(ValueSource::CommandLine);
    let set = |name| environment(name).is_some_and(|value| !value.is_empty());
    let [messages, results] = are_terminals.map(|is_terminal| match cli.color {
        Color::Auto => is_terminal && !set("NO_COLOR"),
        Color::Always => true,
        Color::Never => false,
    });
    let colors = Colors { results, messages };
    let (rules, json) = (cli.rules, cli.json);
    let mut context = Context { rules, are_rules_given, json, colors, output, environment };
    let done = cli.command.run(&mut context);
    // If the output cannot be written, that error is reported instead of the result.
    let done = match context.output.flush() {
        Ok(()) => done,
        Err(error) => Err(Failure::Output(error)),
    };
    match done {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            if !matches!(failure, Failure::Rules) {
                // If this cannot be written either, the exit code alone reports the failure.
                let _ = context.output.message(&format!("error: {failure}\n"));
                let _ = context.output.flush();
            }
            failure.exit_code()
        }
    }
}

/// Prints help and version to stdout, and errors in the arguments to stderr.
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

impl Command {
    fn run(self, context: &mut Context<'_>) -> Result<Outcome, Failure> {
        match self {
            Self::Init(arguments) => init::run(&arguments, context),
            Self::Infer(arguments) => infer::run(&arguments, context),
            Self::Check(arguments) => check::run(&arguments, context),
            Self::Explain(arguments) => explain::run(&arguments, context),
            Self::Replay(arguments) => replay::run(&arguments, context),
            Self::Test(arguments) => test::run(&arguments, context),
            Self::Diff(arguments) => diff::run(&arguments, context),
            Self::Audit(arguments) => audit::run(arguments, context),
            Self::Backfill(arguments) => backfill::run(&arguments, context),
            Self::Repair(arguments) => repair::run(&arguments, context),
            #[cfg(feature = "live")]
            Self::Watch(arguments) => watch::run(&arguments, context),
            #[cfg(feature = "live")]
            Self::Record(arguments) => record::run(&arguments, context),
            Self::Diagram(arguments) => diagram::run(&arguments, context),
            Self::Report(arguments) => report::run(&arguments, context),
            Self::Guard(arguments) => guard::run(&arguments, context),
            Self::Iam(arguments) => iam::run(arguments, context),
            Self::Schema(arguments) => schema::run(&arguments, context),
            Self::Completions(arguments) => completions::run(&arguments, context),
        }
    }
}

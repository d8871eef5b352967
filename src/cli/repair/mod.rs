//! `referee repair`: plans the writes that resolve the findings of an audit, makes them, and takes
//! them back.

pub(in crate::cli) mod apply;
pub(in crate::cli) mod findings;
mod journal_file;
pub(in crate::cli) mod plan;
mod report;
mod undo;
mod verify;

use clap::Subcommand;

use super::help::{Example, examples};
use super::{Context, Failure, Outcome};
use crate::repair::{JournalError, PlanError, Stopped};

pub(super) const EXAMPLES: &[Example] = &[
    (
        "Plan the repairs of what an audit found, and review the plan",
        "referee repair plan --live --out plan.jsonl findings.jsonl",
    ),
    ("Make the writes of the plan", "referee repair apply --live plan.jsonl"),
    ("Check what is left", "referee repair verify --live plan.jsonl"),
    ("Take the writes back", "referee repair undo --live plan.jsonl.journal"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plan the writes that resolve findings, and write nothing to the tables.
    #[command(after_help = examples(plan::EXAMPLES))]
    Plan(plan::Args),
    /// Make the writes of a plan, each only if its guard still holds.
    #[command(after_help = examples(apply::EXAMPLES))]
    Apply(apply::Args),
    /// Check the items of a plan again, and report what is left.
    #[command(after_help = examples(verify::EXAMPLES))]
    Verify(verify::Args),
    /// Take back the writes of a journal, each only if its item is still as the write left it.
    #[command(after_help = examples(undo::EXAMPLES))]
    Undo(undo::Args),
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Plan(arguments) => plan::run(arguments, context),
        Command::Apply(arguments) => apply::run(arguments, context),
        Command::Verify(arguments) => verify::run(arguments, context),
        Command::Undo(arguments) => undo::run(arguments, context),
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        if let JournalError::Io(..) = error {
            Self::Incomplete(error.to_string())
        } else {
            Self::Usage(error.to_string())
        }
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Store(error) => Self::Incomplete(error.to_string()),
            Stopped::Claims(error) => Self::Usage(error.to_string()),
            Stopped::Plan(error) => error.into(),
            Stopped::Journal(error) => error.into(),
            Stopped::Output(error) => Self::Output(error),
        }
    }
}

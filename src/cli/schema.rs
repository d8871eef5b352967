//! `referee schema`: prints the JSON Schema of the rule file.

use super::help::Example;
use super::{Context, Failure, Outcome};
use crate::rules;

pub(super) const EXAMPLES: &[Example] =
    &[("Save the schema for an editor", "referee schema > referee.schema.json")];

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let schema = rules::schema();
    // With `--json`, the schema is one line, because JSON Lines have one line per result. Otherwise
    // it is indented.
    if context.json {
        context.output.json(&schema)?;
    } else {
        context.output.result(&format!("{schema:#}\n"))?;
    }
    Ok(Outcome::Clean)
}

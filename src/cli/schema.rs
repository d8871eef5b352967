//! `referee schema`: the JSON Schema of rule files.

use super::{Context, Failure, Outcome};
use crate::rules;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let schema = rules::schema();
    // Results in JSON Lines are a line each; for everyone else it is laid out.
    if context.json {
        context.output.json(&schema)?;
    } else {
        context.output.result(&format!("{schema:#}\n"))?;
    }
    Ok(Outcome::Clean)
}

//! `referee check`: all the problems of a rule file.

use super::rule_file::{self, counts};
use super::{Context, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let rules = rule_file::check(context)?;
    if !context.json {
        let declared = counts(&[
            (rules.tables.len(), "table"),
            (rules.entities.len(), "entity"),
            (rules.references.len(), "reference"),
            (rules.mirrors.len(), "mirror"),
        ]);
        let name = context.rules.display();
        context.output.message(&format!("`{name}` can be used: {declared}\n"))?;
    }
    Ok(Outcome::Clean)
}

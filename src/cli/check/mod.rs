//! `referee check`: all the problems of a rule file, and what of the real tables is not as it says.

#[cfg(feature = "live")]
mod live;

use super::rule_file::{self, counts};
use super::{Context, Failure, Outcome};
use crate::rules::Rules;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Compare the rule file with the tables of the AWS account and Region that the environment
    /// names
    #[arg(long, group = "tables", hide = cfg!(not(feature = "live")))]
    live: bool,

    /// Compare the rule file with the tables at this endpoint
    #[arg(long, value_name = "URL", group = "tables", hide = cfg!(not(feature = "live")))]
    #[cfg_attr(feature = "live", arg(value_parser = super::live::endpoint_url))]
    endpoint_url: Option<String>,
}

impl Args {
    /// Whether real tables are to be looked at.
    fn is_live(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if arguments.is_live() {
        return check_live(arguments, context);
    }
    let rules = rule_file::check(context)?;
    conclude(&rules, "", context)
}

#[cfg(feature = "live")]
fn check_live(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let rules = live::check(arguments.endpoint_url.as_deref(), context)?;
    conclude(&rules, ", and the tables are as it says", context)
}

#[cfg(not(feature = "live"))]
fn check_live(_: &Args, _: &mut Context<'_>) -> Result<Outcome, Failure> {
    Err(Failure::Usage(
        "this `referee` cannot reach tables\nhelp: build it with `--features live`".to_owned(),
    ))
}

/// Tells that nothing is wrong.
fn conclude(rules: &Rules, also: &str, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if !context.json {
        let declared = counts(&[
            (rules.tables.len(), "table"),
            (rules.entities.len(), "entity"),
            (rules.references.len(), "reference"),
            (rules.mirrors.len(), "mirror"),
        ]);
        let name = context.rules.display();
        context.output.message(&format!("`{name}` can be used: {declared}{also}\n"))?;
    }
    Ok(Outcome::Clean)
}

//! `referee check`: reports all problems of a rule file, and its differences from the real tables.

#[cfg(feature = "live")]
mod live;

use super::help::Example;
use super::rule_file::{self, RulesArg, counts};
use super::{Context, Failure, Outcome};
use crate::rules::Rules;

pub(super) const EXAMPLES: &[Example] = &[
    ("Check referee.yaml", "referee check"),
    #[cfg(feature = "live")]
    ("Also compare the rule file with the tables in AWS", "referee check --live"),
    ("Print the problems as JSON Lines", "referee check rules.yaml --json"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Compare the rule file with the tables of the AWS account and Region set in the environment.
    #[arg(long, group = "tables", help_heading = "Real tables", hide = cfg!(not(feature = "live")))]
    live: bool,

    /// Compare the rule file with the tables at this endpoint.
    #[arg(
        long,
        value_name = "URL",
        group = "tables",
        help_heading = "Real tables",
        hide = cfg!(not(feature = "live"))
    )]
    #[cfg_attr(feature = "live", arg(value_parser = super::live::endpoint_url))]
    endpoint_url: Option<String>,

    #[command(flatten)]
    rules: RulesArg,
}

impl Args {
    /// Whether to compare the rule file with real tables.
    fn is_live(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    arguments.rules.apply(context)?;
    if arguments.is_live() {
        return check_live(arguments, context);
    }
    let rules = rule_file::check(context)?;
    conclude(&rules, "", context)
}

#[cfg(feature = "live")]
fn check_live(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let rules = live::check(arguments.endpoint_url.as_deref(), context)?;
    conclude(&rules, ", and the tables match it", context)
}

#[cfg(not(feature = "live"))]
fn check_live(_: &Args, _: &mut Context<'_>) -> Result<Outcome, Failure> {
    Err(Failure::Usage(
        "this build of `referee` cannot access AWS\nhelp: build it with `--features live`"
            .to_owned(),
    ))
}

/// Reports that the rule file is valid, and counts what it declares.
fn conclude(rules: &Rules, also: &str, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if !context.json {
        let mut entities: Vec<_> = rules.entities.iter().map(|entity| &entity.name).collect();
        entities.dedup();
        let declared = counts(&[
            (rules.tables.len(), "table"),
            (entities.len(), "entity"),
            (rules.reference_rules().count(), "reference"),
            (rules.mirror_rules().count(), "mirror"),
        ]);
        let name = context.rules.display();
        context.output.message(&format!("`{name}` is valid: {declared}{also}\n"))?;
    }
    Ok(Outcome::Clean)
}

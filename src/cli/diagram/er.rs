//! `referee diagram er`: draws the entities, their keys, and the rules between them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Format;
use crate::cli::help::Example;
use crate::cli::item::find_entity;
use crate::cli::report::{findings, health, page};
use crate::cli::rule_file::RulesArg;
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::diagram::er::{Near, Selection, picture};
use crate::diagram::mermaid;
use crate::rules::model::{EntityId, Rules};

pub(super) const EXAMPLES: &[Example] = &[
    ("Draw the rules as Mermaid, for a Markdown page", "referee diagram er"),
    (
        "Draw an entity and what it is related to",
        "referee diagram er --entity order --distance 1 --format svg",
    ),
    (
        "Colour the picture with the findings of an audit",
        "referee diagram er --audit findings.jsonl --format svg",
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    rules: RulesArg,

    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,

    /// Colour rules and entities by the findings in this file: the output of `referee audit --json`
    /// or `referee audit --out`.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,

    /// Draw only this entity and those near it. The option can be repeated.
    #[arg(long, value_name = "NAME")]
    entity: Vec<String>,

    /// The maximum number of rules between an entity and the one of --entity.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "entity")]
    distance: usize,

    /// Leave this entity out. The option can be repeated.
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,

    /// Draw keys only, without attributes, conditions and indexes.
    #[arg(long)]
    keys_only: bool,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if context.json {
        return Err(Failure::Usage("`--json` does not apply to diagrams; use `--format`".into()));
    }
    arguments.rules.apply(context)?;
    let rules = rule_file::load(context)?;
    let selection = arguments.selection(&rules)?;
    let findings = match &arguments.audit {
        Some(file) => Some(findings(&rules, file, context)?),
        None => None,
    };
    let health = findings.as_ref().map(|findings| health(&rules, findings));
    let drawn = picture(&rules, &selection, health.as_ref());
    let text = super::print(&drawn, arguments.format, mermaid::er, || {
        page(&rules, &selection, None, context)
    });
    context.output.result(&text)?;
    Ok(Outcome::Clean)
}

impl Args {
    fn selection(&self, rules: &Rules) -> Result<Selection, Failure> {
        let all = |names: &[String]| -> Result<BTreeSet<EntityId>, Failure> {
            let mut entities = BTreeSet::new();
            for name in names {
                find_entity(rules, name)?;
                entities.extend(rules.entities_named(name).map(|(id, _)| id));
            }
            Ok(entities)
        };
        let entities = all(&self.entity)?;
        let near = (!entities.is_empty()).then_some(Near { entities, distance: self.distance });
        Ok(Selection { near, exclude: all(&self.exclude)?, keys_only: self.keys_only })
    }
}

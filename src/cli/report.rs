//! `referee report`: a page with diagrams, rules and findings.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::explain::{declaration, kind, rule};
use super::help::Example;
use super::output::{check_writable, write_whole};
use super::rule_file::RulesArg;
use super::{Context, Failure, Outcome, rule_file};
use crate::diagram::er::{Health, Selection, picture};
use crate::report::{Entity, Findings, Page, Rule, View};
use crate::rules::model::{EntityId, Rules};

pub(super) const EXAMPLES: &[Example] = &[
    ("Write a page about the rules", "referee report --out report.html"),
    (
        "Write a page with the findings of an audit",
        "referee report --audit findings.jsonl --out report.html",
    ),
    (
        "Write a page that also shows what a plan of Terraform deploys",
        "referee report --terraform plan.json --out report.html",
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    rules: RulesArg,

    /// Show the findings in this file: the output of `referee audit --json` or `referee audit
    /// --out`.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,

    /// Show what this plan or state of Terraform deploys, too: the output of `terraform show -json`.
    #[arg(long, value_name = "FILE")]
    terraform: Option<PathBuf>,

    /// Write the page to this file [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if context.json {
        return Err(Failure::Usage("`--json` does not apply to a page".to_owned()));
    }
    arguments.rules.apply(context)?;
    let rules = rule_file::load(context)?;
    if let Some(file) = &arguments.out {
        check_writable(file)?;
    }
    let audit = match &arguments.audit {
        Some(file) => Some((file.as_path(), findings(&rules, file, context)?)),
        None => None,
    };
    let mut page = page(&rules, &Selection::default(), audit, context);
    if let Some(file) = &arguments.terraform {
        page.views.push(super::diagram::system::view(file, &rules)?);
    }
    let html = page.html();
    match &arguments.out {
        Some(file) => write_whole(file, &html)?,
        None => context.output.result(&html)?,
    }
    Ok(Outcome::Clean)
}

/// A page about rules, with the findings of an audit and the file they come from.
pub(super) fn page(
    rules: &Rules,
    selection: &Selection,
    audit: Option<(&Path, Findings)>,
    context: &Context<'_>,
) -> Page {
    let health = audit.as_ref().map(|(_, findings)| health(rules, findings));
    let keys_only = Selection { keys_only: true, ..selection.clone() };
    let view = View {
        id: "entities",
        title: "Entities",
        picture: picture(rules, selection, health.as_ref()),
        keys_only: Some(picture(rules, &keys_only, health.as_ref())),
    };
    let entities = selection.entities(rules).into_iter();
    let references = rules.reference_rules().map(|(id, _)| id);
    let mirrors = rules.mirror_rules().map(|(id, _)| id);
    let rule = references
        .map(|id| Rule::reference(rules, id, rule::reference(rules, id)))
        .chain(mirrors.map(|id| Rule::mirror(rules, id, rule::mirror(rules, id))));
    let entity = |id: EntityId| Entity::new(rules, id, declaration::entity(rules, id));
    let (source, findings) = audit.map_or((None, None), |(file, it)| (Some(file), Some(it)));
    let kinds = findings.iter().flat_map(Findings::kinds);
    Page {
        title: title(&context.rules),
        views: vec![view],
        entities: entities.map(entity).collect(),
        rules: rule.collect(),
        kinds: kinds.map(|kind| (kind.name().to_owned(), kind::meaning(kind).to_owned())).collect(),
        source: source.map(|file| file.display().to_string()).unwrap_or_default(),
        findings,
    }
}

/// The name of the rule file.
fn title(rules: &Path) -> String {
    let name = rules.file_name().unwrap_or(rules.as_os_str());
    format!("{} – Referee", Path::new(name).display())
}

/// The findings in a file; `-` is standard input. Warns if there may be more.
pub(super) fn findings(
    rules: &Rules,
    file: &Path,
    context: &mut Context<'_>,
) -> Result<Findings, Failure> {
    let name = file.display();
    let from: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let unusable = |error: io::Error| Failure::Usage(format!("cannot read `{name}`: {error}"));
        Box::new(BufReader::new(File::open(file).map_err(unusable)?))
    };
    let findings = Findings::read(rules, from);
    let findings = findings.map_err(|error| Failure::Usage(format!("`{name}`: {error}")))?;
    let why = match findings.is_complete() {
        Some(true) => return Ok(findings),
        Some(false) => "the audit was incomplete: there may be more findings",
        None => "the findings have no summary: they may be cut off",
    };
    context.output.message(&format!("warning: `{name}`: {why}\n"))?;
    Ok(findings)
}

/// The number of findings of each rule.
pub(super) fn health(rules: &Rules, findings: &Findings) -> Health {
    let references = rules.reference_rules().map(|(_, rule)| rule.name.as_str());
    let names: Vec<&str> =
        references.chain(rules.mirror_rules().map(|(_, rule)| rule.name.as_str())).collect();
    let mut health = Health::default();
    for (rule, is_warning) in findings.severities() {
        if let Some(name) = names.get(rule) {
            health.add(name, is_warning);
        }
    }
    health
}

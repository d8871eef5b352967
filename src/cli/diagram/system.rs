//! `referee diagram system`: draws what is deployed around the function.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Format;
use crate::cli::help::Example;
use crate::cli::report::page;
use crate::cli::rule_file::{self, RulesArg};
use crate::cli::{Context, Failure, Outcome, diff, input};
use crate::diagram::er::Selection;
use crate::diagram::system::deployment::{Deployment, Unread};
use crate::diagram::system::{self, Finding, Sources, System, terraform};
use crate::diagram::{Picture, mermaid};
use crate::report::View;
use crate::rules::{self, RuleSource, Rules};

pub(super) const EXAMPLES: &[Example] = &[
    ("Draw what the rules need", "referee diagram system"),
    (
        "Draw what a plan of Terraform deploys, and list what is wrong with it",
        "referee diagram system --terraform plan.json",
    ),
    #[cfg(feature = "live")]
    ("Draw what is deployed in AWS", "referee diagram system --live --format svg > system.svg"),
    #[cfg(feature = "live")]
    ("Draw where Terraform and AWS differ", "referee diagram system --terraform state.json --live"),
    (
        "Print the boxes, arrows and findings as JSON Lines",
        "referee diagram system --terraform plan.json --json",
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,

    /// A plan or a state of Terraform: the output of `terraform show -json`. `-` is standard input.
    #[arg(long, value_name = "FILE")]
    terraform: Option<PathBuf>,

    /// The name of the Lambda function; default: the one with Referee's environment variables in
    /// Terraform, or else `referee`.
    #[arg(long, value_name = "NAME")]
    function: Option<String>,

    /// Draw what is deployed in the AWS account and Region set in the environment.
    #[arg(long, group = "account", help_heading = "Real tables", hide = cfg!(not(feature = "live")))]
    live: bool,

    /// Draw what is deployed at this endpoint.
    #[arg(
        long,
        value_name = "URL",
        group = "account",
        help_heading = "Real tables",
        hide = cfg!(not(feature = "live"))
    )]
    #[cfg_attr(feature = "live", arg(value_parser = crate::cli::live::endpoint_url))]
    endpoint_url: Option<String>,

    #[command(flatten)]
    rules: RulesArg,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    arguments.rules.apply(context)?;
    let rules = rule_file::load(context)?;
    let terraform = arguments.terraform.as_deref();
    let terraform =
        terraform.map(|path| deployed(path, &rules, arguments.function.as_deref())).transpose()?;
    let account = account(arguments, &rules, terraform.as_ref())?;
    let function = arguments.function.clone();
    let system = combined(&rules, terraform, account, function);
    let findings = system::findings(&system);
    let drawn = system::draw(&system, &findings);
    if context.json {
        for line in system::lines(&drawn, &findings, system.unread()) {
            context.output.json(&line)?;
        }
    } else {
        let picture = system::render(&drawn, &findings, TITLE);
        // A flowchart on a page of text must stay small.
        let flowchart = |it: &Picture| mermaid::flowchart(&system::condensed(it.clone()));
        let text = super::print(&picture, arguments.format, flowchart, || {
            let mut page = page(&rules, &Selection::default(), None, context);
            page.views.insert(0, View { picture: picture.clone(), ..EMPTY_VIEW });
            page
        });
        context.output.result(&text)?;
    }
    report(&findings, system.unread(), context)?;
    conclude(&findings, system.unread())
}

/// The title of the picture, for people who do not see it.
const TITLE: &str = "What is deployed around the function";

/// The tab of a page, without its picture.
const EMPTY_VIEW: View = View {
    id: "system",
    title: "System",
    picture: Picture {
        title: String::new(),
        groups: Vec::new(),
        nodes: Vec::new(),
        edges: Vec::new(),
    },
    keys_only: None,
};

/// The tab of a report with what Terraform's JSON deploys.
pub(in crate::cli) fn view(file: &Path, rules: &Rules) -> Result<View, Failure> {
    let system = combined(rules, Some(deployed(file, rules, None)?), None, None);
    let findings = system::findings(&system);
    let picture = system::render(&system::draw(&system, &findings), &findings, TITLE);
    Ok(View { picture, ..EMPTY_VIEW })
}

/// Reads what Terraform deploys.
fn deployed(file: &Path, rules: &Rules, function: Option<&str>) -> Result<Deployment, Failure> {
    let text = input::read_terraform(file)?;
    let read = terraform::read(&text, rules, function);
    read.map_err(|error| Failure::Usage(format!("`{}`: {error}", file.display())))
}

/// Combines what the sources say. The account's rules are those that run.
fn combined(
    rules: &Rules,
    terraform: Option<Deployment>,
    account: Option<Deployment>,
    function: Option<String>,
) -> System<'_> {
    let other_rules = [&account, &terraform].into_iter().flatten().find_map(|deployment| {
        Some(differing_rules(rules, deployment.function.as_ref()?.variables.as_ref()?))
    });
    let other_rules = other_rules.unwrap_or_default();
    System::new(Sources { rules, terraform, account, function, other_rules })
}

/// Prints the findings, and what could not be read, as messages.
fn report(
    findings: &[Finding],
    unread: &[Unread],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if context.json {
        return Ok(());
    }
    for Finding { kind, message, help, .. } in findings {
        let (severity, kind) = (kind.severity().name(), kind.name());
        context.output.message(&format!("{severity}[{kind}]: {message}\nhelp: {help}\n\n"))?;
    }
    for Unread { what, why, .. } in unread {
        context.output.message(&format!("note: not in the picture: {what}: {why}\n\n"))?;
    }
    Ok(())
}

fn conclude(findings: &[Finding], unread: &[Unread]) -> Result<Outcome, Failure> {
    if findings.iter().any(system::is_failure) {
        return Ok(Outcome::Findings);
    }
    if unread.is_empty() {
        return Ok(Outcome::Clean);
    }
    let what: Vec<&str> = unread.iter().map(|it| it.what.as_str()).collect();
    Err(Failure::Incomplete(format!("the picture lacks {}", what.join(", "))))
}

/// The declarations in which the rules in a function's variables differ from the rule file. Rules
/// in the function's package are not compared.
fn differing_rules(rules: &Rules, variables: &BTreeMap<String, String>) -> Vec<String> {
    let packed = || rules::unpack(variables.get("REFEREE_RULES_GZ")?).ok();
    let plain = variables.get("REFEREE_RULES_JSON").map(|text| text.clone().into_bytes());
    let Some(bytes) = plain.or_else(packed) else { return Vec::new() };
    let source = RuleSource::from_bytes("the function's rules", bytes);
    let loaded = source.map(|source| rules::load(&source, &|name| variables.get(name).cloned()));
    match loaded.ok().and_then(|loaded| loaded.rules) {
        Some(deployed) => diff::changed(rules, &deployed),
        None => vec!["they have errors".to_owned()],
    }
}

#[cfg(feature = "live")]
fn account(
    arguments: &Args,
    rules: &Rules,
    terraform: Option<&Deployment>,
) -> Result<Option<Deployment>, Failure> {
    if !arguments.live && arguments.endpoint_url.is_none() {
        return Ok(None);
    }
    let known = terraform.and_then(|it| it.function.as_ref()).map(|it| it.name.as_str());
    let function = arguments.function.as_deref().or(known).unwrap_or(system::DEFAULT_FUNCTION);
    let read = async {
        let endpoint = arguments.endpoint_url.as_deref();
        let config = crate::cli::live::configured(endpoint, None).await?;
        Ok(crate::account::read(&config, rules, function).await?)
    };
    crate::cli::live::runtime()?.block_on(read).map(Some)
}

#[cfg(not(feature = "live"))]
fn account(
    arguments: &Args,
    _: &Rules,
    _: Option<&Deployment>,
) -> Result<Option<Deployment>, Failure> {
    if arguments.live || arguments.endpoint_url.is_some() {
        return Err(Failure::Usage(
            "this build of `referee` cannot access AWS\nhelp: build it with `--features live`"
                .to_owned(),
        ));
    }
    Ok(None)
}

//! `referee repair verify`: checks the items of a plan again.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use serde::Serialize;

use super::apply::{check, open};
use crate::cli::help::Example;
use crate::cli::job::{Job, TableArgs};
use crate::cli::names::item_name;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::tables::{count, table};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::integrity::finding::{Finding, ItemName};
use crate::repair::{self, PlanEntries};
use crate::rules::model::{Rules, Severity};
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;
use crate::wording::{self, ViolationLine};

pub(super) const EXAMPLES: &[Example] =
    &[("Check what is left", "referee repair verify --live plan.jsonl")];

/// The number of findings that are shown to people.
const SHOWN_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tables: TableArgs,

    /// The plan, of `referee repair plan --out`. A file that ends in `.yaml` or
    /// `.yml` is the rule file.
    #[arg(value_name = "PLAN", required = true, num_args = 1..=2)]
    plan: Vec<PathBuf>,
}

#[expect(clippy::large_enum_variant, reason = "there is only one at a time")]
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Violation(ViolationLine<'l>),
    Summary { complete: bool, violations: usize, warnings: usize },
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let plan = rule_file::take_one(&arguments.plan, context)?;
    let plan = plan.ok_or_else(|| rule_file::missing("PLAN"))?;
    let rules = rule_file::load(context)?;
    let hash = rules.fingerprint();
    let checked = check(plan, &hash)?;
    let total = checked.writes + checked.no_actions;
    let entries = PlanEntries::new(&rules, open(plan)?);
    let output = &mut context.output;
    let left = arguments.tables.run(&rules, Verify { rules: &rules, entries, total, output })?;
    let errors = left.iter().filter(|left| left.severity == Severity::Error).count();
    let warnings = left.len() - errors;
    if context.json {
        for finding in &left {
            let line = Line::Violation(ViolationLine::at_rest(&rules, finding));
            context.output.json(&line)?;
        }
        context.output.json(&Line::Summary { complete: true, violations: errors, warnings })?;
    } else {
        context.output.result(&text(&rules, &left))?;
    }
    Ok(if left.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

struct Verify<'v, 'o> {
    rules: &'v Rules,
    entries: PlanEntries<'v, BufReader<File>>,
    /// The number of findings.
    total: u64,
    output: &'v mut Output<'o>,
}

impl Job for Verify<'_, '_> {
    type Output = Vec<Finding>;

    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Vec<Finding>, Failure> {
        let mut left = Vec::new();
        let report = |finding: &Finding| {
            left.push(finding.clone());
            Ok(())
        };
        let Self { rules, entries, total, output } = self;
        let mut progress = Progress::new(Some(total), clock.now_ms());
        let show = |checked| {
            let text = || format!("{checked} of {}", count(total, "finding"));
            progress.show(output, checked, text, clock.now_ms());
        };
        let is_complete = repair::verify(rules, (store, clock), entries, stop, show, report).await;
        progress.finish();
        if is_complete? { Ok(left) } else { Err(Failure::Incomplete("it was stopped".to_owned())) }
    }
}

fn text(rules: &Rules, left: &[Finding]) -> String {
    let mut text = String::new();
    if !left.is_empty() {
        let mut table = table(["left", "rule", "item", "detail"]);
        for finding in left.iter().take(SHOWN_MAX) {
            let item = |item: &ItemName| item_name(rules, item.table, &item.key);
            table.add_row([
                finding.kind().to_string(),
                finding.rule.clone(),
                finding.referencing.as_ref().map(item).unwrap_or_default(),
                wording::finding(rules, finding),
            ]);
        }
        text = table.trim_fmt() + "\n";
        if left.len() > SHOWN_MAX {
            let _ = writeln!(text, "and {} more; --json prints all", left.len() - SHOWN_MAX);
        }
        text.push('\n');
    }
    text + &format!("{} left\n", count(left.len(), "finding"))
}

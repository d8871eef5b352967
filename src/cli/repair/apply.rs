//! `referee repair apply`: makes the writes of a plan.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::journal_file::JournalFile;
use super::report::{
    Moment, Reported, Reporter, SAME_COMMAND, Summary, confirm, resumable, unfinished,
};
use crate::cli::help::Example;
use crate::cli::job::{Job, TableArgs};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::repair::{
    self, Applied, Checked, Journal, Outcome as Done, Pace, PlanEntries, PlannedWrite,
    journal_header,
};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

pub(super) const EXAMPLES: &[Example] = &[
    ("Make the writes of a plan", "referee repair apply --live plan.jsonl"),
    (
        "Without a terminal, and with at most 100 write units a second",
        "referee repair apply --live --yes --write-units 100 plan.jsonl",
    ),
];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The journal: what each item was before its write. If it exists already, the rest of the plan
    /// is applied [default: the plan's name with `.journal`].
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Do not ask for a confirmation.
    #[arg(long)]
    yes: bool,

    /// The maximum number of write units that are consumed in a second.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    write_units: Option<f64>,

    #[command(flatten)]
    tables: TableArgs,

    /// The plan, of `referee repair plan --out`. A file that ends in `.yaml` or
    /// `.yml` is the rule file.
    #[arg(value_name = "PLAN", required = true, num_args = 1..=2)]
    plan: Vec<PathBuf>,
}

/// A number of units a second.
pub(in crate::cli) fn positive(text: &str) -> Result<f64, &'static str> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or("it must be a number greater than 0")
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let plan = rule_file::take_one(&arguments.plan, context)?;
    let plan = plan.ok_or_else(|| rule_file::missing("PLAN"))?;
    let rules = rule_file::load(context)?;
    let hash = rules.fingerprint();
    let Args { journal, yes, write_units, tables, plan: _ } = arguments;
    let checked = check(plan, &hash)?;
    confirm(*yes, checked.writes, &format!("`{}`", plan.display()), context)?;
    let journal = JournalFile::of_plan(plan, journal.as_ref());
    make(
        &rules,
        &Plan { hash: &hash, file: plan, checked, journal: &journal, resume: SAME_COMMAND },
        tables,
        *write_units,
        context,
    )
}

/// Opens a plan's file.
pub(super) fn open(plan: &Path) -> Result<BufReader<File>, Failure> {
    let file = File::open(plan).map_err(|error| {
        Failure::Usage(format!("cannot read the plan `{}`: {error}", plan.display()))
    })?;
    Ok(BufReader::new(file))
}

/// Checks a plan as a whole.
pub(in crate::cli) fn check(plan: &Path, hash: &str) -> Result<Checked, Failure> {
    repair::check(open(plan)?, hash)
        .map_err(|error| Failure::Usage(format!("`{}`: {error}", plan.display())))
}

/// A plan that was checked, and its journal.
pub(in crate::cli) struct Plan<'p> {
    pub(in crate::cli) hash: &'p str,
    pub(in crate::cli) file: &'p Path,
    pub(in crate::cli) checked: Checked,
    pub(in crate::cli) journal: &'p Path,
    /// How to continue if it does not finish.
    pub(in crate::cli) resume: &'static str,
}

/// Makes the writes of a plan that are not done with, and reports them.
pub(in crate::cli) fn make(
    rules: &Rules,
    plan: &Plan<'_>,
    tables: &TableArgs,
    write_units: Option<f64>,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let Plan { hash, file, checked, journal: path, resume } = plan;
    let header = journal_header(hash, &checked.checksum);
    let log = JournalFile::create(path, &header)?;
    let journal = Journal::resume(log, hash, &checked.checksum)
        .map_err(|error| Failure::Usage(format!("`{}`: {error}", path.display())))?;
    let entries = PlanEntries::new(rules, open(file)?);
    let mut reporter = Reporter::new(rules, context, checked.writes);
    let job = Apply { rules, entries, journal, write_units, reporter: &mut reporter };
    let done = resumable(tables.run(rules, job), resume)?;
    let Applied { applied, fixed, changed, failed, earlier, write_units, is_stopped } = done;
    let outcomes = BTreeMap::from([
        ("applied", applied),
        ("changed", changed),
        ("done_earlier", earlier),
        ("failed", failed),
        ("fixed", fixed),
    ]);
    reporter.finish(Summary { writes: checked.writes, outcomes, write_units })?;
    if is_stopped {
        return Err(unfinished("it was stopped", resume));
    }
    Ok(if failed > 0 { Outcome::Findings } else { Outcome::Clean })
}

struct Apply<'a, 'r, 'o> {
    rules: &'a Rules,
    entries: PlanEntries<'a, BufReader<File>>,
    journal: Journal<JournalFile>,
    write_units: Option<f64>,
    reporter: &'a mut Reporter<'r, 'o>,
}

impl Job for Apply<'_, '_, '_> {
    type Output = Applied;

    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Applied, Failure> {
        let Self { rules, entries, mut journal, write_units, reporter } = self;
        let report = |write: &PlannedWrite, outcome: &Done| {
            let reported = Reported {
                number: write.number,
                finding: &write.claim.id,
                rule: &write.claim.rule,
                action: Some(write.action.name()),
                item: write.item(),
            };
            reporter.outcome(&reported, outcome, Moment::of(clock, stop))
        };
        let pace = Pace { write_units, stop };
        let done = repair::apply(rules, store, clock, entries, &mut journal, pace, report).await;
        reporter.end();
        Ok(done?)
    }
}

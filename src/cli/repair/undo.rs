//! `referee repair undo`: takes the writes of a journal back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::apply::positive;
use super::journal_file::JournalFile;
use super::report::{
    Moment, Reported, Reporter, SAME_COMMAND, Summary, confirm, resumable, unfinished,
};
use crate::cli::help::Example;
use crate::cli::job::{Job, TableArgs};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::repair::{self, Journal, JournalEntry, Outcome as Done, Pace, State, Undone};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

pub(super) const EXAMPLES: &[Example] =
    &[("Take the writes of a plan back", "referee repair undo --live plan.jsonl.journal")];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Do not ask for a confirmation.
    #[arg(long)]
    yes: bool,

    /// The maximum number of write units that are consumed in a second.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    write_units: Option<f64>,

    #[command(flatten)]
    tables: TableArgs,

    /// The journal, of `referee repair apply` or `referee backfill`. A file that ends in `.yaml` or
    /// `.yml` is the rule file.
    #[arg(value_name = "JOURNAL", required = true, num_args = 1..=2)]
    journal: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let journal = rule_file::take_one(&arguments.journal, context)?;
    let journal = journal.ok_or_else(|| rule_file::missing("JOURNAL"))?;
    let rules = rule_file::load(context)?;
    let hash = rules.fingerprint();
    let path = journal;
    let journal = Journal::undo(JournalFile::open(path)?, &hash)
        .map_err(|error| Failure::Usage(format!("`{}`: {error}", path.display())))?;
    let left = journal.reversed().into_iter();
    let left = left.filter(|(_, state)| !matches!(state, State::NotApplied | State::Undone));
    let writes = left.count() as u64;
    confirm(arguments.yes, writes, &format!("undo of `{}`", path.display()), context)?;
    let write_units = arguments.write_units;
    let mut reporter = Reporter::new(&rules, context, writes);
    let job = Undo { rules: &rules, journal, write_units, reporter: &mut reporter };
    let done = resumable(arguments.tables.run(&rules, job), SAME_COMMAND)?;
    let Undone { undone, not_made, kept, failed, earlier, write_units, is_stopped } = done;
    let outcomes = BTreeMap::from([
        ("done_earlier", earlier),
        ("failed", failed),
        ("kept", kept),
        ("not_made", not_made),
        ("undone", undone),
    ]);
    reporter.finish(Summary { writes: writes + earlier, outcomes, write_units })?;
    if is_stopped {
        return Err(unfinished("it was stopped", SAME_COMMAND));
    }
    Ok(if kept + failed > 0 { Outcome::Findings } else { Outcome::Clean })
}

struct Undo<'a, 'r, 'o> {
    rules: &'a Rules,
    journal: Journal<JournalFile>,
    write_units: Option<f64>,
    reporter: &'a mut Reporter<'r, 'o>,
}

impl Job for Undo<'_, '_, '_> {
    type Output = Undone;

    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Undone, Failure> {
        let Self { rules, mut journal, write_units, reporter } = self;
        let report = |entry: &JournalEntry, outcome: &Done| {
            let reported = Reported {
                number: entry.number,
                finding: &entry.finding,
                rule: &entry.rule,
                action: None,
                item: Some(&entry.item),
            };
            reporter.outcome(&reported, outcome, Moment::of(clock, stop))
        };
        let pace = Pace { write_units, stop };
        let done = repair::undo(rules, store, clock, &mut journal, pace, report).await;
        reporter.end();
        Ok(done?)
    }
}

//! What subcommands report: outcomes as JSON Lines, and text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use serde::Serialize;

use crate::audit::live::estimate::Span;
use crate::cli::names::item_name;
use crate::cli::output::Output;
use crate::cli::progress::{Progress, elapsed_s, whole};
use crate::cli::tables::{count, table};
use crate::cli::{Context, Failure};
use crate::integrity::finding::ItemName;
use crate::repair::Outcome;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::wording::ItemLine;

/// How to continue a command whose arguments say all that it needs.
pub(super) const SAME_COMMAND: &str = "the same command continues it";

/// The number of writes that were not made that are shown to people.
const SHOWN_MAX: usize = 10;

/// The write units and the price of a million of them, on demand in us-east-1.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const USD_PER_MILLION_WRITE_UNITS: f64 = 0.625;

/// One line of machine output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Write {
        number: u64,
        finding: &'l str,
        rule: &'l str,
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<&'static str>,
        #[serde(flatten)]
        item: Option<ItemLine<'l>>,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'l str>,
    },
    Summary(Summary),
}

/// The totals.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    /// The number of writes in the plan or journal.
    pub(super) writes: u64,
    /// The number of writes with each outcome.
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    /// The write units that were consumed.
    pub(super) write_units: f64,
}

/// A write whose outcome is reported.
pub(super) struct Reported<'w> {
    pub(super) number: u64,
    pub(super) finding: &'w str,
    pub(super) rule: &'w str,
    pub(super) action: Option<&'static str>,
    pub(super) item: Option<&'w ItemName>,
}

/// Reports outcomes: each as a line of JSON, or those that need attention as text.
pub(super) struct Reporter<'r, 'o> {
    rules: &'r Rules,
    json: bool,
    output: &'r mut Output<'o>,
    total: u64,
    done: u64,
    /// When the first outcome came, and what is shown since.
    progress: Option<(i64, Progress)>,
    /// The writes that were not made, to be shown to people.
    shown: Vec<[String; 4]>,
    not_shown: usize,
}

impl<'r, 'o> Reporter<'r, 'o> {
    pub(super) const fn new(rules: &'r Rules, context: &'r mut Context<'o>, total: u64) -> Self {
        let (json, output) = (context.json, &mut context.output);
        let progress = None;
        Self { rules, json, output, total, done: 0, progress, shown: Vec::new(), not_shown: 0 }
    }

    /// Reports an outcome.
    pub(super) fn outcome(
        &mut self,
        write: &Reported<'_>,
        outcome: &Outcome,
        moment: Moment,
    ) -> io::Result<()> {
        self.done += 1;
        self.show(moment);
        if self.json {
            return self.output.json(&Line::Write {
                number: write.number,
                finding: write.finding,
                rule: write.rule,
                action: write.action,
                item: write.item.map(|item| ItemLine::new(self.rules, item)),
                outcome: outcome.name(),
                detail: outcome.detail(),
            });
        }
        if matches!(outcome, Outcome::Applied | Outcome::Undone | Outcome::NotMade) {
            return Ok(());
        }
        if self.shown.len() == SHOWN_MAX {
            self.not_shown += 1;
            return Ok(());
        }
        let item = write.item.map(|item| item_name(self.rules, item.table, &item.key));
        self.shown.push([
            write.number.to_string(),
            outcome.name().to_owned(),
            write.rule.to_owned(),
            item.unwrap_or_default(),
        ]);
        Ok(())
    }

    fn show(&mut self, Moment { now_ms, is_stopping }: Moment) {
        let (done, total) = (self.done, self.total);
        let begin = || (now_ms, Progress::new(Some(total), now_ms));
        let (began_ms, progress) = self.progress.get_or_insert_with(begin);
        let text = || text(done, total, elapsed_s(*began_ms, now_ms));
        progress.show(self.output, done, text, now_ms);
        if is_stopping {
            progress.stopping(self.output, "writes");
        }
    }

    /// Removes what is shown of the progress.
    pub(super) fn end(&mut self) {
        if let Some((_, mut progress)) = self.progress.take() {
            progress.finish();
        }
    }

    /// Reports the totals.
    pub(super) fn finish(self, summary: Summary) -> io::Result<()> {
        if self.json {
            return self.output.json(&Line::Summary(summary));
        }
        let mut text = String::new();
        if !self.shown.is_empty() {
            let mut table = table(["write", "outcome", "rule", "item"]);
            for row in self.shown {
                table.add_row(row);
            }
            text = table.trim_fmt() + "\n";
            if self.not_shown > 0 {
                let _ = writeln!(text, "and {} more; --json prints all", self.not_shown);
            }
            text.push('\n');
        }
        let outcomes: Vec<String> = summary
            .outcomes
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")))
            .collect();
        let outcomes =
            if outcomes.is_empty() { "nothing done".to_owned() } else { outcomes.join(", ") };
        let units = count(summary.write_units, "write unit");
        let _ = writeln!(text, "{}: {outcomes}; {units}", count(summary.writes, "write"));
        self.output.result(&text)
    }
}

/// The time of an outcome, and whether a stop was requested by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    now_ms: i64,
    is_stopping: bool,
}

impl Moment {
    pub(super) fn of(clock: &impl Clock, stop: &Stop) -> Self {
        Self { now_ms: clock.now_ms(), is_stopping: stop.is_set() }
    }
}

/// How far a repair is.
fn text(done: u64, total: u64, elapsed_s: f64) -> String {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let per_second = float(done) / elapsed_s;
    let left = Span(float(total.saturating_sub(done)) / per_second);
    format!("{done} of {}, {}/s, about {left} left", count(total, "write"), whole(per_second))
}

/// A failure to finish, which says how to continue.
pub(super) fn unfinished(why: &str, resume: &str) -> Failure {
    Failure::Incomplete(format!("{why}\nhelp: {resume}"))
}

/// The result of a command that can be continued if it did not finish.
pub(super) fn resumable<T>(done: Result<T, Failure>, resume: &str) -> Result<T, Failure> {
    done.map_err(|failure| match failure {
        Failure::Incomplete(why) => unfinished(&why, resume),
        Failure::Usage(_) | Failure::Rules | Failure::File(..) | Failure::Output(_) => failure,
    })
}

/// A number of write units, and what they cost.
pub(super) fn cost(units: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
    let usd = units as f64 / 1e6 * USD_PER_MILLION_WRITE_UNITS;
    let units = count(units, "write unit");
    let usd = if usd < 0.01 { "less than 0.01".to_owned() } else { format!("about {usd:.2}") };
    format!("{units} ({usd} USD on demand in us-east-1, without indexes)")
}

/// Asks on a terminal whether to make writes; elsewhere, `--yes` must be given.
pub(super) fn confirm(
    yes: bool,
    writes: u64,
    what: &str,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if yes || writes == 0 {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let help = "help: `--yes` confirms where there is no terminal";
        return Err(Failure::Usage(format!("{what} needs a confirmation\n{help}")));
    }
    let prompt = format!("{what}: type the number of writes, {writes}, to confirm: ");
    context.output.message(&prompt)?;
    context.output.flush()?;
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    if answer.trim() == writes.to_string() {
        Ok(())
    } else {
        Err(Failure::Usage("nothing was written: the number was not confirmed".to_owned()))
    }
}

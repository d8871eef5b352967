//! `referee repair plan`: plans the writes that resolve findings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::findings::{Findings, findings};
use super::report::cost;
use crate::cli::help::Example;
use crate::cli::job::{Job, TableArgs};
use crate::cli::output::Output;
use crate::cli::tables::{count, table};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::files::beside;
use crate::repair::{self, Choice, Entry, Header, NoAction, Options, PlanWriter, Stopped, choose};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

pub(super) const EXAMPLES: &[Example] = &[
    (
        "Plan the repairs of what an audit found",
        "referee repair plan --live --out plan.jsonl findings.jsonl",
    ),
    (
        "Unset the references of a rule that only reports them",
        "referee repair plan --live --action order_customer=unset --out plan.jsonl findings.jsonl",
    ),
];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write the plan to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The action for a rule that only reports: `delete`, `unset` or `set_default` for a reference,
    /// `restore` or `overwrite` for a mirror. The option can be repeated.
    #[arg(long, value_name = "RULE=ACTION", value_parser = parse_choice)]
    action: Vec<Choice>,

    /// Mark items at mirrors' keys that Referee did not write and that equal their mirrors.
    #[arg(long)]
    adopt: bool,

    #[command(flatten)]
    tables: TableArgs,

    /// The output of `referee audit --json`, or - for standard input. Without it, the tables are
    /// audited first. A file that ends in `.yaml` or `.yml` is the rule file.
    #[arg(value_name = "FINDINGS", num_args = 0..=2)]
    findings: Vec<PathBuf>,
}

/// Parses the action of a rule.
pub(in crate::cli) fn parse_choice(text: &str) -> Result<Choice, &'static str> {
    let (rule, action) = text.split_once('=').ok_or("it must be of the form RULE=ACTION")?;
    Ok(Choice { rule: rule.to_owned(), action: action.to_owned() })
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let file = rule_file::take_one(&arguments.findings, context)?.map(PathBuf::as_path);
    let mut rules = rule_file::load(context)?;
    let hash = rules.fingerprint();
    for choice in &arguments.action {
        choose(&mut rules, choice).map_err(Failure::Usage)?;
    }
    let findings = findings(&rules, file, &arguments.tables, context)?;
    let options = Options { adopt: arguments.adopt, only_missing: false };
    let (tables, out) = (&arguments.tables, arguments.out.as_deref());
    make(&rules, Wanted { hash, findings, options, tables, out, print: true }, context)?;
    Ok(Outcome::Clean)
}

/// What to plan.
pub(in crate::cli) struct Wanted<'w> {
    /// The hash of the rules.
    pub(in crate::cli) hash: String,
    /// The findings.
    pub(in crate::cli) findings: Findings<'w>,
    /// How to plan.
    pub(in crate::cli) options: Options,
    /// The tables.
    pub(in crate::cli) tables: &'w TableArgs,
    /// The file to write the plan to.
    pub(in crate::cli) out: Option<&'w Path>,
    /// Whether to print the plan or its summary.
    pub(in crate::cli) print: bool,
}

/// Makes a plan, and prints its summary, or with `--json` the plan itself. A file is replaced only
/// by a whole plan.
pub(in crate::cli) fn make(
    rules: &Rules,
    wanted: Wanted<'_>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let Wanted { hash, mut findings, options, tables, out, print } = wanted;
    let failed = |path: &Path, error| Failure::File(path.display().to_string(), error);
    let unfinished = out.map(|out| beside(out, ".unfinished"));
    let file = match &unfinished {
        None => None,
        Some(path) => Some(File::create(path).map_err(|error| failed(path, error))?),
    };
    let output = (context.json && print).then_some(&mut context.output);
    let sinks = Sinks { file: file.map(BufWriter::new), output };
    let claims = &mut findings;
    let planned = tables.run(rules, Plan { rules, hash, claims, options, sinks });
    let counts = match (planned, &unfinished, out) {
        (Ok(counts), Some(unfinished), Some(out)) => {
            std::fs::rename(unfinished, out).map_err(|error| failed(out, error))?;
            counts
        }
        (Err(error), Some(unfinished), _) => {
            // A failure to delete the file is ignored, because the first error matters more.
            let _ = std::fs::remove_file(unfinished);
            return Err(error);
        }
        (planned, _, _) => planned?,
    };
    if let Some(warning) = findings.warning() {
        context.output.message(&warning)?;
    }
    if !context.json && print {
        context.output.result(&counts.text())?;
    }
    Ok(())
}

/// A plan to be made.
struct Plan<'p, 'f, 'o> {
    rules: &'p Rules,
    hash: String,
    claims: &'p mut Findings<'f>,
    options: Options,
    sinks: Sinks<'p, 'o>,
}

impl Job for Plan<'_, '_, '_> {
    type Output = Counts;

    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Counts, Failure> {
        let Self { rules, hash, claims, options, sinks } = self;
        let now_ms = clock.now_ms();
        let header = Header {
            rules: hash,
            created_ms: (now_ms > 0).then_some(now_ms),
            tables: rules.tables.iter().map(|table| table.name.clone()).collect(),
        };
        let mut plan = PlanWriter::new(sinks, &header)?;
        let mut counts = Counts::default();
        let emit = |entry: Entry| {
            counts.add(rules, &entry);
            plan.entry(rules, &entry).map_err(Stopped::Output)
        };
        let claims = claims.take_while(|_| !stop.is_set());
        repair::plan(rules, (store, now_ms), claims, options, emit).await?;
        if stop.is_set() {
            return Err(Failure::Incomplete("it was stopped, and nothing was written".to_owned()));
        }
        plan.finish()?.close()?;
        Ok(counts)
    }
}

/// Where a plan is written to.
struct Sinks<'s, 'o> {
    file: Option<BufWriter<File>>,
    output: Option<&'s mut Output<'o>>,
}

impl Sinks<'_, '_> {
    fn close(self) -> io::Result<()> {
        match self.file {
            Some(file) => file.into_inner()?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Write for Sinks<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        if let Some(output) = &mut self.output {
            output.bytes(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The entries of a plan by rule, kind, and action or reason.
#[derive(Debug, Default)]
pub(in crate::cli) struct Counts {
    writes: BTreeMap<(String, &'static str, &'static str), (u64, u64)>,
    without: BTreeMap<(String, &'static str, &'static str), (u64, String)>,
}

impl Counts {
    /// The number of writes.
    pub(in crate::cli) fn writes(&self) -> u64 {
        self.writes.values().map(|(writes, _)| writes).sum()
    }

    fn add(&mut self, rules: &Rules, entry: &Entry) {
        match entry {
            Entry::Write(write) => {
                let of = (write.claim.rule.clone(), write.claim.kind.name(), write.action.name());
                let (writes, units) = self.writes.entry(of).or_default();
                *writes += 1;
                *units += write.units(rules);
            }
            Entry::NoAction(claim, why) => {
                let of = (claim.rule.clone(), claim.kind.name(), why.name());
                let (count, words) = self.without.entry(of).or_default();
                *count += 1;
                // The words of `covered` name one of many writes.
                *words = if let NoAction::Covered { .. } = why {
                    "another write of the plan resolves it".to_owned()
                } else {
                    why.words().into_owned()
                };
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.writes.is_empty() {
            let mut table = table(["rule", "finding", "action", "writes", "write units"]);
            for ((rule, kind, action), (writes, units)) in &self.writes {
                table.add_row([
                    rule.clone(),
                    (*kind).to_owned(),
                    (*action).to_owned(),
                    writes.to_string(),
                    units.to_string(),
                ]);
            }
            text += &table.trim_fmt();
            text += "\n\n";
        }
        if !self.without.is_empty() {
            let mut table = table(["rule", "finding without a write", "count", "reason"]);
            for ((rule, kind, _), (count, words)) in &self.without {
                table.add_row([rule.clone(), (*kind).to_owned(), count.to_string(), words.clone()]);
            }
            text += &table.trim_fmt();
            text += "\n\n";
        }
        let units = self.writes.values().map(|(_, units)| units).sum();
        let without = self.without.values().map(|(count, _)| count).sum::<u64>();
        let _ = writeln!(
            text,
            "{}: {}; {} without a write",
            count(self.writes(), "write"),
            cost(units),
            count(without, "finding"),
        );
        text
    }
}

//! `referee replay`: runs recorded events through the engine, on the in-memory store or on real
//! tables.

#[cfg(feature = "live")]
mod live;
mod table;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use self::table::Findings;
use super::coverage::Coverage;
use super::help::Example;
use super::input::{is_event_file, read_event, read_seed};
use super::item::default_table;
use super::lines::{Line, Totals, repair_started_text};
use super::output::{Output, check_writable, write_whole};
use super::{Colors, Context, Failure, Outcome, rule_file};
use crate::engine::{self, Census, Engine, Rejected};
use crate::replay::{self, Batch, Incomplete, Options, Progress, RecordLocation, SeedFormat};
use crate::rules::model::{Rules, Severity};
use crate::runtime::repair_log::StartedRepair;
use crate::store::Memory;

pub(super) const EXAMPLES: &[Example] = &[
    ("Replay a folder of events on an in-memory store", "referee replay --seed seed.json stream/"),
    (
        "Print JSON Lines, and save the tables' final content",
        "referee replay --json --dump tables.json stream/",
    ),
    (
        "Simulate delivery with duplicates, crashes and failed requests",
        "referee replay --chaos 1 stream/",
    ),
    #[cfg(feature = "live")]
    ("Show what the rules would do to the tables in AWS", "referee replay --live event.json"),
];

/// The heading of the options of the in-memory store.
const IN_MEMORY: &str = "In-memory store";

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Args {
    /// Items in the tables before the first event: {"<table name in DynamoDB>": [<item in DynamoDB
    /// JSON>, …]}, the format of --dump; or the output of `aws dynamodb scan`, `query` or `get-item`.
    #[arg(long, value_name = "FILE", help_heading = IN_MEMORY)]
    seed: Vec<PathBuf>,

    /// The seeds are in plain JSON, without the types of DynamoDB.
    #[arg(long, help_heading = IN_MEMORY, requires = "seed")]
    plain: bool,

    /// Write the final content of the tables to a file.
    #[arg(long, value_name = "FILE", help_heading = IN_MEMORY)]
    dump: Option<PathBuf>,

    /// Simulate the worst delivery that Lambda allows: split, repeated and reordered batches, lost
    /// and late writes, and crashes. The same seed gives the same run.
    #[arg(long, value_name = "SEED", help_heading = IN_MEMORY)]
    chaos: Option<u64>,

    /// Do not process the stream records of Referee's own writes.
    #[arg(long, help_heading = IN_MEMORY)]
    no_drain: bool,

    /// Report what every rule would do, and write nothing.
    #[arg(long)]
    observe: bool,

    /// Exit with code 1 if a record matches no entity.
    #[arg(long)]
    strict: bool,

    #[cfg(feature = "live")]
    #[command(flatten)]
    live: live::LiveArgs,

    /// The table of records and items that name none, as the AWS CLI prints them, by alias or by name
    /// in DynamoDB; required for those if the rule file has several.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,

    /// Files with events, one batch each: Lambda's input, the output of `aws dynamodbstreams
    /// get-records`, or another format in docs/replay.md; folders of such files, in the order of
    /// their names and numbers; or - for standard input. A file that ends in `.yaml` or `.yml` is the
    /// rule file.
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let events = rule_file::take(&arguments.events, context)?;
    if events.is_empty() {
        return Err(rule_file::missing("EVENT"));
    }
    #[cfg(feature = "live")]
    if arguments.live.are_given() {
        return live::run(arguments, &events, context);
    }
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let table = default_table(&rules, arguments.table.as_deref())?;
    let store = seeded(&rules, &arguments.seed, SeedFormat { table, is_plain: arguments.plain })?;
    let batches = batches(&events, table)?;
    if let Some(file) = &arguments.dump {
        check_writable(file)?;
    }
    let options = Options { no_drain: arguments.no_drain, chaos: arguments.chaos };
    let (outcome, ended) = in_memory(rules, &store, batches, options, (arguments.strict, context))?;
    if let Some(file) = &arguments.dump {
        write_whole(file, &replay::dump(&store))?;
    }
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    Ok(outcome)
}

/// The results of a recorded case.
pub(super) struct Recorded {
    /// The results as JSON Lines.
    pub(super) lines: String,
    /// The items that the tables hold at the end.
    pub(super) after: String,
}

/// Replays the events of a folder on an in-memory store. Events are named by their paths in
/// `case`.
pub(super) fn recorded(
    rules: Rules,
    case: &Path,
    seed: Option<&Path>,
    stream: &PathBuf,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Recorded, Failure> {
    let table = default_table(&rules, None)?;
    let store = seeded(&rules, seed, SeedFormat { table, is_plain: false })?;
    let batches = batches(&[stream], table)?;
    let mut lines = Vec::new();
    let output = Output::new(Box::new(&mut lines), Box::new(io::sink()));
    let mut context = Context {
        rules: PathBuf::new(),
        are_rules_given: false,
        json: true,
        colors: Colors::default(),
        output,
        environment,
    };
    let options = Options::default();
    let (_, ended) = in_memory(rules, &store, batches, options, (false, &mut context))?;
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    context.output.flush()?;
    drop(context);
    let lines = String::from_utf8_lossy(&lines).replace(&format!("{}/", case.display()), "");
    Ok(Recorded { lines, after: replay::dump(&store) })
}

/// An in-memory store with the items of these seeds.
fn seeded(
    rules: &Rules,
    seeds: impl IntoIterator<Item: AsRef<Path>>,
    format: SeedFormat<'_>,
) -> Result<Memory, Failure> {
    let store = replay::store(rules);
    for file in seeds {
        let file = file.as_ref();
        replay::seed_as(&store, &read_seed(file)?, format)
            .map_err(|error| Failure::Usage(format!("`{}`: {error}", file.display())))?;
    }
    Ok(store)
}

/// Replays on an in-memory store, and reports the results. Also returns how the replay ended: what
/// was reported and written until then is valid.
fn in_memory(
    rules: Rules,
    store: &Memory,
    batches: Vec<Batch>,
    options: Options,
    (is_strict, context): (bool, &mut Context<'_>),
) -> Result<(Outcome, Result<(), Incomplete>), Failure> {
    let engine = Engine::new(rules).counting();
    let mut reporter = Reporter::new(engine.rules(), is_strict, context);
    reporter.coverage.add_census(&census(&engine, store));
    let report = |progress| reporter.report(progress);
    let ended = replay::replay(&engine, store, batches, options, report);
    Ok((reporter.finish()?, ended))
}

/// Counts what the items of the tables are: the items of a seed match entities too.
fn census(engine: &Engine, store: &Memory) -> Census {
    let tables = store.dump();
    let items = tables.iter().filter_map(|(name, items)| {
        let (table, _) = engine.rules().table_named(name)?;
        Some(items.iter().map(move |item| (table, item)))
    });
    engine.census(items.flatten())
}

/// Reads all events of the files and folders, before anything is replayed.
fn batches(paths: &[&PathBuf], table: Option<&str>) -> Result<Vec<Batch>, Failure> {
    let mut batches = Vec::new();
    for path in paths {
        for file in files(path)? {
            let name = file.display().to_string();
            let batch = replay::read_batch(&name, &read_event(&file)?, table)
                .map_err(|error| Failure::Usage(format!("`{name}`: {error}")))?;
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// The file itself, or the event files of a folder in the order of their names, where 10 follows 2.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error| Failure::Usage(format!("cannot read `{}`: {error}", path.display()));
    let mut files = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    files.retain(|file| is_event_file(file));
    files.sort_by_cached_key(|file| natural_order(&file.to_string_lossy()));
    if files.is_empty() {
        return Err(Failure::Usage(format!(
            "the folder `{}` has no events, which are files whose names end in .json or .jsonl",
            path.display()
        )));
    }
    Ok(files)
}

/// A part of a name. Numbers are compared by their values: by the count of their digits, and then by
/// the digits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(usize, String),
    Text(String),
}

/// Sorts names as people do: `batch-2` before `batch-10`. The name itself distinguishes `2` from `02`.
fn natural_order(name: &str) -> (Vec<Part>, String) {
    let chunks = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let part = |chunk: &[u8]| {
        let text = String::from_utf8_lossy(chunk);
        if chunk.first().is_some_and(u8::is_ascii_digit) {
            let digits = text.trim_start_matches('0');
            Part::Number(digits.len(), digits.to_owned())
        } else {
            Part::Text(text.into_owned())
        }
    };
    (chunks.map(part).collect(), name.to_owned())
}

/// Reports the results of a replay: as JSON Lines while it runs, or as text at its end.
struct Reporter<'t, 'c> {
    rules: &'t Rules,
    context: &'t mut Context<'c>,
    /// Whether a record that matches no entity counts as a finding.
    is_strict: bool,
    findings: Findings,
    totals: Totals,
    coverage: Coverage,
    /// The ids of the reported violations: a record delivered twice is reported once.
    reported: BTreeSet<String>,
    has_errors: bool,
    failure: Option<std::io::Error>,
}

impl<'t, 'c> Reporter<'t, 'c> {
    fn new(rules: &'t Rules, is_strict: bool, context: &'t mut Context<'c>) -> Self {
        Self {
            rules,
            context,
            is_strict,
            coverage: Coverage::default(),
            findings: Findings::default(),
            totals: Totals::default(),
            reported: BTreeSet::new(),
            has_errors: false,
            failure: None,
        }
    }

    fn report(&mut self, progress: Progress) {
        match progress {
            Progress::Rejected(location, rejected) => self.reject(Some(location), rejected),
            Progress::RepairsStarted(repairs) => self.start(&repairs),
            Progress::Delivered(outcome, locations) => self.deliver(outcome, &locations),
        }
    }

    /// Reports repairs at once: the process may die before their violations are reported.
    fn start(&mut self, repairs: &[StartedRepair]) {
        for repair in repairs {
            if self.context.json {
                self.line(&Line::repair_started(self.rules, repair));
            } else if self.failure.is_none() {
                let text = format!("{}\n", repair_started_text(self.rules, repair));
                self.failure = self.context.output.message(&text).err();
            }
        }
        let flushed = self.context.output.flush().err();
        self.failure = self.failure.take().or(flushed);
    }

    fn deliver(&mut self, outcome: engine::Outcome, locations: &[Option<RecordLocation>]) {
        self.coverage.add(&outcome);
        self.totals.records += outcome.records;
        self.totals.batches += 1;
        self.totals.requests += outcome.requests;
        self.totals.read_units += outcome.units.read;
        self.totals.write_units += outcome.units.write;
        for rejected in outcome.rejected {
            let location = locations.get(rejected.position).cloned().flatten();
            self.reject(location, rejected);
        }
        for write in outcome.writes {
            self.totals.writes += 1;
            self.line(&Line::write(self.rules, &write));
            self.findings.writes.push(write);
        }
        for write in outcome.planned {
            self.line(&Line::would_write(self.rules, &write));
            self.findings.planned.push(write);
        }
        for violation in outcome.violations {
            if self.reported.insert(violation.id(self.rules)) {
                self.totals.violations += 1;
                self.has_errors |= violation.finding.severity == Severity::Error;
                self.line(&Line::violation(self.rules, &violation));
                self.findings.violations.push(violation);
            }
        }
    }

    fn reject(&mut self, location: Option<RecordLocation>, rejected: Rejected) {
        self.totals.rejected += 1;
        self.has_errors = true;
        let sequence = rejected.sequence.as_deref();
        self.line(&Line::rejected(sequence, &rejected.error, location.as_ref()));
        self.findings.rejected.push((location, rejected));
    }

    /// With `--json`, writes a line of JSON. A failure is reported at the end, because the replay
    /// continues in order to write its dump.
    fn line(&mut self, line: &Line<'_>) {
        if self.context.json && self.failure.is_none() {
            self.failure = self.context.output.json(line).err();
        }
    }

    fn finish(mut self) -> Result<Outcome, Failure> {
        self.line(&Line::summary(self.rules, self.totals, &self.coverage));
        if let Some(error) = self.failure {
            return Err(Failure::Output(error));
        }
        if !self.context.json {
            let text = table::text(self.rules, &self.findings, &self.totals);
            self.context.output.result(&text)?;
            self.context.output.result(&self.coverage.text(self.rules, "record"))?;
        }
        let is_unmatched = self.is_strict && self.coverage.unmatched() > 0;
        Ok(if self.has_errors || is_unmatched { Outcome::Findings } else { Outcome::Clean })
    }
}

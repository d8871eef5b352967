//! `referee replay`: recorded events through the engine, on the embedded store or on real tables.

#[cfg(feature = "live")]
mod live;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::table::Findings;
use super::input::{read_event, read_seed};
use super::lines::{Line, Totals};
use super::{Context, Failure, Outcome, rule_file};
use crate::engine::{self, Engine, Rejected};
use crate::files;
use crate::replay::{self, Batch, Options, Place, Told};
use crate::rules::model::{Rules, Severity};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Items that are there before the first event: {"<table's physical name>": [<item in DynamoDB
    /// JSON>, …]}, as --dump writes it
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,

    /// Write what the tables hold at the end
    #[arg(long, value_name = "FILE")]
    dump: Option<PathBuf>,

    /// Deliver as badly as Lambda may: cut, repeated and reordered batches, lost and late writes,
    /// crashes; the same seed does the same
    #[arg(long, value_name = "SEED")]
    chaos: Option<u64>,

    /// Do not process the records that Referee's own writes make
    #[arg(long)]
    no_drain: bool,

    /// Report what every rule would do, and write nothing
    #[arg(long)]
    observe: bool,

    #[cfg(feature = "live")]
    #[command(flatten)]
    live: live::LiveArgs,

    /// Files in the shape that Lambda receives, one batch each; folders of them, in name order; or
    /// - for standard input
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    #[cfg(feature = "live")]
    if arguments.live.are_asked_for() {
        return live::run(arguments, context);
    }
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let store = replay::store(&rules);
    for file in &arguments.seed {
        let text = read_seed(file)?;
        replay::seed(&store, &text)
            .map_err(|error| Failure::Usage(format!("`{}`: {error}", file.display())))?;
    }
    let batches = batches(&arguments.events)?;
    let options = Options { no_drain: arguments.no_drain, chaos: arguments.chaos };
    let engine = Engine::new(rules);
    let mut teller = Teller::new(engine.rules(), context);
    let ended = replay::replay(&engine, &store, batches, options, |told| teller.tell(told));
    let outcome = teller.finish()?;
    if let Some(file) = &arguments.dump {
        write_whole(file, &replay::dump(&store))?;
    }
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    Ok(outcome)
}

/// Every event of the files and folders, read whole before anything is replayed.
fn batches(paths: &[PathBuf]) -> Result<Vec<Batch>, Failure> {
    let mut batches = Vec::new();
    for path in paths {
        for file in files(path)? {
            let name = file.display().to_string();
            let batch = replay::read_batch(&name, &read_event(&file)?)
                .map_err(|error| Failure::Usage(format!("`{name}`: {error}")))?;
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// A file itself, or the events of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error| Failure::Usage(format!("cannot read `{}`: {error}", path.display()));
    let mut files = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    if files.is_empty() {
        return Err(Failure::Usage(format!(
            "the folder `{}` has no events, which are files ending in .json",
            path.display()
        )));
    }
    Ok(files)
}

/// Writes a file as a whole or not at all: a half-written dump would look like a whole one.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        // A pipe or a device is written to, and not replaced.
        return std::fs::write(path, text).map_err(failed);
    }
    // Where the name is a link, the file that it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    files::replace(&target, text).map_err(failed)
}

/// Tells what a replay finds and does: at once as JSON Lines, or at the end for people.
struct Teller<'t, 'c> {
    rules: &'t Rules,
    context: &'t mut Context<'c>,
    findings: Findings,
    totals: Totals,
    /// The violations told: a record that is delivered twice violates once.
    told: BTreeSet<String>,
    has_errors: bool,
    failure: Option<std::io::Error>,
}

impl<'t, 'c> Teller<'t, 'c> {
    fn new(rules: &'t Rules, context: &'t mut Context<'c>) -> Self {
        Self {
            rules,
            context,
            findings: Findings::default(),
            totals: Totals::default(),
            told: BTreeSet::new(),
            has_errors: false,
            failure: None,
        }
    }

    fn tell(&mut self, told: Told) {
        match told {
            Told::Rejected(place, rejected) => self.tell_rejected(Some(place), rejected),
            Told::Delivered(outcome, places) => self.tell_outcome(outcome, &places),
        }
    }

    fn tell_outcome(&mut self, outcome: engine::Outcome, places: &[Option<Place>]) {
        self.totals.records += outcome.records;
        self.totals.batches += 1;
        self.totals.requests += outcome.requests;
        self.totals.read_units += outcome.units.read;
        self.totals.write_units += outcome.units.write;
        for rejected in outcome.rejected {
            let place = places.get(rejected.position).cloned().flatten();
            self.tell_rejected(place, rejected);
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
            if self.told.insert(violation.id(self.rules)) {
                self.totals.violations += 1;
                self.has_errors |= violation.finding.severity == Severity::Error;
                self.line(&Line::violation(self.rules, &violation));
                self.findings.violations.push(violation);
            }
        }
    }

    fn tell_rejected(&mut self, place: Option<Place>, rejected: Rejected) {
        self.totals.rejected += 1;
        self.has_errors = true;
        let sequence = rejected.sequence.as_deref();
        self.line(&Line::rejected(sequence, &rejected.error, place.as_ref()));
        self.findings.rejected.push((place, rejected));
    }

    /// Writes a line of JSON, where JSON is asked for. What went wrong is told at the end: the
    /// replay goes on, for its dump.
    fn line(&mut self, line: &Line<'_>) {
        if self.context.json && self.failure.is_none() {
            self.failure = self.context.output.json(line).err();
        }
    }

    fn finish(mut self) -> Result<Outcome, Failure> {
        self.line(&Line::Summary(self.totals));
        if let Some(error) = self.failure {
            return Err(Failure::Output(error));
        }
        if !self.context.json {
            let text = table::text(self.rules, &self.findings, &self.totals);
            self.context.output.result(&text)?;
        }
        Ok(if self.has_errors { Outcome::Findings } else { Outcome::Clean })
    }
}

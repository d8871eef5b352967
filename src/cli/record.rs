//! `referee record`: records live streams as events that `referee replay` reads.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::help::Example;
use super::input::is_event_file;
use super::live::{REAL_TABLES, configured, endpoint_url, until_signal};
use super::output::write_whole;
use super::tables::count;
use super::watch::{StartingPosition, streams};
use super::{Context, Failure, Outcome, rule_file};
use crate::engine::Engine;
use crate::metrics::{Destination, Metrics, NAMESPACE};
use crate::rules::model::Mode;
use crate::runtime::error::Fatal;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;
use crate::streams::{RECORDS_MAX, StreamRecord, Streams};
use crate::watch::{NoKeeper, Notice, Options, Stop, Watcher, follow};

pub(super) const EXAMPLES: &[Example] = &[
    ("Record everything that the streams still have", "referee record --once events/"),
    ("Record what is written from now on, until Ctrl-C", "referee record --from latest events/"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Use the tables at this endpoint instead of those of the AWS account and Region set in the
    /// environment.
    #[arg(long, value_name = "URL", help_heading = REAL_TABLES, value_parser = endpoint_url)]
    endpoint_url: Option<String>,

    /// Where to start in the streams.
    #[arg(
        long,
        value_enum,
        value_name = "POSITION",
        default_value_t = StartingPosition::TrimHorizon
    )]
    from: StartingPosition,

    /// The maximum number of records in a file.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=RECORDS_MAX as i64)
    )]
    batch_size: u16,

    /// Stop at the end of the streams.
    #[arg(long)]
    once: bool,

    /// The folder for the events. It is created if it does not exist, and must have no events.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let rules = rule_file::load(context)?;
    create_empty(&arguments.folder)?;
    let recorder = Recorder::new(&arguments.folder, context);
    let stop = Stop::default();
    until_signal(&stop, async {
        let config = configured(arguments.endpoint_url.as_deref(), None).await?;
        let (store, source) = (DynamoDb::new(&config), Streams::new(&config));
        let streams = streams(&store, &source, &rules, &|text| recorder.message(text)).await?;
        // Without a rule that is on, the engine reads and writes nothing.
        let engine = Engine::new(rules.in_mode(Mode::Off));
        let metrics =
            Metrics { sink: Destination::Nowhere.open(&config), namespace: NAMESPACE.to_owned() };
        let watcher = Watcher {
            engine: &engine,
            source: &source,
            store: &store,
            keeper: &NoKeeper,
            metrics: &metrics,
            clock: &SystemClock,
            options: Options {
                start: arguments.from.into(),
                batch_records_max: usize::from(arguments.batch_size),
                once: arguments.once,
            },
            stop: &stop,
        };
        let notify = |notice: Notice<'_>| {
            if !recorder.record(notice) {
                stop.set();
            }
        };
        let followed = follow(watcher, &streams, &notify).await;
        followed.map_err(|Fatal(what)| Failure::Incomplete(what))
    })?;
    recorder.finish()
}

/// Creates the folder. Fails if it has files that a replay would read.
fn create_empty(folder: &Path) -> Result<(), Failure> {
    let name = folder.display().to_string();
    let failed = |error| Failure::File(name.clone(), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_event_file(&path) {
            return Err(Failure::Usage(format!(
                "the folder `{name}` already has events\nhelp: name a new folder, so that a replay \
                 reads one recording"
            )));
        }
    }
    Ok(())
}

/// Writes batches to files, and counts them.
struct Recorder<'r, 'c> {
    folder: &'r Path,
    context: RefCell<&'r mut Context<'c>>,
    files: Cell<usize>,
    records: Cell<usize>,
    has_lost: Cell<bool>,
    failure: RefCell<Option<Failure>>,
}

impl<'r, 'c> Recorder<'r, 'c> {
    fn new(folder: &'r Path, context: &'r mut Context<'c>) -> Self {
        Self {
            folder,
            context: RefCell::new(context),
            files: Cell::default(),
            records: Cell::default(),
            has_lost: Cell::default(),
            failure: RefCell::default(),
        }
    }

    /// Records a notice. Returns false if nothing more can be recorded.
    fn record(&self, notice: Notice<'_>) -> bool {
        match notice {
            Notice::Started { stream, .. } => {
                self.message(&format!("recording `{}`", stream.table));
            }
            Notice::Delivered { records, .. } => self.write(records),
            Notice::Retrying { stream, error, pause_ms } => self.message(&format!(
                "reading the stream of `{}` again in {pause_ms} ms: {error}",
                stream.table
            )),
            Notice::RecordsLost { stream, what } => {
                self.has_lost.set(true);
                self.message(&format!(
                    "warning: records of table `{}` are not recorded: {what}",
                    stream.table
                ));
            }
            Notice::Recovered { stream } => {
                self.message(&format!("the stream of `{}` is read again", stream.table));
            }
            // The engine does nothing that could fail, and there are no metrics.
            Notice::RepairsStarted { .. }
            | Notice::Redelivering { .. }
            | Notice::MetricsLost { .. } => {}
        }
        self.failure.borrow().is_none()
    }

    fn write(&self, records: &[StreamRecord]) {
        if records.is_empty() || self.failure.borrow().is_some() {
            return;
        }
        self.files.set(self.files.get() + 1);
        let file = self.folder.join(format!("{:06}.json", self.files.get()));
        match write_whole(&file, &event(records)) {
            Ok(()) => self.records.set(self.records.get() + records.len()),
            Err(failure) => *self.failure.borrow_mut() = Some(failure),
        }
    }

    fn message(&self, text: &str) {
        let written = self.context.borrow_mut().output.message(&format!("{text}\n"));
        if let Err(error) = written {
            *self.failure.borrow_mut() = Some(Failure::Output(error));
        }
    }

    fn finish(self) -> Result<Outcome, Failure> {
        if let Some(failure) = self.failure.into_inner() {
            return Err(failure);
        }
        let (records, files) = (self.records.get(), self.files.get());
        self.context.into_inner().output.message(&format!(
            "recorded {} in {}\n",
            count(records, "record"),
            count(files, "file")
        ))?;
        if self.has_lost.get() {
            return Err(Failure::Incomplete("some records could not be read".to_owned()));
        }
        Ok(Outcome::Clean)
    }
}

/// The records as Lambda's input, one in each line.
fn event(records: &[StreamRecord]) -> String {
    let lines: Vec<&str> = records.iter().map(|record| RawValue::get(&record.json)).collect();
    format!("{{\"Records\": [\n{}\n]}}\n", lines.join(",\n"))
}

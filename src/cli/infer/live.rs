//! Real tables: described, and scanned once into temporary files, which are read several times.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::Args;
use super::file::{ItemFile, Layout};
use super::sources::Sources;
use crate::audit::live::Interrupted;
use crate::audit::live::rate::Limiter;
use crate::audit::live::scan::{Options, Sink, scan};
use crate::audit::live::segments::{TableScan, Totals, segments_for};
use crate::cli::live::{REAL_TABLES, configured, endpoint_url, until_signal};
use crate::cli::progress::{Progress, whole};
use crate::cli::{Context, Failure};
use crate::data::Item;
use crate::infer::InputTable;
use crate::runtime::clock::Clock as _;
use crate::runtime::stop::Stop;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;
use crate::store::description::{Described, Description, TimeToLive};

/// The maximum number of segments that are read at the same time.
const WIDTH_MAX: u32 = 8;

/// The options of real tables.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Read the tables at this endpoint.
    #[arg(
        long,
        value_name = "URL",
        group = "tables",
        requires = "table",
        help_heading = REAL_TABLES,
        value_parser = endpoint_url
    )]
    endpoint_url: Option<String>,

    /// Read the tables of the AWS account and Region set in the environment. Name them with
    /// --table.
    #[arg(long, group = "tables", requires = "table", help_heading = REAL_TABLES)]
    live: bool,

    /// The maximum number of read units a second [default: as many as the tables have].
    #[arg(long, value_name = "NUMBER", requires = "tables", help_heading = REAL_TABLES)]
    read_units: Option<f64>,

    /// Read only a sample, of about this many read units in all: one unit reads 8 KB.
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "tables",
        help_heading = REAL_TABLES,
        default_value_t = 10_000.0
    )]
    sample_units: f64,

    /// Read every item, whatever it costs.
    #[arg(long, requires = "tables", help_heading = REAL_TABLES, conflicts_with = "sample_units")]
    all: bool,
}

impl LiveArgs {
    /// Whether there are real tables.
    pub(super) const fn has_tables(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }
}

/// Scans the tables.
pub(super) fn open(arguments: &Args, context: &mut Context<'_>) -> Result<Sources, Failure> {
    let stop = Stop::default();
    let is_done = Stop::default();
    until_signal(&stop, read(arguments, context, &stop, &is_done))
}

async fn read(
    arguments: &Args,
    context: &mut Context<'_>,
    stop: &Stop,
    is_full: &Stop,
) -> Result<Sources, Failure> {
    let live = &arguments.live;
    let config = configured(live.endpoint_url.as_deref(), None).await?;
    let store = DynamoDb::new(&config);
    let folder = match &arguments.temporary {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(|error| unusable(&error))?;
    let mut tables = Vec::new();
    let mut scans = Vec::new();
    let mut files = Vec::new();
    for name in &arguments.table {
        let description = describe(&store, name).await?;
        let path = folder.path().join(format!("{}.jsonl", tables.len()));
        files.push(BufWriter::new(File::create(&path).map_err(|error| unusable(&error))?));
        // More segments than are read at the same time, so that a sample comes from all over the
        // table.
        let segments = segments_for(description.size.bytes).max(WIDTH_MAX);
        scans.push(TableScan::new(name.clone(), segments));
        let ttl = match store.time_to_live(name).await {
            Ok(TimeToLive::On(attribute)) => Some(attribute),
            _ => None,
        };
        tables.push((input(name, description, ttl), path));
    }
    let clock = SystemClock;
    let limiter = Limiter::new(live.read_units, &clock);
    let attributes = vec![None; scans.len()];
    let options =
        Options { attributes: &attributes, width_max: WIDTH_MAX, limiter: &limiter, stop: is_full };
    let mut sink = Spool {
        files,
        units_max: if live.all { f64::INFINITY } else { live.sample_units },
        is_full,
        stop,
        progress: Progress::new(None, clock.now_ms()),
        context,
        clock,
    };
    let scanned = scan(&store, &clock, &options, &mut scans, &mut sink).await;
    sink.progress.finish();
    let flushed = sink.files.iter_mut().try_for_each(BufWriter::flush);
    flushed.map_err(|error| unusable(&error))?;
    match scanned {
        Ok(()) => {}
        Err(Interrupted::Stopped) if !stop.is_set() => {}
        Err(Interrupted::Stopped) => return Err(Failure::Incomplete("it was stopped".to_owned())),
        Err(Interrupted::Store(error)) => return Err(Failure::Incomplete(error.to_string())),
        Err(Interrupted::Sink(error)) => return Err(error),
    }
    let is_sample = !scans.iter().all(TableScan::is_done);
    if is_sample {
        let units = whole(Totals::of(&scans).units);
        let text = format!("read a sample of {units} read units; `--all` reads every item");
        context.output.message(&format!("{text}\n"))?;
    }
    let mut sources = Sources::empty();
    sources.is_sample = is_sample;
    for (table, path) in tables {
        add(&mut sources, table, &path)?;
    }
    sources.keep(folder);
    Ok(sources)
}

fn add(sources: &mut Sources, table: InputTable, path: &Path) -> Result<(), Failure> {
    let name = table.name.clone();
    let id = sources.table(table);
    let file = ItemFile::new(path.to_owned(), Layout::Lines, vec![(name, id)]);
    let file = file.map_err(Failure::Incomplete)?;
    sources.archive.0.push(Box::new(file));
    Ok(())
}

async fn describe(store: &DynamoDb, table: &str) -> Result<Description, Failure> {
    match store.describe(table).await? {
        Described::Table(description) => Ok(description),
        Described::Missing => Err(Failure::Usage(format!("table `{table}` does not exist"))),
        Described::Hidden(error) => Err(Failure::Incomplete(format!(
            "cannot describe table `{table}`: {error}\n\
             help: `infer` needs the permissions `dynamodb:DescribeTable` and `dynamodb:Scan`"
        ))),
    }
}

fn input(name: &str, description: Description, ttl: Option<String>) -> InputTable {
    let indexes = description.indexes.into_iter().filter(|index| index.is_global);
    InputTable {
        name: name.to_owned(),
        key: Some(description.key),
        indexes: indexes.filter_map(|index| Some((index.name, index.key?))).collect(),
        ttl,
    }
}

fn unusable(error: &std::io::Error) -> Failure {
    Failure::Incomplete(format!(
        "cannot use a temporary file: {error}; --temporary names another folder for them"
    ))
}

/// Writes the items of a scan to temporary files, until it has cost enough.
struct Spool<'s, 'c, 'o> {
    files: Vec<BufWriter<File>>,
    units_max: f64,
    /// Set when enough was read.
    is_full: &'s Stop,
    /// Set by the user.
    stop: &'s Stop,
    progress: Progress,
    context: &'c mut Context<'o>,
    clock: SystemClock,
}

impl Sink for Spool<'_, '_, '_> {
    type Error = Failure;

    fn page(&mut self, table: usize, _: u32, items: Vec<Item<'static>>) -> Result<(), Failure> {
        let Some(file) = self.files.get_mut(table) else { return Ok(()) };
        for item in items {
            serde_json::to_writer(&mut *file, &item)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| unusable(&error))?;
        }
        Ok(())
    }

    fn save(&mut self, _: &[TableScan]) -> Result<(), Failure> {
        Ok(())
    }

    fn show(&mut self, tables: &[TableScan]) {
        let totals = Totals::of(tables);
        if totals.units >= self.units_max || self.stop.is_set() {
            self.is_full.set();
        }
        let text = || format!("{} items, {} read units", totals.items, whole(totals.units));
        let now_ms = self.clock.now_ms();
        self.progress.show(&mut self.context.output, totals.items, text, now_ms);
    }
}

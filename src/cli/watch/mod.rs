//! `referee watch`: runs live streams through the engine, without a Lambda function.

mod prepare;
mod report;
mod time;

use std::path::PathBuf;
use std::pin::pin;

use clap::ValueEnum;
use futures_util::future::{Either, select};

pub(super) use self::prepare::streams;
use self::prepare::{check_checkpoint_table, create, seed};
use self::report::Reporter;
use super::help::Example;
use super::live::{REAL_TABLES, configured, endpoint_url, runtime};
use super::signals::Signals;
use super::{Context, Failure, Outcome, rule_file};
use crate::aws::SdkConfig;
use crate::engine::Engine;
use crate::metrics::{Destination, Metrics, NAMESPACE};
use crate::runtime::clock::Clock as _;
use crate::runtime::error::Fatal;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;
use crate::streams::{RECORDS_MAX, Stream, Streams};
use crate::watch::{
    self, CheckpointFile, CheckpointTable, Keeper, NoKeeper, Notice, Options, Stop, Watcher, follow,
};

pub(super) const EXAMPLES: &[Example] = &[
    ("Report what the rules would do, and write nothing", "referee watch --observe"),
    ("Continue where the last run stopped", "referee watch --checkpoint progress.json"),
    (
        "Create the tables on DynamoDB Local, and process their streams",
        "referee watch --endpoint-url http://localhost:8000 --create-tables --seed seed.json",
    ),
];

/// The heading of the options that concern the position in a stream.
const POSITION: &str = "Position in the streams";

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    /// Use the tables at this endpoint instead of those of the AWS account and Region set in the
    /// environment.
    #[arg(long, value_name = "URL", help_heading = REAL_TABLES, value_parser = endpoint_url)]
    endpoint_url: Option<String>,

    /// Report what every rule would do, and write nothing.
    #[arg(long)]
    observe: bool,

    /// Where to start in a stream without a checkpoint.
    #[arg(
        long,
        value_enum,
        value_name = "POSITION",
        help_heading = POSITION,
        default_value_t = StartingPosition::TrimHorizon
    )]
    from: StartingPosition,

    /// Store the position in the streams in this file, and continue from there.
    #[arg(long, value_name = "FILE", help_heading = POSITION, group = "kept")]
    checkpoint: Option<PathBuf>,

    /// Store the position in this table, with partition key `table` and sort key `shard`, both
    /// strings.
    #[arg(long, value_name = "NAME", help_heading = POSITION, group = "kept")]
    checkpoint_table: Option<String>,

    /// The maximum number of records in a batch.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=RECORDS_MAX as i64)
    )]
    batch_size: u16,

    /// Exit with code 1 if a record matches no entity.
    #[arg(long)]
    strict: bool,

    /// Stop at the end of the streams.
    #[arg(long)]
    once: bool,

    /// Create missing tables, with their indexes and streams, for local development.
    #[arg(long, help_heading = REAL_TABLES, requires = "endpoint_url")]
    create_tables: bool,

    /// Write these items to the created tables: {"<table name in DynamoDB>": [<item in DynamoDB
    /// JSON>, …]}.
    #[arg(long, value_name = "FILE", help_heading = REAL_TABLES, requires = "create_tables")]
    seed: Vec<PathBuf>,

    #[command(flatten)]
    rules: super::rule_file::RulesArg,
}

/// Where to start in a stream without a checkpoint.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum StartingPosition {
    /// The oldest record of the stream.
    TrimHorizon,
    /// Records written from now on.
    Latest,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    // Unlike a replay of past events on real tables, this command replaces the Lambda function, and
    // therefore writes by default.
    arguments.rules.apply(context)?;
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let engine = Engine::new(rules).counting();
    let owner = owner(context);
    let namespace = variable(context, "REFEREE_NAMESPACE").unwrap_or_else(|| NAMESPACE.to_owned());
    let metrics_to = metrics_to(context)?;
    let reporter = Reporter::new(engine.rules(), arguments.strict, context);
    let ended = runtime()?.block_on(async {
        let config = configured(arguments.endpoint_url.as_deref(), None).await?;
        let metrics = Metrics { sink: metrics_to.open(&config), namespace };
        watch(arguments, &config, &engine, &metrics, &owner, &reporter).await
    });
    let outcome = reporter.finish()?;
    ended?;
    Ok(outcome)
}

async fn watch(
    arguments: &Args,
    config: &SdkConfig,
    engine: &Engine,
    metrics: &Metrics,
    owner: &str,
    reporter: &Reporter<'_, '_>,
) -> Result<(), Failure> {
    let (store, source) = (DynamoDb::new(config), Streams::new(config));
    if arguments.create_tables {
        let created = create(&store, engine.rules(), arguments.checkpoint_table.as_deref()).await?;
        seed(&store, engine.rules(), &created, &arguments.seed).await?;
    }
    let streams = streams(&store, &source, engine.rules(), &|text| reporter.message(text)).await?;
    if let Some(table) = &arguments.checkpoint_table {
        check_checkpoint_table(&store, table).await?;
    }
    let parts = Parts {
        arguments,
        engine,
        store: &store,
        source: &source,
        metrics,
        streams: &streams,
        reporter,
    };
    let clock = SystemClock;
    match (&arguments.checkpoint, &arguments.checkpoint_table) {
        (Some(file), _) => parts.keep_in(&CheckpointFile::open(file)?).await,
        (None, Some(table)) => {
            let owner = format!("{owner}, since {}", clock.now_ms());
            parts.keep_in(&CheckpointTable::new(&store, &clock, table, owner)).await
        }
        (None, None) => parts.keep_in(&NoKeeper).await,
    }
}

/// The parts of a watcher, except the keeper of its checkpoint.
struct Parts<'p, 't, 'c> {
    arguments: &'p Args,
    engine: &'p Engine,
    store: &'p DynamoDb,
    source: &'p Streams,
    metrics: &'p Metrics,
    streams: &'p [Stream],
    reporter: &'p Reporter<'t, 'c>,
}

impl Parts<'_, '_, '_> {
    /// Follows the streams and stores the checkpoint with this keeper, until a signal arrives.
    async fn keep_in<K: Keeper>(&self, keeper: &K) -> Result<(), Failure> {
        let stop = Stop::default();
        let watcher = Watcher {
            engine: self.engine,
            source: self.source,
            store: self.store,
            keeper,
            metrics: self.metrics,
            clock: &SystemClock,
            options: self.arguments.options(),
            stop: &stop,
        };
        let mut signals = Signals::new().map_err(|error| Failure::Incomplete(error.to_string()))?;
        let notify = |notice: Notice<'_>| {
            if self.reporter.report(notice).is_err() {
                // Stop, because later results could not be written either. The error is reported at
                // the end.
                stop.set();
            }
        };
        let followed = pin!(follow(watcher, self.streams, &notify));
        let signalled = pin!(async {
            signals.next().await;
            self.reporter
                .message("stopping after the current batches; a second signal stops at once");
            stop.set();
            signals.next().await;
        });
        match select(followed, signalled).await {
            Either::Left((Ok(()), _)) => Ok(()),
            Either::Left((Err(Fatal(what)), _)) => Err(Failure::Incomplete(what)),
            Either::Right(((), _)) => Err(Failure::Incomplete(
                "stopped in the middle of a batch, which will be delivered again".to_owned(),
            )),
        }
    }
}

impl From<StartingPosition> for watch::Start {
    fn from(position: StartingPosition) -> Self {
        match position {
            StartingPosition::TrimHorizon => Self::TrimHorizon,
            StartingPosition::Latest => Self::Latest,
        }
    }
}

impl Args {
    fn options(&self) -> Options {
        Options {
            start: self.from.into(),
            batch_records_max: usize::from(self.batch_size),
            once: self.once,
        }
    }
}

/// The name of this process in a lease.
fn owner(context: &Context<'_>) -> String {
    let host = variable(context, "HOSTNAME");
    let host = host.map(|host| format!(" on {host}")).unwrap_or_default();
    format!("process {}{host}", std::process::id())
}

/// The destination of the metrics. Unlike for the Lambda function, the default is none, because
/// local development needs no metrics.
fn metrics_to(context: &Context<'_>) -> Result<Destination, Failure> {
    const VARIABLE: &str = "REFEREE_METRICS";
    let Some(name) = variable(context, VARIABLE) else { return Ok(Destination::Nowhere) };
    Destination::from_name(&name).ok_or_else(|| {
        Failure::Usage(format!("`{VARIABLE}` is `{name}`; it must be cloudwatch, emf or none"))
    })
}

/// The value of an environment variable, unless it is empty.
fn variable(context: &Context<'_>, name: &str) -> Option<String> {
    (context.environment)(name).filter(|value| !value.is_empty())
}

//! `referee watch`: live streams through the engine, without a Lambda.

mod prepare;
mod signals;
mod tell;

use std::path::PathBuf;
use std::pin::pin;

use clap::ValueEnum;
use futures_util::future::{Either, select};

use self::prepare::{check_checkpoint_table, create, seed, streams};
use self::signals::Signals;
use self::tell::Teller;
use super::live::{endpoint_url, runtime};
use super::{Context, Failure, Outcome, rule_file};
use crate::aws::{self, SdkConfig};
use crate::engine::Engine;
use crate::metrics::{Destination, Metrics, NAMESPACE};
use crate::runtime::clock::Clock as _;
use crate::runtime::error::Fatal;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;
use crate::streams::{RECORDS_MAX, Stream, Streams};
use crate::watch::{
    CheckpointFile, CheckpointTable, Keeper, Nothing, Options, Stop, Told, Watcher, follow,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Follow the tables at this endpoint, and not those of the AWS account and Region that the
    /// environment names
    #[arg(long, value_name = "URL", value_parser = endpoint_url)]
    endpoint_url: Option<String>,

    /// Report what every rule would do, and write nothing
    #[arg(long)]
    observe: bool,

    /// Where to begin with a stream that no checkpoint knows
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = From::TrimHorizon)]
    from: From,

    /// Keep in this file how far the streams have been read, and go on from there
    #[arg(long, value_name = "FILE", group = "kept")]
    checkpoint: Option<PathBuf>,

    /// Keep it in this table, whose partition key is `table` and sort key `shard`, both strings
    #[arg(long, value_name = "NAME", group = "kept")]
    checkpoint_table: Option<String>,

    /// The most records of one batch
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=RECORDS_MAX as i64))]
    batch_size: u16,

    /// Stop when all that there is has been read
    #[arg(long)]
    once: bool,

    /// Make the tables that are not there, with their indexes and streams: for local development
    #[arg(long, requires = "endpoint_url")]
    create_tables: bool,

    /// Put these items into tables that were made: {"<table's physical name>": [<item in DynamoDB
    /// JSON>, …]}
    #[arg(long, value_name = "FILE", requires = "create_tables")]
    seed: Vec<PathBuf>,
}

/// Where to begin with a stream that no checkpoint knows.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// With the oldest record that there is.
    TrimHorizon,
    /// With what is written from now on.
    Latest,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    // Unlike a replay, which looks at the past, this stands in for the Lambda, and writes.
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let engine = Engine::new(rules);
    let owner = owner(context);
    let namespace = variable(context, "REFEREE_NAMESPACE").unwrap_or_else(|| NAMESPACE.to_owned());
    let metrics_to = metrics_to(context)?;
    let teller = Teller::new(engine.rules(), context);
    let ended = runtime()?.block_on(async {
        let config = aws::configure(arguments.endpoint_url.as_deref()).await;
        let metrics = Metrics { sink: metrics_to.open(&config), namespace };
        watch(arguments, &config, &engine, &metrics, &owner, &teller).await
    });
    let outcome = teller.finish()?;
    ended?;
    Ok(outcome)
}

async fn watch(
    arguments: &Args,
    config: &SdkConfig,
    engine: &Engine,
    metrics: &Metrics,
    owner: &str,
    teller: &Teller<'_, '_>,
) -> Result<(), Failure> {
    let (store, source) = (DynamoDb::new(config), Streams::new(config));
    if arguments.create_tables {
        let made = create(&store, engine.rules(), arguments.checkpoint_table.as_deref()).await?;
        seed(&store, engine.rules(), &made, &arguments.seed).await?;
    }
    let streams = streams(&store, &source, engine.rules(), teller).await?;
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
        teller,
    };
    let clock = SystemClock;
    match (&arguments.checkpoint, &arguments.checkpoint_table) {
        (Some(file), _) => parts.keep_in(&CheckpointFile::open(file)?).await,
        (None, Some(table)) => {
            let owner = format!("{owner}, since {}", clock.now_ms());
            parts.keep_in(&CheckpointTable::new(&store, &clock, table, owner)).await
        }
        (None, None) => parts.keep_in(&Nothing).await,
    }
}

/// Everything but the keeper of progress.
struct Parts<'p, 't, 'c> {
    arguments: &'p Args,
    engine: &'p Engine,
    store: &'p DynamoDb,
    source: &'p Streams,
    metrics: &'p Metrics,
    streams: &'p [Stream],
    teller: &'p Teller<'t, 'c>,
}

impl Parts<'_, '_, '_> {
    /// Follows the streams, with progress kept here, until a signal asks to stop.
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
        let tell = |told: Told<'_>| {
            if self.teller.tell(told).is_err() {
                // The error is told at the end. Nobody would see what is found from now on.
                stop.set();
            }
        };
        let followed = pin!(follow(watcher, self.streams, &tell));
        let signalled = pin!(async {
            signals.next().await;
            self.teller.message("stopping, once the batches that are begun are done");
            stop.set();
            signals.next().await;
        });
        match select(followed, signalled).await {
            Either::Left((Ok(()), _)) => Ok(()),
            Either::Left((Err(Fatal(what)), _)) => Err(Failure::Incomplete(what)),
            Either::Right(((), _)) => Err(Failure::Incomplete(
                "stopped in the middle of a batch, which is delivered again next time".to_owned(),
            )),
        }
    }
}

impl Args {
    fn options(&self) -> Options {
        Options {
            from: match self.from {
                From::TrimHorizon => crate::watch::From::TrimHorizon,
                From::Latest => crate::watch::From::Latest,
            },
            batch_records_max: usize::from(self.batch_size),
            once: self.once,
        }
    }
}

/// What a lease says of this process: enough to find it.
fn owner(context: &Context<'_>) -> String {
    let host = variable(context, "HOSTNAME");
    let host = host.map(|host| format!(" on {host}")).unwrap_or_default();
    format!("process {}{host}", std::process::id())
}

/// Where metrics go. Unlike the Lambda's, they go nowhere unless someone says so: whoever develops
/// has no use for them.
fn metrics_to(context: &Context<'_>) -> Result<Destination, Failure> {
    const VARIABLE: &str = "REFEREE_METRICS";
    let Some(name) = variable(context, VARIABLE) else { return Ok(Destination::Nowhere) };
    Destination::from_name(&name).ok_or_else(|| {
        Failure::Usage(format!("`{VARIABLE}` is `{name}`, and must be cloudwatch, emf or none"))
    })
}

/// A variable that says something.
fn variable(context: &Context<'_>, name: &str) -> Option<String> {
    (context.environment)(name).filter(|value| !value.is_empty())
}

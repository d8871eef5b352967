//! Replays events on real tables.

use std::path::PathBuf;

use super::{Reporter, batches};
use crate::cli::item::default_table;
use crate::cli::live::{REAL_TABLES, configured, endpoint_url, runtime};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::engine::Engine;
use crate::replay;
use crate::rules::model::Mode;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;

/// The options of a replay on real tables.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Replay on the tables at this endpoint, without writing unless --apply is given.
    #[arg(
        long,
        value_name = "URL",
        group = "tables",
        help_heading = REAL_TABLES,
        conflicts_with_all = IN_MEMORY,
        value_parser = endpoint_url
    )]
    endpoint_url: Option<String>,

    /// Replay on the tables of the AWS account and Region set in the environment, without writing
    /// unless --apply is given.
    #[arg(long, group = "tables", help_heading = REAL_TABLES, conflicts_with_all = IN_MEMORY)]
    live: bool,

    /// Write to the real tables what the rules require.
    #[arg(long, requires = "tables", help_heading = REAL_TABLES, conflicts_with = "observe")]
    apply: bool,
}

/// The options that need the in-memory store.
const IN_MEMORY: [&str; 4] = ["seed", "dump", "chaos", "no_drain"];

impl LiveArgs {
    /// Whether to replay on real tables.
    pub(super) const fn are_given(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }
}

pub(super) fn run(
    arguments: &super::Args,
    events: &[&PathBuf],
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let LiveArgs { endpoint_url, apply, .. } = &arguments.live;
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let rules = if *apply { rules } else { rules.in_mode(Mode::Observe) };
    let table = default_table(&rules, arguments.table.as_deref())?;
    let batches = batches(events, table)?;
    let engine = Engine::new(rules).counting();
    let mut reporter = Reporter::new(engine.rules(), arguments.strict, context);
    let runtime = runtime()?;
    let config = runtime.block_on(configured(endpoint_url.as_deref(), None))?;
    let ended = runtime.block_on(async {
        let store = DynamoDb::new(&config);
        let report = |progress| reporter.report(progress);
        replay::replay_on(&engine, &store, &SystemClock, batches, report).await
    });
    let outcome = reporter.finish()?;
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    Ok(outcome)
}

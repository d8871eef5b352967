//! A replay on real tables.

use super::{Teller, batches};
use crate::aws;
use crate::cli::live::{endpoint_url, runtime};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::engine::Engine;
use crate::replay;
use crate::rules::model::Mode;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;

/// The options of a replay on real tables.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Replay on the tables at this endpoint, and only report what would be done
    #[arg(long, value_name = "URL", group = "tables", conflicts_with_all = EMBEDDED, value_parser = endpoint_url)]
    endpoint_url: Option<String>,

    /// Replay on the tables of the AWS account and Region that the environment names, and only
    /// report what would be done
    #[arg(long, group = "tables", conflicts_with_all = EMBEDDED)]
    live: bool,

    /// Write to these tables what the rules ask for
    #[arg(long, requires = "tables", conflicts_with = "observe")]
    apply: bool,
}

/// What only the embedded store can do.
const EMBEDDED: [&str; 4] = ["seed", "dump", "chaos", "no_drain"];

impl LiveArgs {
    /// Whether the tables are real ones.
    pub(super) const fn are_asked_for(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }
}

pub(super) fn run(arguments: &super::Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let LiveArgs { endpoint_url, apply, .. } = &arguments.live;
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let rules = if *apply { rules } else { rules.in_mode(Mode::Observe) };
    let batches = batches(&arguments.events)?;
    let engine = Engine::new(rules);
    let mut teller = Teller::new(engine.rules(), context);
    let ended = runtime()?.block_on(async {
        let config = aws::configure(endpoint_url.as_deref()).await;
        let store = DynamoDb::new(&config);
        let tell = |told| teller.tell(told);
        replay::replay_on(&engine, &store, &SystemClock, batches, tell).await
    });
    let outcome = teller.finish()?;
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    Ok(outcome)
}

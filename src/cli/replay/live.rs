//! A replay on real tables.

use tokio::runtime;

use super::{Teller, batches, in_mode};
use crate::aws;
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::clock::SystemClock;
use crate::engine::Engine;
use crate::replay;
use crate::rules::model::Mode;
use crate::store::DynamoDb;

/// The options of a replay on real tables.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// Replay on the tables at this endpoint, and only report what would be done
    #[arg(long, value_name = "URL", group = "tables", conflicts_with_all = EMBEDDED, value_parser = url)]
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

/// A URL as far as it must be one to be taken at its word.
fn url(text: &str) -> Result<String, &'static str> {
    let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if is_url { Ok(text.to_owned()) } else { Err("it must begin with http:// or https://") }
}

pub(super) fn run(arguments: &super::Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let LiveArgs { endpoint_url, apply, .. } = &arguments.live;
    let rules = in_mode(rule_file::load(context)?, arguments, context)?;
    let rules = if *apply { rules } else { rules.in_mode(Mode::Observe) };
    let batches = batches(&arguments.events)?;
    let engine = Engine::new(rules);
    let mut teller = Teller::new(engine.rules(), context);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Incomplete(error.to_string()))?;
    let ended = runtime.block_on(async {
        let config = aws::configure(endpoint_url.as_deref()).await;
        let store = DynamoDb::new(&config);
        let tell = |told| teller.tell(told);
        replay::replay_on(&engine, &store, &SystemClock, batches, tell).await
    });
    let outcome = teller.finish()?;
    ended.map_err(|incomplete| Failure::Incomplete(incomplete.to_string()))?;
    Ok(outcome)
}

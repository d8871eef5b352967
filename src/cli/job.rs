//! Work on tables that commands do either on real tables or on the in-memory store.

use std::path::PathBuf;

use futures_util::FutureExt as _;

use super::Failure;
use super::input::read_seed;
use super::output::write_whole;
use crate::replay;
use crate::rules::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

/// The heading of the options that select the in-memory store.
const IN_MEMORY: &str = "In-memory store";

/// The tables that a command works on.
#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    /// Use the tables at this endpoint.
    #[cfg(feature = "live")]
    #[arg(
        long,
        value_name = "URL",
        help_heading = super::live::REAL_TABLES,
        conflicts_with_all = ["live", "seed"],
        value_parser = super::live::endpoint_url
    )]
    endpoint_url: Option<String>,

    /// Use the tables of the AWS account and Region set in the environment.
    #[cfg(feature = "live")]
    #[arg(long, help_heading = super::live::REAL_TABLES, conflicts_with = "seed")]
    live: bool,

    /// Use tables in memory with these items, to try a command out: {"<table name in
    /// DynamoDB>": [<item in DynamoDB JSON>, …]}, the format of `replay --dump`.
    #[arg(long, value_name = "FILE", help_heading = IN_MEMORY)]
    pub(super) seed: Vec<PathBuf>,

    /// The time of the tables in memory, which decides what has expired, in UTC
    /// [default: 1970-01-01T00:00:00Z].
    #[arg(
        long,
        value_name = "TIME",
        help_heading = IN_MEMORY,
        requires = "seed",
        value_parser = super::at::time_ms
    )]
    pub(super) at: Option<i64>,

    /// Write the final content of the tables in memory to a file.
    #[arg(long, value_name = "FILE", help_heading = IN_MEMORY, requires = "seed")]
    dump: Option<PathBuf>,
}

/// Work on tables.
pub(super) trait Job {
    /// The result.
    type Output;

    /// Does the work. It should end soon after a request to stop.
    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Self::Output, Failure>;
}

impl TableArgs {
    /// Whether the tables are in memory.
    pub(super) const fn are_in_memory(&self) -> bool {
        !self.seed.is_empty()
    }

    /// The time of the tables in memory, in milliseconds since 1970.
    pub(super) fn at_ms(&self) -> i64 {
        self.at.unwrap_or(0)
    }

    /// Does work on these tables.
    pub(super) fn run<J: Job>(&self, rules: &Rules, job: J) -> Result<J::Output, Failure> {
        if self.are_in_memory() {
            return self.in_memory(rules, job);
        }
        #[cfg(feature = "live")]
        if self.live || self.endpoint_url.is_some() {
            let stop = Stop::default();
            return super::live::until_signal(&stop, async {
                let config = super::live::configured(self.endpoint_url.as_deref(), None).await?;
                let store = crate::store::DynamoDb::new(&config);
                job.run(&store, &crate::runtime::system_clock::SystemClock, &stop).await
            });
        }
        let known = if cfg!(feature = "live") {
            "`--live`, `--endpoint-url URL` or `--seed FILE`"
        } else {
            "`--seed FILE`"
        };
        Err(Failure::Usage(format!("no tables are named\nhelp: use {known}")))
    }

    fn in_memory<J: Job>(&self, rules: &Rules, job: J) -> Result<J::Output, Failure> {
        let store = replay::store(rules);
        for file in &self.seed {
            let text = read_seed(file)?;
            replay::seed(&store, &text)
                .map_err(|error| Failure::Usage(format!("`{}`: {error}", file.display())))?;
        }
        let done = job.run(&store, &NoTime(self.at_ms()), &Stop::default()).now_or_never();
        let waited =
            || Failure::Incomplete("internal error: the store in memory waited".to_owned());
        let done = done.ok_or_else(waited)?;
        if let Some(file) = &self.dump {
            write_whole(file, &replay::dump(&store))?;
        }
        done
    }
}

/// The clock of the store in memory: no time passes, so that results are always the same.
struct NoTime(i64);

impl Clock for NoTime {
    fn now_ms(&self) -> i64 {
        self.0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

//! `referee audit --replica`: compares tables with a copy of them.

mod files;
#[cfg(feature = "live")]
mod live;
mod report;

use super::{Args, begins_with};
use crate::cli::{Context, Failure, Outcome};
use crate::data::Key;
use crate::rules::model::Rules;

/// The heading of the options for a comparison.
const REPLICA: &str = "Comparison with a replica";

/// The options of a comparison.
#[derive(Debug, clap::Args)]
pub(super) struct ReplicaArgs {
    /// Compare every item with the one that has its key elsewhere, instead of checking the rules.
    /// With --live or --endpoint-url, it names the Region of the other tables, such as
    /// eu-central-1, or the URL of their endpoint. With sources, it is the dump or the export of
    /// the other tables; the option can be repeated.
    #[arg(
        long,
        value_name = "REPLICA",
        help_heading = REPLICA,
        conflicts_with_all = ["rule", "unknown", "fail_on", "sql", "location", "out"]
    )]
    #[cfg_attr(feature = "live", arg(conflicts_with_all = ["confirm", "publish"]))]
    replica: Vec<String>,

    /// How long a write may take to arrive on the other side, such as 30s. What differs must do so
    /// twice, with this time between the two reads.
    #[cfg(feature = "live")]
    #[arg(
        long,
        value_name = "DURATION",
        help_heading = REPLICA,
        requires_all = ["replica", "tables"],
        default_value = "5s",
        value_parser = super::live::duration
    )]
    grace: std::time::Duration,
}

impl ReplicaArgs {
    /// Whether there is a replica to compare with.
    pub(super) const fn is_given(&self) -> bool {
        !self.replica.is_empty()
    }
}

/// Compares both sides.
pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    #[cfg(feature = "live")]
    if arguments.live.has_tables() {
        if !arguments.sources.is_empty() {
            let error = "there are real tables and other sources, of which only one can be compared \
                         with `--replica`";
            return Err(Failure::Usage(error.to_owned()));
        }
        return live::run(arguments, rules, context);
    }
    files::run(arguments, rules, context)
}

/// Whether a key is compared.
fn concerns(arguments: &Args, key: &Key<'_>) -> bool {
    begins_with(key, arguments.prefix.as_deref())
}

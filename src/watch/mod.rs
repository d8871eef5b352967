//! Watching: processes live streams with the engine, without a Lambda function.
//!
//! Shards are read concurrently, a child after its parent, and each batch is delivered as Lambda
//! would deliver it. Records that must be retried are delivered again from the checkpoint on, after
//! a wait. Records that cannot be understood are reported and skipped. An error that only an
//! operator can fix ends the watcher. Progress is saved for each shard after each batch: after a
//! watcher was killed, the next one begins with the unfinished batch, and the engine may do
//! everything in that batch twice.
//!
//! Pure functions decide which shard may be read ([`lineage`]) and what is delivered again
//! ([`delivery`]). Streams, store, keeper of progress and clock are arguments.

mod delivery;
mod file;
mod follow;
mod keeper;
mod lineage;
mod pause;
mod progress;
mod quiet;
mod read;
mod source;
mod table;

pub use file::CheckpointFile;
pub use follow::{Watcher, follow};
pub use keeper::{KeepError, Keeper, Known, NoKeeper};
pub use progress::{Checkpoint, Progress};
pub use source::RecordSource;
pub use table::{CheckpointTable, LEASE_MS, checkpoint_schema};

use crate::engine::Outcome;
use crate::runtime::repair_log::StartedRepair;
pub use crate::runtime::stop::Stop;
use crate::streams::{Stream, StreamRecord};

/// How to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where to begin with a stream without saved progress.
    pub start: Start,
    /// The maximum number of records of one batch.
    pub batch_records_max: usize,
    /// Whether to stop once all existing records have been read.
    pub once: bool,
}

/// Where to begin with a stream without saved progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record.
    TrimHorizon,
    /// With the records that are written from now on.
    Latest,
}

/// An event that a watcher reports while it runs.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'n> {
    /// The watcher begins to follow a stream.
    Started {
        /// The stream.
        stream: &'n Stream,
        /// Whether it continues from saved progress.
        is_resumed: bool,
    },
    /// Repairs are about to be made. If the watcher dies before the batch is done, nothing else names
    /// them.
    RepairsStarted {
        /// The repairs.
        repairs: &'n [StartedRepair],
    },
    /// A batch was delivered.
    Delivered {
        /// The outcome, without what an earlier delivery of the same records reported.
        outcome: &'n Outcome,
        /// The records.
        records: &'n [StreamRecord],
    },
    /// Records could not be processed yet, and will be delivered again.
    Redelivering {
        /// The stream.
        stream: &'n Stream,
        /// The reason.
        reason: &'n str,
        /// The wait before the next delivery.
        pause_ms: i64,
    },
    /// A request failed, and will be sent again.
    Retrying {
        /// The stream.
        stream: &'n Stream,
        /// The error.
        error: &'n str,
        /// The wait before the next attempt.
        pause_ms: i64,
    },
    /// A request or a delivery succeeded after it had failed.
    Recovered {
        /// The stream.
        stream: &'n Stream,
    },
    /// The metrics of a batch could not be published.
    MetricsLost {
        /// The error.
        error: &'n str,
    },
    /// Records were trimmed before they were read.
    RecordsLost {
        /// The stream.
        stream: &'n Stream,
        /// Which records, as far as known.
        what: &'n str,
    },
}

#[cfg(test)]
mod tests;

//! Watching: live streams through the engine, without a Lambda.
//!
//! Shards are read side by side, a child after its parent, and each batch is delivered as Lambda
//! would: records that are handed back come again from the checkpoint on, after a wait; records
//! that cannot be understood are told, and hold nobody up; what only an operator can mend ends it.
//! Progress is kept shard by shard, after the batch: whoever is killed begins again with the batch
//! that was not done, and everything that the engine does may be done twice.
//!
//! Which shard may be read ([`lineage`]), and what is delivered again ([`delivery`]), is decided by
//! pure functions. Streams, store, keeper of progress and time are arguments.

mod delivery;
mod file;
mod follow;
mod keeper;
mod lineage;
mod progress;
mod quiet;
mod read;
mod source;
mod table;

use std::cell::Cell;

pub use file::CheckpointFile;
pub use follow::{Watcher, follow};
pub use keeper::{KeepError, Keeper, Known, Nothing};
pub use progress::{Mark, Progress};
pub use source::Source;
pub use table::{CheckpointTable, LEASE_MS, checkpoint_schema};

use crate::engine::Outcome;
use crate::streams::{Stream, StreamRecord};

/// How to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where to begin with a stream of which no progress is kept.
    pub from: From,
    /// The most records of one batch.
    pub batch_records_max: usize,
    /// Whether to stop when all that there is has been read.
    pub once: bool,
}

/// Where to begin with a stream of which no progress is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With the oldest record that there is.
    TrimHorizon,
    /// With what is written from now on.
    Latest,
}

/// What a watcher tells as it goes.
#[derive(Debug, Clone, Copy)]
pub enum Told<'t> {
    /// Following a stream begins.
    Begun {
        /// The stream.
        stream: &'t Stream,
        /// Whether it goes on from where it was left.
        is_resumed: bool,
    },
    /// A batch was delivered, and this became of it, as far as it was not told before.
    Delivered {
        /// What became of it.
        outcome: &'t Outcome,
        /// Its records.
        records: &'t [StreamRecord],
    },
    /// Records were handed back, and will be delivered again.
    HandedBack {
        /// The stream.
        stream: &'t Stream,
        /// Why.
        reason: &'t str,
        /// After this time.
        pause_ms: i64,
    },
    /// A request failed, and will be made again.
    Delayed {
        /// The stream.
        stream: &'t Stream,
        /// What failed.
        what: &'t str,
        /// After this time.
        pause_ms: i64,
    },
    /// The metrics of a batch could not be published.
    MetricsLost {
        /// Why.
        what: &'t str,
    },
    /// Records are no longer there, and were not read.
    Lost {
        /// The stream.
        stream: &'t Stream,
        /// What is known of it.
        what: &'t str,
    },
}

/// What asks a watcher to stop: it finishes the batches that it has begun, and keeps its progress.
#[derive(Debug, Default)]
pub struct Stop(Cell<bool>);

impl Stop {
    /// Asks for it.
    pub fn set(&self) {
        self.0.set(true);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.get()
    }
}

#[cfg(test)]
mod tests;

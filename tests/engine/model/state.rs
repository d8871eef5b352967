//! The states of the world, and the steps between them.

use std::collections::BTreeMap;

use kit::requests::{Reply, Request};
use serde_json::Value as Json;

use crate::model::table::{Entry, Sealed};

/// Everything that distinguishes one moment from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Every change so far: the table and its stream.
    pub(crate) log: Vec<Entry>,
    pub(crate) shards: Vec<Shard>,
    /// How many writes each writer has made.
    pub(crate) written: Vec<usize>,
    /// Requests that no run waits for any more, but that may still be executed.
    pub(crate) late: Vec<Sealed<Request>>,
    pub(crate) faults: usize,
    pub(crate) redeliveries: usize,
    /// How many entries of the log the index has seen.
    pub(crate) indexed: usize,
    /// The dangling references that were reported: the referencing and the referenced item, and the
    /// start of the last run that reported the reference.
    pub(crate) found: BTreeMap<(String, String), usize>,
}

/// A shard of the stream, and its worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Shard {
    /// How many entries of the log are processed.
    pub(crate) done: usize,
    /// The greatest value that `done` has had.
    pub(crate) done_max: usize,
    pub(crate) run: Option<Run>,
}

/// A record that is being processed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) record: usize,
    /// The record as Lambda delivers it.
    pub(crate) event: Sealed<Json>,
    pub(crate) began: usize,
    pub(crate) replies: Replies,
    pub(crate) asking: Vec<(usize, Sealed<Request>)>,
}

/// The replies that a run got, each with the number of its request.
pub(crate) type Replies = Vec<(usize, Sealed<Reply>)>;

/// A step that is possible next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A writer makes its next write.
    Write(usize),
    /// A shard's next record is delivered.
    Deliver(usize),
    /// A request is executed on the table as it was this many changes ago, and answered.
    Answer { shard: usize, place: usize, behind: usize },
    /// A write goes unanswered, and is executed later or never.
    TimeOut { shard: usize, place: usize },
    /// The worker dies.
    Crash(usize),
    /// A late write is executed.
    Land(usize),
    /// A shard's last record is delivered again.
    Redeliver(usize),
    /// The index sees one more change.
    Index,
}

impl State {
    /// Whether a worker sleeps although the index has not yet seen every change before the worker's
    /// record.
    pub(crate) fn waits_for_index(&self) -> bool {
        let mut runs = self.shards.iter().filter_map(|shard| shard.run.as_ref());
        runs.any(|run| {
            let sleeps = run.asking.iter().any(|(_, asked)| matches!(**asked, Request::Sleep(_)));
            sleeps && self.indexed < run.record
        })
    }
}

//! The states of the world, and the steps between them.

use std::collections::BTreeMap;

use crate::desk::{Reply, Request};
use crate::table::{Entry, Sealed};

/// All that tells one moment from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// All that has been changed: the table and its stream.
    pub(crate) log: Vec<Entry>,
    pub(crate) shards: Vec<Shard>,
    /// How far each writer is.
    pub(crate) written: Vec<usize>,
    /// Requests that nobody waits for any more, and that may be carried out yet.
    pub(crate) late: Vec<Sealed<Request>>,
    pub(crate) faults: usize,
    pub(crate) redeliveries: usize,
    /// How much of the log the index has seen.
    pub(crate) indexed: usize,
    /// Which item was said to refer to which in vain, and when that was looked into last.
    pub(crate) found: BTreeMap<(String, String), usize>,
}

/// A shard of the stream, and its worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Shard {
    /// The log is processed up to here.
    pub(crate) done: usize,
    /// The furthest that this ever was.
    pub(crate) done_max: usize,
    pub(crate) run: Option<Run>,
}

/// A record that is being processed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) record: usize,
    pub(crate) began: usize,
    pub(crate) replies: Replies,
    pub(crate) asking: Vec<(usize, Sealed<Request>)>,
}

/// The replies that a run got, each with the number of its request.
pub(crate) type Replies = Vec<(usize, Sealed<Reply>)>;

/// Something that may happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A writer goes on.
    Write(usize),
    /// A shard's next record is delivered.
    Deliver(usize),
    /// A request is carried out and answered, as of so many changes ago.
    Answer { shard: usize, place: usize, behind: usize },
    /// A write goes unanswered, and is carried out later, if ever.
    TimeOut { shard: usize, place: usize },
    /// The worker dies.
    Crash(usize),
    /// A write is carried out after all.
    Land(usize),
    /// A shard's last record is delivered again.
    Redeliver(usize),
    /// The index sees one more change.
    Index,
}

impl State {
    /// Whether a worker waits while the index has not seen all that came before its record.
    pub(crate) fn waits_for_index(&self) -> bool {
        let mut runs = self.shards.iter().filter_map(|shard| shard.run.as_ref());
        runs.any(|run| {
            let sleeps = run.asking.iter().any(|(_, asked)| matches!(**asked, Request::Sleep));
            sleeps && self.indexed < run.record
        })
    }
}

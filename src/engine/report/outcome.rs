//! The outcome of a batch or an audit.

use super::violation::Violation;
use crate::engine::census::Census;
use crate::engine::event::decode::Rejected;
use crate::integrity::finding::ItemName;
use crate::integrity::repair::Operation;
use crate::store::Units;

/// The outcome of a batch of stream records, or of an audit of some pages of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// How many records were delivered; none in an audit.
    pub records: usize,
    /// The time of the oldest change that a rule looks at, in milliseconds since 1970; `None` if
    /// there was no such change, or no record has a time.
    pub oldest_ms: Option<i64>,
    /// What is wrong, in the order of the records or pages.
    pub violations: Vec<Violation>,
    /// The writes that were made.
    pub writes: Vec<WriteMade>,
    /// The writes that rules in observe mode would have made.
    pub planned: Vec<WriteMade>,
    /// The records that cannot be understood, or would fail however often they were delivered. In an
    /// audit, items whose mirrors cannot be written.
    pub rejected: Vec<Rejected>,
    /// The indexes of the records whose items match no entity. A table may hold such items on
    /// purpose.
    pub unmatched: Vec<usize>,
    /// What the records are, by entity; `None` unless the engine [counts](super::super::Engine::counting).
    pub census: Option<Box<Census>>,
    /// The records that must be delivered again.
    pub handed_back: Vec<HandedBack>,
    /// How many suspects the queue has accepted.
    pub queued: usize,
    /// The suspects that could not be sent to the queue.
    pub unqueued: Option<Unqueued>,
    /// How many requests were made to the store.
    pub requests: u64,
    /// How many of these requests were reads.
    pub reads: u64,
    /// What the requests cost.
    pub units: Units,
}

/// Suspects that could not be sent to the queue. They waited in the batch instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unqueued {
    /// How many there are.
    pub suspects: usize,
    /// The reason.
    pub reason: String,
}

/// A write that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteMade {
    /// The rule that required it.
    pub rule: String,
    /// What it does.
    pub operation: Operation,
    /// The item.
    pub item: ItemName,
    /// What an update changes, in the syntax of an update expression.
    pub detail: Option<String>,
    /// The index in the batch of the record that caused it, or the page's index in the audit.
    pub position: usize,
}

/// A record that must be delivered again, with all that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedBack {
    /// The record's index in its batch.
    pub position: usize,
    /// Its sequence number.
    pub sequence: String,
    /// Why it must be delivered again.
    pub reason: String,
}

impl Outcome {
    /// The first record that must be delivered again. Lambda redelivers it and all later ones.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
    #[must_use]
    pub fn checkpoint(&self) -> Option<&HandedBack> {
        self.handed_back.iter().min_by_key(|handed_back| handed_back.position)
    }
}

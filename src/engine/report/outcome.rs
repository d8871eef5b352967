//! The outcome of a batch, and the answer that Lambda gets.

use crate::engine::event::decode::Rejected;
use crate::integrity::finding::{ItemName, Violation};
use crate::store::Units;

/// What became of a batch of stream records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// How many records were delivered.
    pub records: usize,
    /// When the oldest change was made that a rule looks at, in milliseconds since 1970; nothing
    /// if there was none, or none that tells.
    pub oldest_ms: Option<i64>,
    /// What is wrong, in the order of the records.
    pub violations: Vec<Violation>,
    /// The writes that were made.
    pub writes: Vec<WriteMade>,
    /// The writes that rules in observe mode would have made.
    pub planned: Vec<WriteMade>,
    /// The records that could not be understood, or not be carried out ever.
    pub rejected: Vec<Rejected>,
    /// What could not be done now, and must be delivered again.
    pub handed_back: Vec<HandedBack>,
    /// How many requests were made of the store.
    pub requests: u64,
    /// How many of them read.
    pub reads: u64,
    /// What they cost.
    pub units: Units,
}

/// A write that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteMade {
    /// The rule that asked for it.
    pub rule: String,
    /// What it did.
    pub operation: Operation,
    /// The item.
    pub item: ItemName,
    /// Of a repair that changes an item, what it changes, as an update expression would say it.
    pub detail: Option<String>,
    /// The place in its batch of the record that caused it.
    pub position: usize,
}

/// A write that was made, or would be, for some rule and record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// What it does.
    pub(crate) operation: Operation,
    /// The item.
    pub(crate) item: ItemName,
    /// What an update changes.
    pub(crate) detail: Option<String>,
}

/// What a write does to its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Puts a whole item.
    Put,
    /// Changes some attributes.
    Update,
    /// Deletes the item.
    Delete,
}

impl Operation {
    /// The name that output uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A record that must be delivered again, with all that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedBack {
    /// The record's place in its batch.
    pub position: usize,
    /// Its sequence number.
    pub sequence: String,
    /// Why.
    pub reason: String,
}

impl Outcome {
    /// The first record that must be delivered again: everything from it on will be.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
    #[must_use]
    pub fn checkpoint(&self) -> Option<&HandedBack> {
        self.handed_back.iter().min_by_key(|handed_back| handed_back.position)
    }
}

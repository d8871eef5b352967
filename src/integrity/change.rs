//! What happened to an item.

use crate::data::SequenceNumber;
use crate::data::{Item, Key};
use crate::rules::model::TableId;

/// One change of one item, as a stream record tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The item's table.
    pub table: TableId,
    /// The item's key.
    pub key: Key<'a>,
    /// The item before, as far as the rules look at it; nothing if there was none.
    pub before: Option<Item<'a>>,
    /// The item after; nothing if it was deleted.
    pub after: Option<Item<'a>>,
    /// The change's place among the item's changes.
    pub sequence: SequenceNumber<'a>,
    /// When the change was made, in milliseconds since 1970, rounded down to the second by
    /// DynamoDB.
    pub created_ms: Option<i64>,
    /// Who made it.
    pub origin: Origin,
    /// The record's place in its batch.
    pub position: usize,
}

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client of DynamoDB: the application, a person, Referee itself.
    Client,
    /// Time to live.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html>
    Ttl,
}

/// All the changes of one item in a batch, oldest first.
///
/// Only the last image is acted on, but whether a rule's view of the item changed is asked of
/// every step: a value that left and came back may have been acted on in between, by an earlier
/// delivery of a shorter batch.
///
/// Invariant: there is at least one step, and all are of the same item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History<'a> {
    /// The latest change.
    pub(crate) last: Change<'a>,
    /// The ones before, oldest first.
    pub(crate) earlier: Vec<Change<'a>>,
}

impl<'a> History<'a> {
    /// Every change, oldest first.
    pub(crate) fn steps(&self) -> impl DoubleEndedIterator<Item = &Change<'a>> {
        self.earlier.iter().chain(std::iter::once(&self.last))
    }

    /// The change whose record came first: from it on, all of this must be delivered again if
    /// acting on it failed.
    #[must_use]
    pub(crate) fn first_delivered(&self) -> &Change<'a> {
        self.steps().min_by_key(|change| change.position).unwrap_or(&self.last)
    }
}

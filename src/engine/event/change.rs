//! Changes as the stream reports them, and the history of one item in a batch.

use crate::data::{Key, SequenceNumber};
use crate::integrity::change::Change;
use crate::integrity::index::Index;
use crate::rules::model::{Entity, Rules, TableId};

/// One change of one item, as a stream record reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamChange<'a> {
    /// What happened to the item.
    pub change: Change<'a>,
    /// The change's sequence number, which orders the changes of one item.
    pub sequence: SequenceNumber<'a>,
    /// When the change was made, in milliseconds since 1970, rounded down to the second by
    /// DynamoDB.
    pub created_ms: Option<i64>,
    /// Who made the change.
    pub origin: Origin,
    /// The record's index in its batch.
    pub position: usize,
}

/// What a stream record is for the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    /// A change of an item that a rule may look at.
    Change(StreamChange<'a>),
    /// A change of an item whose entity no rule uses.
    Unused,
    /// A change of an item whose key matches no entity.
    Unmatched(Unmatched<'a>),
}

impl<'a> Decoded<'a> {
    /// A record of an item with a key that no rule looks at.
    pub(crate) fn ignored(
        rules: &Rules,
        index: &Index,
        position: usize,
        (table, key): (TableId, Key<'a>),
    ) -> Self {
        if index.matching_unused(rules, table, &key).next().is_some() {
            Self::Unused
        } else {
            Self::Unmatched(Unmatched { position, table, key })
        }
    }
}

/// A record whose item matches no entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmatched<'a> {
    /// The record's index in its batch.
    pub(crate) position: usize,
    /// The item's table.
    pub(crate) table: TableId,
    /// The item's key.
    pub(crate) key: Key<'a>,
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

/// All changes of one item in a batch, oldest first.
///
/// Referee acts only on the last image, but compares the images of every step to decide whether
/// anything that a rule looks at has changed: an earlier delivery of a shorter batch may have acted
/// on a value that was written and then reverted.
///
/// Invariant: there is at least one step, and all are of the same item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History<'a> {
    /// The latest change.
    pub(crate) last: StreamChange<'a>,
    /// The earlier changes, oldest first.
    pub(crate) earlier: Vec<StreamChange<'a>>,
}

impl<'a> History<'a> {
    /// Every change, oldest first.
    pub(crate) fn steps(&self) -> impl DoubleEndedIterator<Item = &StreamChange<'a>> {
        self.earlier.iter().chain(std::iter::once(&self.last))
    }

    /// Whether the item has belonged to an entity, whose key templates it matches.
    pub(crate) fn is_of(&self, entity: &Entity) -> bool {
        let mut steps = self.steps().map(|step| &step.change);
        entity.conditions.is_empty()
            || steps.any(|it| it.before.iter().chain(&it.after).any(|image| entity.admits(image)))
    }

    /// Returns the cause of the work that a step requires. If the work fails, all of the item's
    /// records in the batch are delivered again.
    pub(crate) fn cause<'h>(&'h self, step: &'h StreamChange<'h>) -> Cause<'h> {
        let from = self.steps().min_by_key(|step| step.position).unwrap_or(&self.last);
        Cause::Record { step, from }
    }
}

/// What caused a piece of work.
///
/// Later stages use a record's time for grace periods and its sequence number for mirror writes,
/// and report what revealed a finding and what must be processed again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause<'h> {
    /// A stream record.
    Record {
        /// The record's change.
        step: &'h StreamChange<'h>,
        /// The first record to deliver again if the work fails.
        from: &'h StreamChange<'h>,
    },
    /// An item on a page of a scan. An audit reads the item as it is: it knows neither when the item
    /// was changed nor what it was before.
    Page {
        /// The page's index in the audit.
        index: usize,
    },
}

impl<'h> Cause<'h> {
    /// The record's sequence number; `None` for a page.
    pub(crate) const fn sequence(&self) -> Option<&'h SequenceNumber<'h>> {
        match self {
            Self::Record { step, .. } => Some(&step.sequence),
            Self::Page { .. } => None,
        }
    }

    /// The record's index in its batch, or the page's index in the audit.
    pub(crate) const fn position(&self) -> usize {
        match self {
            Self::Record { step, .. } => step.position,
            Self::Page { index } => *index,
        }
    }

    /// The index of the first record to deliver again if the work fails, or the page's index.
    pub(crate) const fn position_from(&self) -> usize {
        match self {
            Self::Record { from, .. } => from.position,
            Self::Page { index } => *index,
        }
    }

    /// Who made the record's change. What an audit reads counts as written by a client.
    pub(crate) const fn origin(&self) -> Origin {
        match self {
            Self::Record { step, .. } => step.origin,
            Self::Page { .. } => Origin::Client,
        }
    }

    /// When the change was made, in milliseconds since 1970, if that is known.
    pub(crate) const fn created_ms(&self) -> Option<i64> {
        match self {
            Self::Record { step, .. } => step.created_ms,
            Self::Page { .. } => None,
        }
    }
}

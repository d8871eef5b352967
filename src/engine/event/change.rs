//! Changes as the stream reports them, and the history of one item in a batch.

use crate::data::SequenceNumber;
use crate::integrity::change::Change;

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

    /// Returns the cause of the work that a step requires. If the work fails, all of the item's
    /// records in the batch are delivered again.
    pub(crate) fn cause<'h>(&'h self, step: &'h StreamChange<'h>) -> Cause<'h> {
        let from = self.steps().min_by_key(|step| step.position).unwrap_or(&self.last);
        Cause { step, from }
    }
}

/// The stream record that caused a piece of work.
///
/// Later stages use its time for grace periods and its sequence number for mirror writes, and
/// report which record revealed a finding and which records must be delivered again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'h> {
    step: &'h StreamChange<'h>,
    /// The first record to deliver again if the work fails.
    from: &'h StreamChange<'h>,
}

impl<'h> Cause<'h> {
    /// The change's sequence number.
    pub(crate) const fn sequence(&self) -> &'h SequenceNumber<'h> {
        &self.step.sequence
    }

    /// The record's index in its batch.
    pub(crate) const fn position(&self) -> usize {
        self.step.position
    }

    /// When the change was made, in milliseconds since 1970, if the record says so.
    pub(crate) const fn created_ms(&self) -> Option<i64> {
        self.step.created_ms
    }

    /// The first record that Lambda must deliver again if the work fails, as its index in the batch
    /// and its sequence number.
    pub(crate) fn redelivered_from(&self) -> (usize, String) {
        (self.from.position, self.from.sequence.to_string())
    }
}

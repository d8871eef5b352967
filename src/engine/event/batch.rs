//! A batch of stream records, decoded.

use serde_json::value::RawValue;

use super::change::{Decoded, StreamChange, Unmatched};
use super::decode::{EventError, Rejected, check_stream, decode, records};
use super::home::Home;
use super::one_pass;
use crate::integrity::index::Index;
use crate::rules::model::Rules;

/// A batch of stream records, decoded as far as the rules need them.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct DecodedBatch<'e> {
    /// The number of records.
    pub(crate) records: usize,
    /// The changes of items that a rule looks at.
    pub(crate) changes: Vec<StreamChange<'e>>,
    /// The records of items whose keys match no entity.
    pub(crate) unmatched: Vec<Unmatched<'e>>,
    /// The records that cannot be processed.
    pub(crate) rejected: Vec<Rejected>,
}

/// Why an event cannot be processed as a batch.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is not an event of a DynamoDB stream.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The rules cannot work with its stream; the message says what to change.
    #[error("{0}")]
    Stream(String),
}

impl<'e> DecodedBatch<'e> {
    /// Decodes Lambda's event.
    pub(crate) fn of_event(
        rules: &Rules,
        index: &Index,
        home: &Home,
        event: &'e str,
    ) -> Result<Self, DecodeError> {
        if let Some(batch) = one_pass::read(rules, index, home, event) {
            return Ok(batch);
        }
        let records = records(event)?;
        // Rejecting the records one by one would lose them all. A batch comes from one stream, so
        // only the first record that names its stream is checked.
        let stream = records.iter().find_map(|record| check_stream(rules, home, record));
        stream.unwrap_or(Ok(())).map_err(DecodeError::Stream)?;
        Ok(Self::of_records(rules, index, &records))
    }

    /// Decodes records one by one.
    pub(crate) fn of_records(rules: &Rules, index: &Index, records: &[&'e RawValue]) -> Self {
        let mut batch = Self { changes: Vec::with_capacity(records.len()), ..Self::default() };
        for record in records {
            match decode(rules, index, batch.records, record) {
                Ok(decoded) => batch.add(decoded),
                Err(error) => {
                    batch.rejected.push(error);
                    batch.records += 1;
                }
            }
        }
        batch
    }

    /// Adds the next record.
    pub(super) fn add(&mut self, decoded: Decoded<'e>) {
        self.records += 1;
        match decoded {
            Decoded::Change(change) => self.changes.push(change),
            Decoded::Unused => {}
            Decoded::Unmatched(unmatched) => self.unmatched.push(unmatched),
        }
    }
}

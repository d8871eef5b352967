//! Decodes the records of Lambda's event into changes, one by one.
//!
//! Each record is parsed separately, so that one that cannot be understood does not affect the
//! others. Values are borrowed from the event's text, and attributes that no rule looks at are
//! skipped. No later stage knows the format of Lambda's event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::change::{Decoded, StreamChange};
use super::home::Home;
use super::image::required_image;
use super::wire;
use super::wire::Header;
use crate::data::without_position;
use crate::integrity::change::Change;
use crate::integrity::index::{Index, Projection};
use crate::rules::model::Rules;

/// Why the input is not an event of a DynamoDB stream.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not JSON.
    #[error("the event is not JSON: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, but has no list of records.
    #[error("the event has no list of `Records`, which every stream event has: {0}")]
    NoRecords(serde_json::Error),
}

/// A record that cannot be processed. It is skipped, and always reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The record's index in its batch.
    pub position: usize,
    /// The record's sequence number, if it could be read.
    pub sequence: Option<String>,
    /// What is wrong with it.
    pub error: String,
}

/// Returns the records of an event, still unparsed.
pub fn records(event: &str) -> Result<Vec<&RawValue>, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object with `Records`")]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a RawValue>,
    }
    serde_json::from_str::<Event<'_>>(event).map(|event| event.records).map_err(|error| match error
        .classify()
    {
        serde_json::error::Category::Data => EventError::NoRecords(error),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => EventError::Syntax(error),
    })
}

/// Decodes one record, with only those attributes of its images that the rules look at.
pub(crate) fn decode<'a>(
    rules: &Rules,
    index: &Index,
    position: usize,
    record: &'a RawValue,
) -> Result<Decoded<'a>, Rejected> {
    read(rules, position, record, |header| {
        let projections = index.projections(rules, header.table, &header.key);
        if projections.is_empty() {
            return Ok(Decoded::ignored(rules, index, position, (header.table, header.key)));
        }
        change(rules, position, header, &projections).map(Decoded::Change)
    })
}

/// Decodes one record with all attributes of its images.
pub fn decode_whole<'a>(
    rules: &Rules,
    position: usize,
    record: &'a RawValue,
) -> Result<StreamChange<'a>, Rejected> {
    read(rules, position, record, |header| change(rules, position, header, &[&Projection::All]))
}

/// Whether the rules can work with a record's stream; `None` if the record names no stream.
pub(crate) fn check_stream(
    rules: &Rules,
    home: &Home,
    record: &RawValue,
) -> Option<Result<(), String>> {
    wire::check_stream(rules, home, &wire::envelope(record).ok()?)
}

fn read<'a, T>(
    rules: &Rules,
    position: usize,
    record: &'a RawValue,
    then: impl FnOnce(Header<'a>) -> Result<T, String>,
) -> Result<T, Rejected> {
    let envelope = wire::envelope(record).map_err(|error| Rejected {
        position,
        sequence: wire::sequence_alone(record),
        error: format!("the record is not one of a DynamoDB stream: {}", without_position(&error)),
    })?;
    let sequence = envelope.sequence();
    wire::header(rules, envelope).and_then(then).map_err(|error| Rejected {
        position,
        sequence: sequence.map(Cow::into_owned),
        error,
    })
}

fn change<'a>(
    rules: &Rules,
    position: usize,
    header: Header<'a>,
    projections: &[&Projection],
) -> Result<StreamChange<'a>, String> {
    let schema = &rules[header.table].key;
    // Only the event's name distinguishes an absent image from an empty one: Lambda's own event
    // types deserialize both to the same value.
    let (has_before, has_after) = header.event.images();
    let change = Change {
        table: header.table,
        key: header.key,
        before: required_image(has_before, header.old_image, "OldImage", projections, schema)?,
        after: required_image(has_after, header.new_image, "NewImage", projections, schema)?,
    };
    Ok(StreamChange {
        change,
        sequence: header.sequence,
        created_ms: header.created_ms,
        origin: header.origin,
        position,
    })
}

//! Decoding: Lambda's event becomes changes, record by record.
//!
//! Records are parsed one by one and borrowed from the event's text, so that a record that cannot
//! be understood is set aside alone, and what no rule looks at costs next to nothing. The shape of
//! Lambda's event stops here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::image::required_image;
use super::wire;
use super::wire::Header;
use crate::data::without_place;
use crate::integrity::change::Change;
use crate::integrity::index::{Plan, Wanted};
use crate::rules::model::Rules;

/// Why an event is none that Lambda sends for a DynamoDB stream.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is no JSON.
    #[error("the event is not JSON: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, but not an event of records.
    #[error("the event has no list of `Records`, which every event of a stream has: {0}")]
    NoRecords(serde_json::Error),
}

/// A record that cannot be understood. It is skipped, and never silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The record's place in its batch.
    pub position: usize,
    /// The record's sequence number, where it could be read.
    pub sequence: Option<String>,
    /// What is wrong with it.
    pub error: String,
}

/// Takes an event apart into its records, each still unread.
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

/// Reads one record, and of its images what the rules look at: nothing if no rule looks at items
/// with its key.
pub(crate) fn decode<'a>(
    rules: &Rules,
    plan: &Plan,
    position: usize,
    record: &'a RawValue,
) -> Result<Option<Change<'a>>, Rejected> {
    read(rules, position, record, |header| {
        let wanted: Vec<&Wanted> = plan
            .candidates(header.table, &header.key)
            .iter()
            .filter(|entity| rules[**entity].key.parse(&header.key).is_some())
            .map(|entity| plan.wanted(*entity))
            .collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        change(rules, position, header, &wanted).map(Some)
    })
}

/// Reads one record with the whole of its images, whatever the rules look at.
pub fn decode_whole<'a>(
    rules: &Rules,
    position: usize,
    record: &'a RawValue,
) -> Result<Change<'a>, Rejected> {
    read(rules, position, record, |header| change(rules, position, header, &[&Wanted::All]))
}

/// Whether a record's stream is one that the rules are for; nothing if the record does not tell.
pub(crate) fn check_stream(rules: &Rules, record: &RawValue) -> Option<Result<(), String>> {
    wire::check_stream(rules, &wire::envelope(record).ok()?)
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
        error: format!("the record is not one of a DynamoDB stream: {}", without_place(&error)),
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
    wanted: &[&Wanted],
) -> Result<Change<'a>, String> {
    let schema = &rules[header.table].key;
    // An absent image and an empty one are told apart by the event's name alone: Lambda's own
    // event types read both as the same.
    let (has_before, has_after) = header.event.images();
    Ok(Change {
        table: header.table,
        key: header.key,
        before: required_image(has_before, header.old_image, "OldImage", wanted, schema)?,
        after: required_image(has_after, header.new_image, "NewImage", wanted, schema)?,
        sequence: header.sequence,
        created_ms: header.created_ms,
        origin: header.origin,
        position,
    })
}

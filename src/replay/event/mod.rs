//! Recorded events, in every format in which people have them.
//!
//! A file is unpacked to records in the format of Lambda's input, which is the only one that the
//! engine knows.

mod lookalike;
mod record;
mod unpack;

use serde_json::value::RawValue;

use crate::engine::EventError;

/// The records of a file, not yet decoded.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The file's name.
    pub file: String,
    /// Its records.
    pub records: Vec<Box<RawValue>>,
}

/// Why a file cannot be read as an event.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The file is not UTF-8.
    #[error("the event is not UTF-8: the first invalid byte is at {0}")]
    Utf8(usize),
    /// The file is not a stream event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The file has a well-known format, but no stream records.
    #[error("{0}")]
    Lookalike(&'static str),
    /// The records name no table, and neither does the caller.
    #[error(
        "the records name no table, and the rule file has several\nhelp: name it with `--table`"
    )]
    NoTable,
}

/// Reads the records of a file: an event of Lambda, Pipes or Kinesis, the output of `aws
/// dynamodbstreams get-records`, a message about a failed invocation, or lines of records.
///
/// The records of the AWS CLI name no table. They belong to this one, a name in DynamoDB.
pub fn read_batch(file: &str, bytes: &[u8], table: Option<&str>) -> Result<Batch, BatchError> {
    let text = std::str::from_utf8(bytes).map_err(|error| BatchError::Utf8(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let records = record::normalize(unpack::records(text)?, table)?;
    Ok(Batch { file: file.to_owned(), records })
}

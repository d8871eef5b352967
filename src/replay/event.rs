//! Event files in the format of Lambda's input.

use serde_json::value::RawValue;

use crate::engine::{EventError, records};

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
}

/// Reads the records of a file.
pub fn read_batch(file: &str, bytes: &[u8]) -> Result<Batch, BatchError> {
    let text = std::str::from_utf8(bytes).map_err(|error| BatchError::Utf8(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let records = records(text)?.into_iter().map(ToOwned::to_owned).collect();
    Ok(Batch { file: file.to_owned(), records })
}

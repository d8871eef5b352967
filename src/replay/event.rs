//! Events: files in the shape that Lambda receives, read whole before anything is replayed.

use serde_json::value::RawValue;

use crate::engine::{EventError, records};

/// A file's records, each still unread.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The file's name.
    pub file: String,
    /// Its records.
    pub records: Vec<Box<RawValue>>,
}

/// Why a file is no event.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It is no text.
    #[error("the event is not UTF-8: the first bad byte is at {0}")]
    Utf8(usize),
    /// It is no event of a stream.
    #[error(transparent)]
    Event(#[from] EventError),
}

/// Reads a file's records.
pub fn read_batch(file: &str, bytes: &[u8]) -> Result<Batch, BatchError> {
    let text = std::str::from_utf8(bytes).map_err(|error| BatchError::Utf8(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let records = records(text)?.into_iter().map(ToOwned::to_owned).collect();
    Ok(Batch { file: file.to_owned(), records })
}

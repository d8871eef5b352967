//! Why a live audit cannot begin or go on.

use std::io;
use std::path::PathBuf;

use super::checkpoint::CheckpointError;

/// Why a live audit cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is an unfinished audit.
    #[error(
        "`{0}` has an audit that is not finished\nhelp: continue it with `--resume`, delete the \
         folder, or name another one with `--state`"
    )]
    Unfinished(PathBuf),
    /// The checkpoint is of another comparison.
    #[error(
        "`{0}`: the checkpoint belongs to a comparison with other rules, another side or another \
         `--where`, or to another release of Referee\nhelp: delete the folder, and start the \
         comparison again without `--resume`"
    )]
    OtherComparison(PathBuf),
    /// A file cannot be used.
    #[error("cannot use `{path}`: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A temporary file cannot be used.
    #[error("cannot use a temporary file: {0}; --temporary names another folder for them")]
    Temporary(io::Error),
    /// An item has no valid key.
    #[error("table `{table}` has an item that does not match the rule file's key: {error}")]
    Key {
        /// The table.
        table: String,
        /// What is wrong.
        error: crate::data::KeyError,
    },
    /// The results cannot be written.
    #[error("{0}")]
    Output(String),
}

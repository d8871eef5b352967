//! Why the work on a plan stopped.

use std::io;

use super::finding_lines::ClaimError;
use super::journal::JournalError;
use super::plan_file::PlanError;
use crate::store::StoreError;

/// Why a plan was not finished. What was done is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// A request failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The findings cannot be read.
    #[error("{0}")]
    Claims(#[from] ClaimError),
    /// The plan cannot be read.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// The journal cannot be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The output cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
}

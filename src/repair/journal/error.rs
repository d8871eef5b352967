//! Why a journal cannot be used.

use std::io;

use super::line::VERSION;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal cannot be {0}: {1}")]
    Io(&'static str, io::Error),
    /// It is another kind of file.
    #[error("not a journal of `referee repair apply`\nhelp: name another file")]
    OtherFile,
    /// It has the format of another release.
    #[error("the journal has version {0}, not {VERSION}\nhelp: use the release that wrote it")]
    Version(u64),
    /// It was written with other rules.
    #[error(
        "the journal was written with other rules, or by another release of Referee\n\
         help: use the rule file and the release with which the plan was applied"
    )]
    OtherRules,
    /// It belongs to another plan.
    #[error("the journal belongs to another plan\nhelp: name another file with `--journal`")]
    OtherPlan,
    /// Its writes were taken back.
    #[error(
        "the writes of this journal were taken back\n\
         help: make a new plan, or name another file with `--journal`"
    )]
    Undone,
    /// A line before the last one is damaged.
    #[error("line {line} of the journal is damaged: {error}")]
    Damaged {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
    /// The line of a write is damaged.
    #[error("write {number} of the journal is damaged: {error}")]
    Write {
        /// The write's number in the plan.
        number: u64,
        /// What is wrong with it.
        error: String,
    },
}

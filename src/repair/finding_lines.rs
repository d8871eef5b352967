//! The output of `referee audit --json`, finding by finding.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;

use crate::data::{JsonItem, without_position};

/// Why a line is not a finding of these rules.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line is not JSON in the format of an audit.
    #[error("line {line} is not a line of `referee audit --json`: {error}")]
    Line {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
    /// A finding is about other rules or tables.
    #[error("line {line}: {error}\nhelp: use the rule file with which the audit was made")]
    OtherRules {
        /// The line's number, from 1.
        line: u64,
        /// What is not in the rule file.
        error: String,
    },
}

/// The lines of the findings. Lines of other types are ignored.
#[derive(Debug)]
pub(crate) struct FindingLines<R> {
    from: R,
    /// The current line.
    text: String,
    /// Its number, from 1.
    line: u64,
    is_complete: Option<bool>,
}

#[derive(Deserialize)]
struct Typed<'l> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'l, str>,
    #[serde(default)]
    complete: Option<bool>,
}

/// The name of an item.
#[derive(Debug, Deserialize)]
pub(crate) struct ItemText<'l> {
    #[serde(borrow)]
    pub(crate) table: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) key: JsonItem<'l>,
}

impl<R: BufRead> FindingLines<R> {
    /// The lines in this output.
    pub(crate) const fn new(from: R) -> Self {
        Self { from, text: String::new(), line: 0, is_complete: None }
    }

    /// Whether the audit was complete; `None` if no summary was read.
    pub(crate) const fn is_complete(&self) -> Option<bool> {
        self.is_complete
    }

    /// Goes to the next finding. Returns whether there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, ClaimError> {
        loop {
            self.text.clear();
            self.line += 1;
            if self.from.read_line(&mut self.text)? == 0 {
                return Ok(false);
            }
            if self.text.trim().is_empty() {
                continue;
            }
            let Typed { kind, complete } = self.parse()?;
            if kind == "violation" {
                return Ok(true);
            }
            if kind == "summary" {
                self.is_complete = Some(complete.unwrap_or(true));
            }
        }
    }

    /// Parses the current line.
    pub(crate) fn parse<'l, T: Deserialize<'l>>(&'l self) -> Result<T, ClaimError> {
        serde_json::from_str(&self.text).map_err(|error| {
            let error = without_position(&error);
            ClaimError::Line { line: self.line, error }
        })
    }

    /// The current line is about other rules or tables, for this reason.
    pub(crate) const fn of_other_rules(&self, error: String) -> ClaimError {
        ClaimError::OtherRules { line: self.line, error }
    }
}

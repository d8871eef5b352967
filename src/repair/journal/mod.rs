//! The journal of a plan: what each item was before its write, on disk before the write is made.
//!
//! It is only appended to. Every line has a checksum of its own, so that a line that a crash cut off
//! is recognized: it is removed when the journal is opened again. The write of a cut-off line was not
//! made, because a write is made only after its line is on disk.

mod error;
mod line;
mod state;

use std::collections::BTreeMap;
use std::io::{self, BufRead};

pub use error::JournalError;
pub use state::{Outcome, State};

use super::planned::PlannedWrite;
use crate::data::Item;
use crate::integrity::finding::ItemName;
use crate::rules::model::Rules;

/// The storage of a journal: a file, or memory in tests.
pub trait Log {
    /// Appends bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Ensures that everything that was appended survives a crash.
    fn sync(&mut self) -> io::Result<()>;

    /// Removes everything after this length, in bytes.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;

    /// Reads everything from this offset, in bytes.
    fn read_from(&mut self, offset: u64) -> io::Result<Box<dyn BufRead + '_>>;
}

/// A write that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the plan.
    pub number: u64,
    /// The rule's name.
    pub rule: String,
    /// The finding's id.
    pub finding: String,
    /// The item.
    pub item: ItemName,
    /// The item before the write; `None` if it did not exist.
    pub before: Option<Item<'static>>,
    /// The item after the write; `None` if the write deletes it.
    pub after: Option<Item<'static>>,
}

/// A write in the journal: what has happened to it, and where the line begins that has its images.
#[derive(Debug, Clone, Copy)]
struct Known {
    state: State,
    offset: u64,
}

/// A journal.
#[derive(Debug)]
pub struct Journal<L> {
    log: L,
    /// The length, in bytes.
    length: u64,
    /// The writes that were begun, by their numbers in the plan.
    known: BTreeMap<u64, Known>,
    /// Lines that are not appended yet.
    pending: Vec<u8>,
}

/// The first line of the journal of a plan. It must be on disk before the journal is opened.
#[must_use]
pub fn journal_header(rules: &str, plan: &str) -> Vec<u8> {
    line::header(rules, plan)
}

impl<L: Log> Journal<L> {
    /// Opens a journal to apply the rest of its plan.
    pub fn resume(log: L, rules: &str, plan: &str) -> Result<Self, JournalError> {
        let journal = Self::open(log, rules, Some(plan))?;
        let is_undone = journal.known.values().any(|known| known.state.is_undone());
        if is_undone { Err(JournalError::Undone) } else { Ok(journal) }
    }

    /// Opens a journal to take its writes back.
    pub fn undo(log: L, rules: &str) -> Result<Self, JournalError> {
        Self::open(log, rules, None)
    }

    fn open(log: L, rules: &str, plan: Option<&str>) -> Result<Self, JournalError> {
        let (known, pending) = (BTreeMap::new(), Vec::new());
        let mut journal = Self { log, length: 0, known, pending };
        journal.read(rules, plan)?;
        let length = journal.length;
        journal.log.truncate(length).map_err(|error| JournalError::Io("repaired", error))?;
        Ok(journal)
    }

    fn read(&mut self, rules: &str, plan: Option<&str>) -> Result<(), JournalError> {
        let unreadable = |error| JournalError::Io("read", error);
        let mut lines = self.log.read_from(0).map_err(unreadable)?;
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let length = lines.read_until(b'\n', &mut bytes).map_err(unreadable)? as u64;
            if length == 0 {
                break;
            }
            let text = match line::open(&bytes) {
                Ok(text) => text,
                Err(_) if line == 1 => return Err(JournalError::OtherFile),
                // The last line may be cut off.
                Err(_) if lines.fill_buf().map_err(unreadable)?.is_empty() => break,
                Err(error) => return Err(JournalError::Damaged { line, error }),
            };
            if line == 1 {
                line::check_header(text, rules, plan)?;
            } else {
                let (number, state) =
                    line::event(text).map_err(|error| JournalError::Damaged { line, error })?;
                note(&mut self.known, number, state, self.length);
            }
            self.length += length;
        }
        if self.length == 0 { Err(JournalError::OtherFile) } else { Ok(()) }
    }

    /// What has happened to a write; `None` if it was not begun.
    #[must_use]
    pub fn state(&self, number: u64) -> Option<State> {
        self.known.get(&number).map(|known| known.state)
    }

    /// The writes that were begun, the last one first, with their states.
    #[must_use]
    pub fn reversed(&self) -> Vec<(u64, State)> {
        self.known.iter().rev().map(|(number, known)| (*number, known.state)).collect()
    }

    /// Reads a write that was begun.
    pub fn entry(&mut self, rules: &Rules, number: u64) -> Result<Entry, JournalError> {
        let unreadable = |error| JournalError::Io("read", error);
        let offset = self.known.get(&number).map_or(0, |known| known.offset);
        let mut bytes = Vec::new();
        let mut lines = self.log.read_from(offset).map_err(unreadable)?;
        lines.read_until(b'\n', &mut bytes).map_err(unreadable)?;
        line::open(&bytes)
            .and_then(|text| line::entry(text, rules))
            .map_err(|error| JournalError::Write { number, error })
    }

    /// Adds the line that a write is begun. [`sync`](Self::sync) must follow before the write.
    pub(super) fn begin(&mut self, rules: &Rules, write: &PlannedWrite) {
        let offset = self.length + self.pending.len() as u64;
        self.pending.extend(line::began(rules, write));
        note(&mut self.known, write.number, State::Begun, offset);
    }

    /// Adds the line that taking a write back is begun, likewise.
    pub(super) fn begin_undo(&mut self, number: u64) {
        self.pending.extend(line::undo(number));
        note(&mut self.known, number, State::UndoBegun, 0);
    }

    /// Adds the line with the outcome of a write that was begun.
    pub(super) fn end(&mut self, number: u64, outcome: &Outcome) {
        self.pending.extend(line::ended(number, outcome));
        note(&mut self.known, number, outcome.state(), 0);
    }

    /// Writes all lines to disk.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let failed = |error| JournalError::Io("written", error);
        self.log.append(&self.pending).and_then(|()| self.log.sync()).map_err(failed)?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Returns the log.
    #[must_use]
    pub fn into_log(self) -> L {
        self.log
    }
}

/// Notes what has happened to a write. Its images are in the line that begins it.
fn note(known: &mut BTreeMap<u64, Known>, number: u64, state: State, offset: u64) {
    if state == State::Begun {
        known.insert(number, Known { state, offset });
    } else if let Some(known) = known.get_mut(&number) {
        known.state = state;
    }
}

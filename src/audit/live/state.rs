//! The state of a scan in a folder: a checkpoint, and the log of what was scanned. It is there until
//! the work is complete.

use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, LogLength};
use super::error::LiveError;
use super::log::{LogReader, LogWriter};
use super::segments::TableScan;
use crate::audit::tally::Tally;

/// The files in the folder.
const CHECKPOINT: &str = "checkpoint.json";
const LOG: &str = "items.log";

/// The state of a scan.
#[derive(Debug)]
pub(in crate::audit) struct State {
    folder: PathBuf,
    checkpoint: Checkpoint,
    /// The log, locked since the scan began, until the scan takes it.
    log: Option<LogWriter>,
}

impl State {
    /// Begins a scan. `rules` identifies what is scanned: only the same can continue it.
    pub(in crate::audit) fn begin(
        folder: &Path,
        rules: String,
        started_ms: i64,
        (tables, tally): (Vec<TableScan>, Tally),
    ) -> Result<Self, LiveError> {
        let failed = |path: &Path, error| LiveError::File { path: path.to_owned(), error };
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        if folder.join(CHECKPOINT).exists() {
            return Err(LiveError::Unfinished(folder.to_owned()));
        }
        let mut checkpoint = Checkpoint::new(rules, started_ms, tables);
        checkpoint.tally = tally;
        let mut state = Self { folder: folder.to_owned(), checkpoint, log: None };
        let log = state.log_path();
        let mut writer = LogWriter::open(&log, None).map_err(|error| failed(&log, error))?;
        state.checkpoint.log = writer.sync().map_err(|error| failed(&log, error))?;
        state.checkpoint.save(&folder.join(CHECKPOINT))?;
        state.log = Some(writer);
        Ok(state)
    }

    /// Continues a scan of these tables.
    pub(in crate::audit) fn resume(
        folder: &Path,
        rules: &str,
        tables: &[&str],
    ) -> Result<Self, LiveError> {
        let checkpoint = Checkpoint::open(&folder.join(CHECKPOINT), rules, tables)?;
        Ok(Self { folder: folder.to_owned(), checkpoint, log: None })
    }

    /// How far the segments are.
    pub(in crate::audit) fn tables(&self) -> &[TableScan] {
        &self.checkpoint.tables
    }

    /// What was looked at in the pages that are saved.
    pub(in crate::audit) const fn tally(&self) -> &Tally {
        &self.checkpoint.tally
    }

    /// Opens the log to append to it. What follows the saved pages is removed.
    pub(in crate::audit) fn write_log(&mut self) -> Result<LogWriter, LiveError> {
        let length = Some(self.checkpoint.log);
        let opened = self.log.take().map_or_else(|| LogWriter::open(&self.log_path(), length), Ok);
        opened.map_err(|error| self.log_error(error))
    }

    /// Opens the log to read the saved pages.
    pub(in crate::audit) fn read_log(&self) -> Result<LogReader, LiveError> {
        let opened = LogReader::open(&self.log_path(), self.checkpoint.log);
        opened.map_err(|error| self.log_error(error))
    }

    /// Saves how far the segments are, once the log has this length on disk.
    pub(in crate::audit) fn save(
        &mut self,
        log: LogLength,
        tally: Tally,
        tables: &[TableScan],
    ) -> Result<(), LiveError> {
        self.checkpoint.log = log;
        self.checkpoint.tally = tally;
        self.checkpoint.tables = tables.to_vec();
        Ok(self.checkpoint.save(&self.folder.join(CHECKPOINT))?)
    }

    /// Removes the files. What else is in the folder stays there.
    pub(in crate::audit) fn remove(self) -> Result<(), LiveError> {
        // Without a checkpoint, the log is ignored.
        for path in [self.folder.join(CHECKPOINT), self.log_path()] {
            std::fs::remove_file(&path).map_err(|error| LiveError::File { path, error })?;
        }
        // The folder may have other files, or be a mount point.
        let _ = std::fs::remove_dir(self.folder);
        Ok(())
    }

    pub(in crate::audit) fn log_path(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// The error of a log that cannot be used.
    pub(in crate::audit) fn log_error(&self, error: io::Error) -> LiveError {
        LiveError::File { path: self.log_path(), error }
    }
}

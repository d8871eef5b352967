//! A journal in a file.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::files::{beside, replace_bytes};
use crate::repair::Log;

/// A journal's file, which no other process may use meanwhile.
#[derive(Debug)]
pub(in crate::cli) struct JournalFile(File);

impl JournalFile {
    /// Opens a journal, and creates it with this first line if it does not exist. The first line is
    /// never cut off: the file is created as a whole.
    pub(in crate::cli) fn create(path: &Path, header: &[u8]) -> Result<Self, Failure> {
        let failed = |error| Failure::File(path.display().to_string(), error);
        if !path.exists() {
            replace_bytes(path, header).and_then(|()| sync_folder_of(path)).map_err(failed)?;
        }
        Self::open(path)
    }

    /// Opens a journal that exists.
    pub(in crate::cli) fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::options().read(true).append(true).open(path);
        let file = file.map_err(|error| {
            Failure::Usage(format!("cannot open the journal `{}`: {error}", path.display()))
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Failure::Usage(format!(
                "another process uses the journal `{}`\nhelp: wait until it has ended",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Failure::Usage(format!(
                "cannot lock the journal `{}`: {error}",
                path.display()
            ))),
        }
    }

    /// The journal of a plan, unless another one is named: the plan's name with `.journal`.
    pub(in crate::cli) fn of_plan(plan: &Path, named: Option<&PathBuf>) -> PathBuf {
        named.cloned().unwrap_or_else(|| beside(plan, ".journal"))
    }
}

/// Ensures that the name of a new file survives a crash. Windows needs no such thing.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

impl Log for JournalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        if self.0.metadata()?.len() == bytes {
            return Ok(());
        }
        self.0.set_len(bytes)?;
        self.0.sync_all()
    }

    fn read_from(&mut self, offset: u64) -> io::Result<Box<dyn BufRead + '_>> {
        self.0.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(BufReader::new(&self.0)))
    }
}

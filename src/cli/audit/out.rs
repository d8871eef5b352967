//! The file of `--out`: every finding as a line of JSON.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::Line;
use crate::cli::Failure;
use crate::files::beside;

/// A file of findings, which gets its name when it is complete.
pub(super) struct FindingsFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
}

impl FindingsFile {
    /// Begins the file.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let unfinished = beside(path, ".unfinished");
        let file = File::create(&unfinished)
            .map_err(|error| Failure::File(unfinished.display().to_string(), error))?;
        Ok(Self { path: path.to_owned(), unfinished, file: BufWriter::new(file) })
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        self.write(line).map_err(|error| self.failed(error))
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }

    /// Adds the problems and the summary, and gives the file its name.
    pub(super) fn finish<'l>(
        mut self,
        problems: impl Iterator<Item = Line<'l>>,
        summary: &Line<'_>,
    ) -> Result<(), Failure> {
        for problem in problems {
            self.line(&problem)?;
        }
        self.line(summary)?;
        let done = self.file.flush().and_then(|()| std::fs::rename(&self.unfinished, &self.path));
        done.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::File(self.path.display().to_string(), error)
    }
}

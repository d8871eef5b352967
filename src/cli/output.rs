//! The output streams for results and messages.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use super::Failure;
use crate::files;

/// The tool's two output streams.
///
/// A pipe closed by its reader, such as `head`, is not an error: further output is dropped, and the
/// exit code stays the same.
pub struct Output<'o> {
    results: Stream<'o>,
    messages: Stream<'o>,
}

struct Stream<'o> {
    writer: BufWriter<Box<dyn Write + 'o>>,
    closed: bool,
}

impl<'o> Output<'o> {
    /// An output that writes results and messages to these streams.
    #[must_use]
    pub fn new(results: Box<dyn Write + 'o>, messages: Box<dyn Write + 'o>) -> Self {
        let stream = |writer| Stream { writer: BufWriter::new(writer), closed: false };
        Self { results: stream(results), messages: stream(messages) }
    }

    /// Writes a result.
    pub fn result(&mut self, text: &str) -> io::Result<()> {
        self.results.write(text.as_bytes())
    }

    /// Writes bytes of a result.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.results.write(bytes)
    }

    /// Writes a result as a line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.results.write(&line)
    }

    /// Writes a message.
    pub fn message(&mut self, text: &str) -> io::Result<()> {
        self.messages.write(text.as_bytes())
    }

    /// Writes everything that is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        let results = self.results.attempt(|writer| writer.flush());
        let messages = self.messages.attempt(|writer| writer.flush());
        results.and(messages)
    }
}

impl Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.attempt(|writer| writer.write_all(bytes))
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match write(&mut self.writer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            done => done,
        }
    }
}

/// Fails if [`write_whole`] could not write this file, before any work is done.
pub(super) fn check_writable(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        return if path.is_dir() { Err(failed(ErrorKind::IsADirectory.into())) } else { Ok(()) };
    }
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    files::check_replaceable(&target).map_err(failed)
}

/// Writes a file atomically, because a partial dump would look like a complete one.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        // Write to a pipe or a device instead of replacing it.
        return std::fs::write(path, text).map_err(failed);
    }
    // Replace the target of a link, not the link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    files::replace(&target, text).map_err(failed)
}

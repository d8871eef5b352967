//! Reads one data file: in one pass and constant memory, it is hashed, inflated, split into lines,
//! and compared with what the manifest says about it.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::ops::ControlFlow;

use flate2::bufread::MultiGzDecoder;

use super::checksum::{Checksum, Hasher};
use super::lines;
use super::objects::{ObjectError, Objects, Source};
use super::problem::{Flaw, Problem};

/// How much of a compressed file is read at a time.
const BUFFER_BYTES: usize = 128 << 10;

/// Why a row's reader did not accept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowError {
    /// The row cannot be understood. It is skipped and reported.
    Invalid(String),
    /// The reader needs no more rows of this file.
    Stop,
}

/// The result of reading a data file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The count of lines.
    pub rows: u32,
    /// The size of the compressed file, or of the part that was read.
    pub bytes: u64,
    /// Whether the file's `etag` could be compared with the content.
    pub has_etag: bool,
    /// Whether reading stopped at the reader's request. Then nothing was compared.
    pub is_stopped: bool,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
}

/// What a manifest says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) items: u64,
    pub(super) md5: String,
    /// `None` if it cannot be computed from the content.
    pub(super) etag: Option<String>,
}

/// Calls `each` with the lines of a file and their indexes.
///
/// The file is at the first of these paths that exists. An error concerns all files.
pub(super) fn read(
    objects: &dyn Objects,
    paths: &[String],
    expected: &Expected,
    mut each: impl FnMut(u32, &[u8]) -> Result<(), RowError>,
) -> Result<Checked, ObjectError> {
    let mut checked = Checked::default();
    let (address, source) = match open(objects, paths)? {
        Ok(opened) => opened,
        Err(problem) => {
            checked.problems.push(problem);
            return Ok(checked);
        }
    };
    let mut bad = BadLines::default();
    let mut inflated = MultiGzDecoder::new(Hashed::new(source));
    let ended =
        lines::for_each(&mut inflated, &mut checked.rows, |row, line| match each(row, line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(RowError::Invalid(error)) => {
                bad.note(row, error);
                ControlFlow::Continue(())
            }
            Err(RowError::Stop) => ControlFlow::Break(()),
        });
    let hashed = inflated.into_inner();
    checked.bytes = hashed.bytes;
    if let Ok(ControlFlow::Break(())) = ended {
        checked.is_stopped = true;
        return Ok(checked);
    }
    let flaw = match hashed.finish() {
        Ok(found) => flaw(&mut checked, expected, found, ended.err().as_ref()),
        Err(error) => match ObjectError::of_read(address.clone(), error) {
            ObjectError::Unreadable { error, .. } => Some(Flaw::Unreadable(error)),
            ObjectError::Missing(_) => Some(Flaw::Missing),
            error @ (ObjectError::Unreachable { .. } | ObjectError::NoS3(_)) => return Err(error),
        },
    };
    let flaws = flaw.into_iter().chain(bad.flaw());
    checked.problems.extend(flaws.map(|flaw| Problem::new(address.clone(), flaw)));
    Ok(checked)
}

/// Calls `each` with the lines of a file that was [`read`] before, without verifying it again.
///
/// Problems with the file or its lines only end the reading. An error concerns all files.
pub(super) fn read_again(
    objects: &dyn Objects,
    paths: &[String],
    mut each: impl FnMut(u32, &[u8]) -> Result<(), RowError>,
) -> Result<(), ObjectError> {
    let Ok((address, source)) = open(objects, paths)? else { return Ok(()) };
    let source = BufReader::with_capacity(BUFFER_BYTES, source);
    let ended = lines::for_each(&mut MultiGzDecoder::new(source), &mut 0, |row, line| {
        match each(row, line) {
            Ok(()) | Err(RowError::Invalid(_)) => ControlFlow::Continue(()),
            Err(RowError::Stop) => ControlFlow::Break(()),
        }
    });
    match ended.map_err(|error| ObjectError::of_read(address, error)) {
        Ok(_) | Err(ObjectError::Unreadable { .. } | ObjectError::Missing(_)) => Ok(()),
        Err(error @ (ObjectError::Unreachable { .. } | ObjectError::NoS3(_))) => Err(error),
    }
}

/// A file and its address, or why it is skipped.
type Opened = Result<(String, Source), Problem>;

/// Opens the first of these paths that exists.
fn open(objects: &dyn Objects, paths: &[String]) -> Result<Opened, ObjectError> {
    for path in paths {
        let address = objects.address(path);
        match objects.open(path) {
            Ok(source) => return Ok(Ok((address, source))),
            Err(ObjectError::Missing(_)) => {}
            Err(ObjectError::Unreadable { error, .. }) => {
                return Ok(Err(Problem::new(address, Flaw::Unreadable(error))));
            }
            Err(error @ (ObjectError::Unreachable { .. } | ObjectError::NoS3(_))) => {
                return Err(error);
            }
        }
    }
    let first = paths.first().map(|path| objects.address(path)).unwrap_or_default();
    Ok(Err(Problem::new(first, Flaw::Missing)))
}

/// What is wrong with a file that was read to its end. Only the cause is reported: a truncated file
/// also has another checksum and fewer items.
fn flaw(
    checked: &mut Checked,
    expected: &Expected,
    found: Checksum,
    inflated: Option<&io::Error>,
) -> Option<Flaw> {
    if let Some(error) = inflated {
        let is_truncated = error.kind() == ErrorKind::UnexpectedEof;
        return Some(if is_truncated { Flaw::Truncated } else { Flaw::Damaged(error.to_string()) });
    }
    let md5 = found.base64();
    if md5 != expected.md5 {
        return Some(Flaw::Altered { expected: expected.md5.clone(), found: md5 });
    }
    if let Some(etag) = &expected.etag
        && let Some(found) = found.etag_like(etag)
    {
        checked.has_etag = true;
        if found != *etag {
            return Some(Flaw::Etag { expected: etag.clone(), found });
        }
    }
    let found = u64::from(checked.rows);
    (found != expected.items).then_some(Flaw::ItemCount { expected: expected.items, found })
}

/// The lines of a file that cannot be understood.
#[derive(Debug, Default)]
struct BadLines {
    count: u64,
    first: Option<(u32, String)>,
}

impl BadLines {
    fn note(&mut self, row: u32, error: String) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((row, error));
        }
    }

    fn flaw(self) -> Option<Flaw> {
        let (row, error) = self.first?;
        Some(Flaw::Lines { count: self.count, first: u64::from(row) + 1, error })
    }
}

/// A source whose bytes are hashed as they are read.
struct Hashed<R> {
    source: R,
    buffer: Box<[u8]>,
    /// The part of the buffer that has been read and not used.
    unused: std::ops::Range<usize>,
    hasher: Hasher,
    bytes: u64,
    /// The source's own error. The decoder does not distinguish it from its own.
    failure: Option<io::Error>,
}

impl<R: Read> Hashed<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            unused: 0..0,
            hasher: Hasher::default(),
            bytes: 0,
            failure: None,
        }
    }

    /// Reads the rest, which the decoder leaves if it fails, and returns the checksum.
    fn finish(mut self) -> Result<Checksum, io::Error> {
        while self.failure.is_none() && self.fill_buf().is_ok_and(|rest| !rest.is_empty()) {
            self.unused = 0..0;
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.hasher.finish()),
        }
    }
}

impl<R: Read> BufRead for Hashed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unused.is_empty() {
            let count = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(count) => break count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        let kind = error.kind();
                        self.failure = Some(error);
                        return Err(kind.into());
                    }
                }
            };
            self.hasher.update(self.buffer.get(..count).unwrap_or_default());
            self.bytes += count as u64;
            self.unused = 0..count;
        }
        Ok(self.buffer.get(self.unused.clone()).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.unused.start += count;
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

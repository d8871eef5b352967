//! The log of a live audit: the key of each item that was scanned, and its facts, in a file.
//!
//! The file is only appended to. Up to the length in the checkpoint it belongs to pages that are
//! counted, so that an audit that was interrupted goes on with it. Items are rows in the order in
//! which they were read, and a fixed number of rows is a chunk.

use std::fs::{File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::checkpoint::LogLength;
use crate::audit::fact::{Fact, Location};
use crate::audit::observe::Facts;
use crate::data::{Key, KeyValue, Number};
use crate::rules::model::TableId;

/// The number of rows in a chunk.
const CHUNK_ROWS: u64 = 1 << 16;
/// The first bytes of the file: a name and a version.
const HEADER: &[u8; 8] = b"REFlog1\n";
/// The maximum length of a row, in bytes. It guards against reading a damaged file: an item has at
/// most some ten thousand references.
const ROW_BYTES_MAX: u32 = 64 << 20;

/// The facts of one item.
#[derive(Debug, Default)]
pub(super) struct RowFacts(pub(super) Vec<u8>);

impl Facts for RowFacts {
    fn add_fact(&mut self, fact: Fact) -> io::Result<()> {
        fact.encode(&mut self.0);
        Ok(())
    }
}

/// Appends to a log.
#[derive(Debug)]
pub(in crate::audit) struct LogWriter {
    file: BufWriter<File>,
    length: LogLength,
    head: Vec<u8>,
}

impl LogWriter {
    /// Begins a log, or opens one and removes what is beyond this length. The log is locked, so
    /// that two audits cannot write to it; the operating system releases the lock when the process
    /// ends.
    pub(super) fn open(path: &Path, length: Option<LogLength>) -> io::Result<Self> {
        let mut file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(damaged("another audit uses it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let length = if let Some(length) = length {
            if file.metadata()?.len() < length.bytes {
                return Err(damaged("it is shorter than the checkpoint says"));
            }
            file.set_len(length.bytes)?;
            length
        } else {
            file.set_len(0)?;
            file.write_all(HEADER)?;
            LogLength { bytes: HEADER.len() as u64, rows: 0 }
        };
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), length, head: Vec::new() })
    }

    /// The location of the next row.
    pub(super) fn next(&self) -> io::Result<Location> {
        location(self.length.rows)
    }

    /// Appends a row, and takes what the item says, such as its facts.
    pub(in crate::audit) fn add(
        &mut self,
        table: TableId,
        key: &Key<'_>,
        payload: &mut Vec<u8>,
    ) -> io::Result<()> {
        self.head.clear();
        self.head.extend(u16::try_from(table.0).unwrap_or(u16::MAX).to_le_bytes());
        encode_key(key, &mut self.head);
        let length = u32::try_from(self.head.len() + payload.len()).unwrap_or(u32::MAX);
        if length > ROW_BYTES_MAX {
            return Err(damaged("an item has too many references"));
        }
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&self.head)?;
        self.file.write_all(payload)?;
        payload.clear();
        self.length.bytes += u64::from(length) + 4;
        self.length.rows += 1;
        Ok(())
    }

    /// Waits until everything is on disk, and returns the length.
    pub(in crate::audit) fn sync(&mut self) -> io::Result<LogLength> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.length)
    }
}

/// Reads a log.
#[derive(Debug)]
pub(in crate::audit) struct LogReader {
    file: BufReader<File>,
    length: LogLength,
    /// The number of the next row.
    next: u64,
    /// Where each chunk begins, as far as it was read.
    chunks: Vec<u64>,
    position: u64,
    row: Vec<u8>,
}

/// A row of a log.
#[derive(Debug)]
pub(in crate::audit) struct LogRow<'r> {
    /// Where it is.
    pub(super) at: Location,
    /// The item's table.
    pub(in crate::audit) table: TableId,
    /// The item's key.
    pub(in crate::audit) key: Key<'r>,
    /// What the item says.
    pub(in crate::audit) payload: &'r [u8],
}

impl LogReader {
    /// Opens a log of this length.
    pub(super) fn open(path: &Path, length: LogLength) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
        let mut header = [0; HEADER.len()];
        file.read_exact(&mut header)?;
        if header != *HEADER {
            return Err(damaged("it is not a log of `referee audit`"));
        }
        let position = HEADER.len() as u64;
        Ok(Self { file, length, next: 0, chunks: Vec::new(), position, row: Vec::new() })
    }

    /// The number of chunks.
    pub(super) fn chunks(&self) -> u32 {
        u32::try_from(self.length.rows.div_ceil(CHUNK_ROWS)).unwrap_or(u32::MAX)
    }

    /// Goes to the beginning of a chunk that was read before.
    pub(super) fn go_to(&mut self, chunk: u32) -> io::Result<()> {
        let start = usize::try_from(chunk).ok().and_then(|chunk| self.chunks.get(chunk));
        let Some(start) = start else { return Err(damaged("a chunk was not read")) };
        self.position = *start;
        self.next = u64::from(chunk) * CHUNK_ROWS;
        self.file.seek(SeekFrom::Start(self.position)).map(|_| ())
    }

    /// The next row; `None` at the end.
    pub(in crate::audit) fn row(&mut self) -> io::Result<Option<LogRow<'_>>> {
        if self.next == self.length.rows {
            return Ok(None);
        }
        let at = location(self.next)?;
        if at.row == 0 && self.chunks.len() as u64 == u64::from(at.chunk) {
            self.chunks.push(self.position);
        }
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > ROW_BYTES_MAX {
            return Err(damaged("a row is too long"));
        }
        self.row.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        self.file.read_exact(&mut self.row)?;
        self.position += u64::from(length) + 4;
        self.next += 1;
        let mut bytes = self.row.as_slice();
        let row = table(&mut bytes).and_then(|table| {
            let key = decode_key(&mut bytes)?;
            Some(LogRow { at, table, key, payload: bytes })
        });
        row.map(Some).ok_or_else(|| damaged("a row cannot be read"))
    }
}

impl LogRow<'_> {
    /// The facts of the item.
    pub(super) fn facts(&self) -> impl Iterator<Item = Fact> + '_ {
        let mut bytes = self.payload;
        std::iter::from_fn(move || Fact::decode(&mut bytes))
    }
}

fn location(row: u64) -> io::Result<Location> {
    let chunk = u32::try_from(row / CHUNK_ROWS).map_err(|_| damaged("there are too many items"))?;
    Ok(Location { chunk, row: u32::try_from(row % CHUNK_ROWS).unwrap_or_default() })
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn table(bytes: &mut &[u8]) -> Option<TableId> {
    let (table, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(TableId(usize::from(u16::from_le_bytes(*table))))
}

/// Appends a key. Each value has its type, its length and its bytes.
pub(in crate::audit) fn encode_key(key: &Key<'_>, out: &mut Vec<u8>) {
    out.push(u8::from(key.sort.is_some()));
    for value in std::iter::once(&key.partition).chain(&key.sort) {
        let (kind, bytes) = match value {
            KeyValue::S(text) => (b'S', text.as_bytes()),
            KeyValue::N(number) => (b'N', number.as_str().as_bytes()),
            KeyValue::B(bytes) => (b'B', &**bytes),
        };
        out.push(kind);
        // A key's value has at most 2,048 bytes.
        out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(bytes);
    }
}

/// Removes a key from the bytes; `None` if there is none.
pub(in crate::audit) fn decode_key<'r>(bytes: &mut &'r [u8]) -> Option<Key<'r>> {
    let (has_sort, rest) = bytes.split_first()?;
    *bytes = rest;
    let partition = decode_value(bytes)?;
    let sort = if *has_sort == 1 { Some(decode_value(bytes)?) } else { None };
    Some(Key { partition, sort })
}

fn decode_value<'r>(bytes: &mut &'r [u8]) -> Option<KeyValue<'r>> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    *bytes = rest;
    Some(match kind {
        b'S' => KeyValue::S(std::str::from_utf8(value).ok()?.into()),
        b'N' => KeyValue::N(Number::parse(std::str::from_utf8(value).ok()?).ok()?),
        b'B' => KeyValue::B(value.into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::hash::KeyHash;

    fn keys() -> Vec<Key<'static>> {
        let text = |text: &'static str| KeyValue::S(text.into());
        let number = KeyValue::N(Number::parse("-12.5").unwrap());
        vec![
            Key { partition: text("é"), sort: Some(KeyValue::B(vec![0, 255].into())) },
            Key { partition: number, sort: None },
            Key { partition: KeyValue::S("x".repeat(2_048).into()), sort: Some(text("")) },
        ]
    }

    /// Appends rows, with as many facts as their number in the list.
    fn append(log: &mut LogWriter, rows: usize) {
        let mut facts = RowFacts::default();
        for number in 0..rows {
            let key = &keys()[number % 3];
            let at = log.next().unwrap();
            for _ in 0..number % 3 {
                let fact = Fact::Item { item: KeyHash(7), entity: None, at };
                facts.add_fact(fact).unwrap();
            }
            log.add(TableId(number % 2), key, &mut facts.0).unwrap();
        }
    }

    fn assert_has(path: &Path, length: LogLength, rows: usize) {
        let mut log = LogReader::open(path, length).unwrap();
        for number in 0..rows {
            let row = log.row().unwrap().unwrap();
            assert_eq!((row.table.0, &row.key), (number % 2, &keys()[number % 3]));
            assert_eq!(row.facts().count(), number % 3);
        }
        assert!(log.row().unwrap().is_none());
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.log");
        let mut log = LogWriter::open(&path, None).unwrap();
        append(&mut log, 6);
        let length = log.sync().unwrap();
        // What follows is not counted by the checkpoint, and is removed.
        append(&mut log, 3);
        drop(log);
        assert_has(&path, length, 6);
        let mut log = LogWriter::open(&path, Some(length)).unwrap();
        append(&mut log, 3);
        let length = log.sync().unwrap();
        assert_eq!(length.rows, 9);
        assert_has(&path, length, 9);
    }

    #[test]
    fn a_chunk_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.log");
        let mut log = LogWriter::open(&path, None).unwrap();
        append(&mut log, 150_000);
        let mut log = LogReader::open(&path, log.sync().unwrap()).unwrap();
        assert_eq!(log.chunks(), 3);
        assert!(log.go_to(0).is_err(), "nothing was read yet");
        while log.row().unwrap().is_some() {}
        for chunk in [2, 0, 1] {
            log.go_to(chunk).unwrap();
            let row = log.row().unwrap().unwrap();
            assert_eq!(row.at, Location { chunk, row: 0 });
            let number = usize::try_from(chunk).unwrap() * (1 << 16);
            assert_eq!(row.key, keys()[number % 3]);
        }
    }

    #[test]
    fn another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.log");
        std::fs::write(&path, "some other file").unwrap();
        let length = LogLength { bytes: 10, rows: 1 };
        assert!(LogReader::open(&path, length).is_err());
        let longer = LogLength { bytes: 1_000, rows: 1 };
        let error = LogWriter::open(&path, Some(longer)).unwrap_err().to_string();
        assert!(error.contains("shorter"), "{error}");
    }

    #[test]
    fn two_audits_cannot_use_one_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.log");
        let mut first = LogWriter::open(&path, None).unwrap();
        append(&mut first, 2);
        let length = first.sync().unwrap();
        let error = LogWriter::open(&path, Some(length)).unwrap_err().to_string();
        assert!(error.contains("another audit"), "{error}");
        assert_has(&path, length, 2);
        drop(first);
        LogWriter::open(&path, Some(length)).unwrap();
    }
}

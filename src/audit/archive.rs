//! Items that do not change while they are audited: the files of dumps and exports.

use crate::rules::model::TableId;

/// Items in files.
pub trait Archive: Sync {
    /// The number of chunks: files that can be read on their own.
    fn chunks(&self) -> u32;

    /// The number of items in all chunks, if it is known before they are read; for progress.
    fn items(&self) -> Option<u64>;

    /// The problems that are known before the chunks are read.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// A chunk's name in messages.
    fn name(&self, chunk: u32) -> String;

    /// Reads a chunk, and reports problems with it. The rows are the same each time.
    fn read(
        &self,
        chunk: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop>;

    /// Reads some rows of a chunk again, in ascending order. Reports no problems: the first reading
    /// has.
    fn read_rows(
        &self,
        chunk: u32,
        rows: &[u32],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut rows = rows.iter().peekable();
        let mut each =
            |row: Row<'_>| if rows.next_if_eq(&&row.row).is_some() { each(row) } else { Ok(()) };
        self.read(chunk, &mut each, &mut |_| {})
    }
}

/// One item of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    /// The item's position in its chunk, from 0.
    pub row: u32,
    /// The item's table.
    pub table: TableId,
    /// The item in DynamoDB's JSON.
    pub text: &'r [u8],
}

/// The reason why reading must stop altogether.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stop(pub String);

/// A reason why an audit is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, and the position in it if there is one.
    pub place: String,
    /// What is wrong.
    pub error: String,
    /// What to do about it, if that is not obvious.
    pub help: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}` {}", self.place, self.error)?;
        self.help.iter().try_for_each(|help| write!(formatter, "\nhelp: {help}"))
    }
}

/// Several archives, treated as one.
pub struct Archives(pub Vec<Box<dyn Archive>>);

impl Archive for Archives {
    fn chunks(&self) -> u32 {
        self.0.iter().map(|archive| archive.chunks()).sum()
    }

    fn items(&self) -> Option<u64> {
        self.0.iter().map(|archive| archive.items()).sum()
    }

    fn problems(&self) -> Vec<Problem> {
        self.0.iter().flat_map(|archive| archive.problems()).collect()
    }

    fn name(&self, chunk: u32) -> String {
        self.find(chunk).map(|(archive, chunk)| archive.name(chunk)).unwrap_or_default()
    }

    fn read(
        &self,
        chunk: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let Some((archive, chunk)) = self.find(chunk) else { return Ok(()) };
        archive.read(chunk, each, problem)
    }

    fn read_rows(
        &self,
        chunk: u32,
        rows: &[u32],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Some((archive, chunk)) = self.find(chunk) else { return Ok(()) };
        archive.read_rows(chunk, rows, each)
    }
}

impl Archives {
    /// The archive of a chunk, and the chunk's number in it.
    fn find(&self, chunk: u32) -> Option<(&dyn Archive, u32)> {
        let mut chunk = chunk;
        for archive in &self.0 {
            match chunk.checked_sub(archive.chunks()) {
                None => return Some((&**archive, chunk)),
                Some(of_others) => chunk = of_others,
            }
        }
        None
    }
}

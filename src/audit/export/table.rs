//! The exports of one table, and the items in them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::changes::{Changes, Collector, FileChanges, key_hash};
use super::error::ExportError;
use super::folder::Folder;
use super::line::{self, Change};
use super::manifest::{Listed, Scope, Summary, TableArn};
use super::objects::{ObjectError, Objects, within};
use super::place::AWS_DYNAMODB;
use super::problem::Problem;
use super::read::{self, Checked, Expected, RowError};
use super::window::{Chain, Export};
use crate::data::{KeySchema, Timestamp};

/// A table's exports, of which only the manifests have been read.
#[derive(Debug)]
pub struct Opened {
    arn: TableArn,
    schema: KeySchema,
    time: Timestamp,
    files: Vec<DataFile>,
    billed_bytes: u64,
    outdated: Vec<String>,
    problems: Vec<Problem>,
}

/// A data file.
#[derive(Debug, Clone)]
pub struct DataFile {
    objects: Arc<dyn Objects>,
    /// Where it may be, the likeliest first.
    paths: Vec<String>,
    expected: Expected,
    is_incremental: bool,
}

impl DataFile {
    /// Its address, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        self.paths.first().map(|path| self.objects.address(path)).unwrap_or_default()
    }

    /// The count of items or changes, as the manifest says.
    #[must_use]
    pub const fn items(&self) -> u64 {
        self.expected.items
    }

    /// Whether it belongs to an incremental export.
    #[must_use]
    pub const fn is_incremental(&self) -> bool {
        self.is_incremental
    }

    fn read(
        &self,
        each: impl FnMut(u32, &[u8]) -> Result<(), RowError>,
    ) -> Result<Checked, ObjectError> {
        read::read(&*self.objects, &self.paths, &self.expected, each)
    }
}

impl Opened {
    pub(super) fn new(schema: KeySchema, chain: Chain) -> Option<Self> {
        let arn = chain.exports.first()?.manifest.summary.table_arn.clone();
        let mut problems = chain.problems;
        let mut files = Vec::new();
        let mut billed_bytes = 0;
        for Export { folder, manifest } in chain.exports {
            problems.extend(manifest.problems);
            billed_bytes += manifest.summary.billed_size_bytes.unwrap_or(0);
            let is_incremental = matches!(manifest.scope, Scope::Incremental { .. });
            files.extend(
                manifest
                    .files
                    .iter()
                    .map(|listed| data_file(&folder, &manifest.summary, listed, is_incremental)),
            );
        }
        let outdated = chain.outdated;
        Some(Self { arn, schema, time: chain.time, files, billed_bytes, outdated, problems })
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.arn.table
    }

    /// The table's ARN, with its Region and account.
    #[must_use]
    pub const fn arn(&self) -> &TableArn {
        &self.arn
    }

    /// The time of the table's state that the exports describe together.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The data files.
    #[must_use]
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The size of the table's items that the exports were billed for, in bytes. The JSON is larger.
    #[must_use]
    pub const fn billed_bytes(&self) -> u64 {
        self.billed_bytes
    }

    /// The addresses of incremental exports that are ignored, because they end before the full
    /// export's time.
    #[must_use]
    pub fn outdated(&self) -> &[String] {
        &self.outdated
    }

    /// Reads the incremental exports, if there are any, with this many threads.
    ///
    /// It is then known which version of an item is the newest. The incremental files are read
    /// again with all others.
    pub fn prepare(mut self, threads: usize) -> Result<TableExport, ExportError> {
        let collector = Collector::default();
        let incremental: Vec<usize> = self.incremental().collect();
        let next = AtomicUsize::new(0);
        let result = Mutex::new(Ok(Vec::new()));
        let work = || {
            while let Some(index) = incremental.get(next.fetch_add(1, Ordering::Relaxed)) {
                let done = self.collect(*index, &collector);
                let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
                match (&mut *result, done) {
                    (Ok(problems), Ok(found)) => problems.extend(found),
                    (Err(_), _) => return,
                    (result, Err(error)) => *result = Err(error),
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads.min(incremental.len()) {
                scope.spawn(work);
            }
            work();
        });
        let problems = result.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        self.problems.extend(problems);
        let Self { schema, files, problems, arn, .. } = self;
        Ok(TableExport { arn, schema, files, changes: collector.finish(), problems })
    }

    fn incremental(&self) -> impl Iterator<Item = usize> {
        self.files
            .iter()
            .enumerate()
            .filter(|(_, file)| file.is_incremental)
            .map(|(index, _)| index)
    }

    /// Collects the changes in a file.
    fn collect(&self, index: usize, collector: &Collector) -> Result<Vec<Problem>, ObjectError> {
        let Some(file) = self.files.get(index) else { return Ok(Vec::new()) };
        let mut changes = FileChanges::new(collector, &self.schema, number(index));
        let checked = file.read(|row, line| changes.add(row, line).map_err(RowError::Invalid))?;
        Ok(checked.problems)
    }
}

/// A table's exports, ready to be read.
///
/// The index of a data file in [`files`](Self::files), and the index of a line in it, are the
/// location of an item.
#[derive(Debug)]
pub struct TableExport {
    arn: TableArn,
    schema: KeySchema,
    files: Vec<DataFile>,
    changes: Changes,
    problems: Vec<Problem>,
}

impl TableExport {
    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.arn.table
    }

    /// The data files.
    #[must_use]
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// What is wrong with the exports as a whole, and with the incremental ones.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Calls `each` with the row and the JSON of every item in a file, in the order of the rows. An
    /// item is read from the file with its newest version, and from no file if it was deleted.
    ///
    /// The whole file is verified. What is wrong with it is in the result, after `each` has seen
    /// its items, unless it is in [`problems`](Self::problems). An error means that no other file can be read either.
    pub fn read(
        &self,
        file: u32,
        mut each: impl FnMut(u32, &[u8]) -> Result<(), RowError>,
    ) -> Result<Checked, ExportError> {
        let Some(data) = self.files.get(file as usize) else { return Ok(Checked::default()) };
        let checked = if data.is_incremental {
            data.read(|row, line| match self.newest(file, row, line)? {
                Some(item) => each(row, item),
                None => Ok(()),
            })
        } else if self.changes.is_empty() {
            data.read(|row, line| each(row, line::item(line).map_err(RowError::Invalid)?))
        } else {
            data.read(|row, line| {
                let item = line::item(line).map_err(RowError::Invalid)?;
                let key = key_hash(&self.schema, item).map_err(RowError::Invalid)?;
                if self.changes.has(key) { Ok(()) } else { each(row, item) }
            })
        };
        let mut checked = checked?;
        // Incremental files are read twice.
        checked.problems.retain(|problem| !self.problems.contains(problem));
        Ok(checked)
    }

    /// The item in a row of an incremental export, if it is the newest version and was not deleted.
    fn newest<'l>(
        &self,
        file: u32,
        row: u32,
        line: &'l [u8],
    ) -> Result<Option<&'l [u8]>, RowError> {
        let change = Change::read(line).map_err(RowError::Invalid)?;
        let key = key_hash(&self.schema, change.keys()).map_err(RowError::Invalid)?;
        Ok(change.new_image().filter(|_| self.changes.is_newest(key, file, row)))
    }

    /// Reads some rows of a file again. `rows` are ascending, and rows that [`read`](Self::read)
    /// called `each` with.
    ///
    /// Nothing is verified, and nothing after the last of these rows is read. If the file cannot
    /// be read that far, `each` is not called with all of them: [`read`](Self::read) has reported
    /// what is wrong with it.
    pub fn read_rows(
        &self,
        file: u32,
        rows: &[u32],
        mut each: impl FnMut(u32, &[u8]) -> Result<(), RowError>,
    ) -> Result<(), ExportError> {
        let Some(data) = self.files.get(file as usize) else { return Ok(()) };
        let mut rows = rows.iter().copied().peekable();
        read::read_again(&*data.objects, &data.paths, |row, line| {
            if rows.next_if_eq(&row).is_some() {
                let item = if data.is_incremental {
                    Change::read(line).map(|change| change.new_image())
                } else {
                    line::item(line).map(Some)
                };
                if let Some(item) = item.map_err(RowError::Invalid)? {
                    each(row, item)?;
                }
            }
            if rows.peek().is_some() { Ok(()) } else { Err(RowError::Stop) }
        })?;
        Ok(())
    }
}

/// Where a data file may be, whatever part of its key was kept when it was copied.
///
/// The files of full exports are beside the manifest, in `AWSDynamoDB/<export id>/data`. Those of
/// incremental exports are shared, in `AWSDynamoDB/data`.
fn data_file(
    folder: &Folder,
    summary: &Summary,
    listed: &Listed,
    is_incremental: bool,
) -> DataFile {
    let key = &listed.data_file_s3_key;
    let name = key.rsplit('/').next().unwrap_or(key);
    let is_shared = key.rsplit('/').nth(2) == Some(AWS_DYNAMODB);
    let own = within(&within(&folder.path, "data"), name);
    let shared = within(&within(&folder.objects.parent(&folder.path), "data"), name);
    let paths = if is_shared { vec![shared, own] } else { vec![own, shared] };
    let expected = Expected {
        items: listed.item_count,
        md5: listed.md5_checksum.clone(),
        etag: summary.has_checkable_etags().then(|| listed.etag.clone()),
    };
    DataFile { objects: Arc::clone(&folder.objects), paths, expected, is_incremental }
}

/// A file's index as part of a location.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

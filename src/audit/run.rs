//! The audit of an archive: facts, suspects, findings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::archive::{Archive, Problem, Row, Stop};
use super::excerpt::{self, Excerpts};
use super::fact::Location;
use super::join::{Suspects, join};
use super::observe::{ObserveError, Observer, Observing};
use super::raw_item::RawItem;
use super::spill::{PARTITIONS, Spill};
use super::suspect::{Charge, Suspect, findings};
use super::tally::Tally;
use super::threads::on_threads;
use crate::data::Item;
use crate::integrity::finding::Finding;
use crate::integrity::index::Index;
use crate::integrity::nearest::Stray;
use crate::rules::model::{Rules, TableId};

/// The problems of one chunk that are reported one by one.
const PROBLEMS_MAX: usize = 10;

/// The number of rows after which the progress is updated.
const PROGRESS_ROWS: u64 = 1024;

/// How an audit is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of threads.
    pub threads: usize,
    /// How many bytes of facts are kept in memory, and half as many of excerpts; more are written
    /// to temporary files.
    pub memory_bytes_max: usize,
    /// The folder for temporary files.
    pub temporary: PathBuf,
    /// Whether items that belong to no entity are findings.
    pub reports_unknown: bool,
    /// The time at which items have expired or not, in milliseconds since 1970.
    pub now_ms: i64,
}

/// How far an audit has got. Other threads may look at it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Items that were read.
    pub items: AtomicU64,
    /// The length of their JSON, in bytes.
    pub bytes: AtomicU64,
    /// Chunks that were read.
    pub chunks: AtomicU32,
}

impl Progress {
    fn add(&self, items: u64, bytes: u64) {
        self.items.fetch_add(items, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What an audit has looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// What was looked at.
    pub tally: Tally,
    /// The first item that belongs to no entity.
    pub stray: Option<Stray>,
    /// Why the audit is incomplete; nothing if it is complete.
    pub problems: Vec<Problem>,
}

/// Audits an archive. Passes each finding on, in the order of the archive.
///
/// # Errors
///
/// Fails if a temporary file cannot be used, or if `each` fails.
pub fn audit(
    rules: &Rules,
    archive: &dyn Archive,
    options: &Options,
    progress: &Progress,
    mut each: impl FnMut(Finding) -> Result<(), Stop>,
) -> Result<Audited, Stop> {
    let index = Index::new(rules);
    let run = Run { rules, index: &index, archive, options, progress };
    let facts = Spill::new(&options.temporary, options.memory_bytes_max);
    let excerpts =
        Excerpts::new(&options.temporary, options.memory_bytes_max / 2, archive.chunks());
    let (tally, stray, mut problems) = run.observe(&facts, &excerpts)?;
    let suspects = Spill::new(&options.temporary, options.memory_bytes_max / 4);
    let suspects = Suspects::new(suspects, archive.chunks());
    join(rules, &facts, &suspects, options.threads).map_err(|error| unwritable(&error))?;
    drop(facts);
    run.describe(&suspects, &excerpts, &mut problems, &mut each)?;
    problems.sort();
    Ok(Audited { tally, stray, problems })
}

pub(super) fn unwritable(error: &std::io::Error) -> Stop {
    Stop(format!("cannot use a temporary file: {error}; --temporary names another folder for them"))
}

#[derive(Clone, Copy)]
struct Run<'r> {
    rules: &'r Rules,
    index: &'r Index,
    archive: &'r dyn Archive,
    options: &'r Options,
    progress: &'r Progress,
}

impl Run<'_> {
    /// Reads every chunk and writes the facts.
    fn observe(
        self,
        facts: &Spill,
        excerpts: &Excerpts,
    ) -> Result<(Tally, Option<Stray>, Vec<Problem>), Stop> {
        let next = AtomicU32::new(0);
        let work = || {
            let Options { reports_unknown, now_ms, .. } = *self.options;
            let options = Observing { reports_unknown, now_ms };
            let mut observer = Observer::new(self.rules, self.index, facts, excerpts, options);
            let mut problems = Vec::new();
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= self.archive.chunks() {
                    break;
                }
                self.observe_chunk(chunk, &mut observer, &mut problems)?;
                self.progress.chunks.fetch_add(1, Ordering::Relaxed);
            }
            Ok((observer.finish().map_err(|error| unwritable(&error))?, problems))
        };
        let mut tally = Tally::new(self.rules);
        let mut strays = Vec::new();
        let mut problems = self.archive.problems();
        for done in on_threads(self.options.threads, work) {
            let ((of_thread, stray), mut found) = done?;
            tally.add(&of_thread);
            strays.extend(stray);
            problems.append(&mut found);
        }
        let first = strays.into_iter().min_by_key(|(at, _)| *at);
        Ok((tally, first.map(|(_, stray)| stray), problems))
    }

    fn observe_chunk(
        self,
        chunk: u32,
        observer: &mut Observer<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        let (mut rows, mut bytes, mut bad_rows) = (0_u64, 0, BadRows::default());
        let mut each = |row: Row<'_>| {
            (rows, bytes) = (rows + 1, bytes + row.text.len() as u64);
            if rows == PROGRESS_ROWS {
                self.progress.add(std::mem::take(&mut rows), std::mem::take(&mut bytes));
            }
            let at = Location { chunk, row: row.row };
            match observer.observe_text(at, row.table, row.text) {
                Ok(()) => Ok(()),
                Err(ObserveError::Item(error)) => {
                    bad_rows.add(row.row, error);
                    Ok(())
                }
                Err(ObserveError::Spill(error)) => Err(unwritable(&error)),
            }
        };
        let mut of_chunk = Vec::new();
        self.archive.read(chunk, &mut each, &mut |problem| of_chunk.push(problem))?;
        self.progress.add(rows, bytes);
        problems.append(&mut of_chunk);
        problems.extend(bad_rows.problems(&self.archive.name(chunk)));
        Ok(())
    }

    /// Passes on what is wrong with the suspects.
    fn describe(
        self,
        suspects: &Suspects,
        excerpts: &Excerpts,
        problems: &mut Vec<Problem>,
        each: &mut impl FnMut(Finding) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let groups: Vec<usize> = (0..PARTITIONS).filter(|group| suspects.has(*group)).collect();
        // Each thread describes one group at a time, so that findings stay in order and memory is
        // bounded.
        for groups in groups.chunks(self.options.threads.max(1)) {
            let next = std::sync::Mutex::new(groups.iter().copied().enumerate());
            let work = || {
                let mut found = Vec::new();
                loop {
                    let group = next.lock().ok().and_then(|mut next| next.next());
                    let Some((position, group)) = group else { return Ok(found) };
                    found.push((position, self.describe_group(suspects, excerpts, group)?));
                }
            };
            let mut found = Vec::new();
            for done in on_threads(groups.len(), work) {
                found.extend(done?);
            }
            found.sort_by_key(|(position, _)| *position);
            for (_, Described { findings, duplicates }) in found {
                problems.extend(duplicates);
                findings.into_values().flatten().try_for_each(&mut *each)?;
            }
        }
        Ok(())
    }

    fn describe_group(
        self,
        suspects: &Suspects,
        excerpts: &Excerpts,
        group: usize,
    ) -> Result<Described, Stop> {
        let suspects = suspects.take(group).map_err(|error| unwritable(&error))?;
        let suspects = Accused::by_item(&suspects);
        let mut described = Described::default();
        let locations: Vec<Location> = suspects.iter().map(|suspect| suspect.at).collect();
        let taken = excerpts.take(self.rules, group, &locations, |at, table, item| {
            let found = suspects.binary_search_by_key(&at, |suspect| suspect.at);
            if let Some(suspect) = found.ok().and_then(|index| suspects.get(index)) {
                described.add(self.rules, suspect, table, item);
            }
        });
        taken.map_err(|error| unwritable(&error))?;
        for of_chunk in suspects.chunk_by(|one, other| one.at.chunk == other.at.chunk) {
            self.describe_chunk(of_chunk, &mut described)?;
        }
        Ok(described)
    }

    /// Describes the suspects of a chunk that had no excerpt, for which it reads the chunk again.
    fn describe_chunk(self, suspects: &[Accused], out: &mut Described) -> Result<(), Stop> {
        let Some(Location { chunk, .. }) = suspects.first().map(|suspect| suspect.at) else {
            return Ok(());
        };
        let mut duplicates = BadRows::default();
        for suspect in suspects.iter().filter(|it| it.charges.contains(&Charge::Duplicate)) {
            let error = "there is another item with its key; files of several exports may be mixed";
            duplicates.add(suspect.at.row, error.to_owned());
        }
        out.duplicates.extend(duplicates.problems(&self.archive.name(chunk)));
        let unread: Vec<&Accused> = suspects.iter().filter(|it| out.lacks(it)).collect();
        if unread.is_empty() {
            return Ok(());
        }
        let rows: Vec<u32> = unread.iter().map(|suspect| suspect.at.row).collect();
        let mut unread = unread.into_iter().peekable();
        let mut each = |row: Row<'_>| {
            let Some(suspect) = unread.next_if(|it| it.at.row == row.row) else { return Ok(()) };
            let projection = excerpt::projection(self.rules, row.table);
            // The first reading has reported an item that cannot be read.
            if let Ok(item) = RawItem::parse(row.text).and_then(|it| it.attributes(&projection)) {
                out.add(self.rules, suspect, row.table, &item);
            }
            Ok(())
        };
        self.archive.read_rows(chunk, &rows, &mut each)
    }
}

/// An item, and everything that it is suspected of.
struct Accused {
    at: Location,
    charges: Vec<Charge>,
}

impl Accused {
    /// Combines the suspects, which are in the order of their items.
    fn by_item(suspects: &[Suspect]) -> Vec<Self> {
        let of_item = suspects.chunk_by(|one, other| one.at == other.at);
        let charges = |of_item: &[Suspect]| of_item.iter().map(|it| it.charge).collect();
        of_item.filter_map(|it| Some(Self { at: it.first()?.at, charges: charges(it) })).collect()
    }
}

/// What is wrong with the suspects of a group.
#[derive(Default)]
struct Described {
    findings: BTreeMap<Location, Vec<Finding>>,
    duplicates: Vec<Problem>,
}

impl Described {
    /// Adds the findings about an item. It has at least the attributes that its charges are about.
    fn add(&mut self, rules: &Rules, suspect: &Accused, table: TableId, item: &Item<'_>) {
        // The first reading has reported an item without a valid key.
        if let Ok(key) = rules[table].key.key_of(item) {
            let found = findings(rules, table, &key, item, &suspect.charges);
            self.findings.insert(suspect.at, found);
        }
    }

    /// Whether an item still has to be described.
    fn lacks(&self, suspect: &Accused) -> bool {
        let is_duplicate_only = suspect.charges == [Charge::Duplicate];
        !is_duplicate_only && !self.findings.contains_key(&suspect.at)
    }
}

/// The rows of a chunk that cannot be used.
#[derive(Default)]
pub(super) struct BadRows {
    first: Vec<(u32, String)>,
    count: usize,
}

impl BadRows {
    pub(super) fn add(&mut self, row: u32, error: String) {
        self.count += 1;
        if self.first.len() < PROBLEMS_MAX {
            self.first.push((row, error));
        }
    }

    pub(super) fn problems(self, chunk: &str) -> impl Iterator<Item = Problem> {
        let more = self.count - self.first.len();
        let more = (more > 0).then(|| Problem {
            place: chunk.to_owned(),
            error: format!("has {more} more items with problems"),
            help: None,
        });
        let of_row = |(row, error)| Problem {
            place: chunk.to_owned(),
            error: format!("has a bad item {row}: {error}"),
            help: None,
        };
        self.first.into_iter().map(of_row).collect::<Vec<_>>().into_iter().chain(more)
    }
}

#[cfg(test)]
mod tests;

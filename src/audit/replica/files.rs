//! Compares dumps and exports: files that do not change.
//!
//! The first pass reads all items and compares their hashes. The second one reads those again that
//! are different, because only the items show which attributes differ.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::content::{Content, ContentHasher, differing};
use super::records::{Record, RecordWriter, Records, key_of, sorted};
use super::{Concerns, Difference, Kind, Side, Sides};
use crate::audit::archive::{Archive, Problem, Row, Stop};
use crate::audit::fact::Location;
use crate::audit::raw_item::RawItem;
use crate::audit::run::{BadRows, Options, unwritable};
use crate::audit::spill::{PARTITIONS, Spill};
use crate::audit::threads::on_threads;
use crate::data::{Item, Key};
use crate::integrity::index::Projection;
use crate::rules::model::Rules;

/// What a comparison has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The items of each table.
    pub items: Sides<Vec<u64>>,
    /// Why the comparison is incomplete; nothing if it is complete.
    pub problems: Vec<Problem>,
}

/// Compares two archives. Passes each difference on, in an order that depends only on the items.
///
/// `concerns` says which keys are compared.
///
/// # Errors
///
/// Fails if a temporary file cannot be used, or if `each` fails.
pub fn compare(
    rules: &Rules,
    archives: Sides<&dyn Archive>,
    options: &Options,
    concerns: Concerns<'_>,
    mut each: impl FnMut(Difference) -> Result<(), Stop>,
) -> Result<Compared, Stop> {
    let run = Run { rules, archives, options, concerns };
    let records = Records::new(&options.temporary, options.memory_bytes_max);
    let (items, mut problems) = run.read(&records)?;
    let changed = run.compare(records, &mut problems, &mut each)?;
    run.describe(&changed, &mut each)?;
    problems.sort();
    Ok(Compared { items, problems })
}

#[derive(Clone, Copy)]
struct Run<'r> {
    rules: &'r Rules,
    archives: Sides<&'r dyn Archive>,
    options: &'r Options,
    concerns: Concerns<'r>,
}

/// The locations of items that are different, in groups of chunks.
type Changed = Sides<Spill>;

/// The problems of the rows of each chunk.
type BadChunks = BTreeMap<(Side, u32), BadRows>;

impl Run<'_> {
    /// Reads every item of both sides. Returns how many there are in each table, and the problems.
    fn read(self, records: &Records) -> Result<(Sides<Vec<u64>>, Vec<Problem>), Stop> {
        let next = AtomicU32::new(0);
        let of_original = self.archives.original.chunks();
        let chunks = of_original.saturating_add(self.archives.replica.chunks());
        let work = || {
            let mut reader = Reader::new(self, records);
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= chunks {
                    return reader.finish();
                }
                match chunk.checked_sub(of_original) {
                    None => reader.read(Side::Original, chunk)?,
                    Some(chunk) => reader.read(Side::Replica, chunk)?,
                }
            }
        };
        let mut items = self.archives.map(|_| vec![0; self.rules.tables.len()]);
        let mut problems = self.archives.original.problems();
        problems.extend(self.archives.replica.problems());
        for done in on_threads(self.options.threads, work) {
            let (of_thread, mut found) = done?;
            for side in [Side::Original, Side::Replica] {
                let counts = items.of_mut(side).iter_mut().zip(of_thread.of(side));
                counts.for_each(|(count, more)| *count += more);
            }
            problems.append(&mut found);
        }
        Ok((items, problems))
    }

    /// Compares the records. Returns where the items are that are different.
    fn compare(
        self,
        records: Records,
        problems: &mut Vec<Problem>,
        each: &mut impl FnMut(Difference) -> Result<(), Stop>,
    ) -> Result<Changed, Stop> {
        let changed =
            self.archives.map(|_| Spill::new(&self.options.temporary, PARTITIONS * 16 * 1024));
        let mut out =
            Sides { original: changed.original.writer(), replica: changed.replica.writer() };
        let mut duplicates = BadChunks::new();
        let mut partitions = records.partitions();
        while let Some(blocks) = partitions.next().map_err(|error| unwritable(&error))? {
            for of_key in sorted(&blocks).chunk_by(|one, other| one.key == other.key) {
                let seen = seen(of_key, &mut duplicates);
                let kind = match (seen.original, seen.replica) {
                    (Some((_, one)), Some((_, other))) if one == other => continue,
                    (Some((original, _)), Some((replica, _))) => {
                        for (side, at) in [(Side::Original, original), (Side::Replica, replica)] {
                            let group = group_of(at.chunk, self.archives.of(side).chunks());
                            out.of_mut(side)
                                .add(group, |block| block.extend(encode(at)))
                                .map_err(|error| unwritable(&error))?;
                        }
                        continue;
                    }
                    (Some(_), None) => Kind::Missing,
                    (None, Some(_)) => Kind::Extra,
                    (None, None) => continue,
                };
                let key = of_key.first().copied().and_then(key_of);
                if let Some((table, key)) = key {
                    each(Difference { table, key, kind })?;
                }
            }
        }
        for writer in [out.original, out.replica] {
            writer.finish().map_err(|error| unwritable(&error))?;
        }
        for ((side, chunk), rows) in duplicates {
            problems.extend(rows.problems(&self.archives.of(side).name(chunk)));
        }
        Ok(changed)
    }

    /// Reads the items that are different again, and passes on which of their attributes are.
    fn describe(
        self,
        changed: &Changed,
        each: &mut impl FnMut(Difference) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let records = Records::new(&self.options.temporary, self.options.memory_bytes_max);
        for side in [Side::Original, Side::Replica] {
            let groups: Vec<usize> =
                (0..PARTITIONS).filter(|group| changed.of(side).bytes(*group) > 0).collect();
            let next = Mutex::new(groups.into_iter());
            let work = || {
                let mut writer = records.writer();
                loop {
                    let group = next.lock().ok().and_then(|mut next| next.next());
                    let Some(group) = group else {
                        return writer.finish().map_err(|error| unwritable(&error));
                    };
                    let blocks =
                        changed.of(side).take(group).map_err(|error| unwritable(&error))?;
                    self.read_again(side, &locations(&blocks), &mut writer)?;
                }
            };
            on_threads(self.options.threads, work).into_iter().collect::<Result<(), Stop>>()?;
        }
        let mut partitions = records.partitions();
        while let Some(blocks) = partitions.next().map_err(|error| unwritable(&error))? {
            for of_key in sorted(&blocks).chunk_by(|one, other| one.key == other.key) {
                let [original, .., replica] = of_key else { continue };
                let named = key_of(*original);
                let attributes = differing(attributes(original), attributes(replica));
                if let Some((table, key)) = named {
                    each(Difference { table, key, kind: Kind::Different { attributes } })?;
                }
            }
        }
        Ok(())
    }

    /// Reads the items at these locations, and writes the hashes of their attributes.
    fn read_again(
        self,
        side: Side,
        at: &[Location],
        out: &mut RecordWriter<'_>,
    ) -> Result<(), Stop> {
        let archive = self.archives.of(side);
        let mut hasher = ContentHasher::default();
        for of_chunk in at.chunk_by(|one, other| one.chunk == other.chunk) {
            let Some(Location { chunk, .. }) = of_chunk.first() else { continue };
            let mut wanted = of_chunk.iter().map(|at| at.row).peekable();
            let mut each = |row: Row<'_>| {
                if wanted.next_if_eq(&row.row).is_none() {
                    return Ok(());
                }
                // The first pass has reported an item that cannot be read.
                let Ok((key, item)) = decode(self.rules, row) else { return Ok(()) };
                out.add(side, (row.table, &key), |block| {
                    for (name, content) in hasher.attributes(&item) {
                        block.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
                        block.extend_from_slice(name.as_bytes());
                        block.extend(content.to_bytes());
                    }
                })
                .map_err(|error| unwritable(&error))
            };
            archive.read(*chunk, &mut each, &mut |_| {})?;
        }
        Ok(())
    }
}

/// What one thread reads.
struct Reader<'r, 'w> {
    run: Run<'r>,
    records: RecordWriter<'w>,
    hasher: ContentHasher,
    items: Sides<Vec<u64>>,
    problems: Vec<Problem>,
}

impl<'r, 'w> Reader<'r, 'w> {
    fn new(run: Run<'r>, records: &'w Records) -> Self {
        let items = run.archives.map(|_| vec![0; run.rules.tables.len()]);
        let (records, hasher) = (records.writer(), ContentHasher::default());
        Self { run, records, hasher, items, problems: Vec::new() }
    }

    /// Reads a chunk.
    fn read(&mut self, side: Side, chunk: u32) -> Result<(), Stop> {
        let Self { run, records, hasher, items, problems } = self;
        let items = items.of_mut(side);
        let mut bad_rows = BadRows::default();
        let mut each = |row: Row<'_>| {
            let (key, item) = match decode(run.rules, row) {
                Ok(decoded) => decoded,
                Err(error) => {
                    bad_rows.add(row.row, error);
                    return Ok(());
                }
            };
            if !(run.concerns)(row.table, &key) {
                return Ok(());
            }
            if let Some(count) = items.get_mut(row.table.0) {
                *count += 1;
            }
            let content = hasher.item(&item);
            let at = encode(Location { chunk, row: row.row });
            let added = records.add(side, (row.table, &key), |block| {
                block.extend(at);
                block.extend(content.to_bytes());
            });
            added.map_err(|error| unwritable(&error))
        };
        let archive = run.archives.of(side);
        archive.read(chunk, &mut each, &mut |problem| problems.push(problem))?;
        problems.extend(bad_rows.problems(&archive.name(chunk)));
        Ok(())
    }

    fn finish(self) -> Result<(Sides<Vec<u64>>, Vec<Problem>), Stop> {
        self.records.finish().map_err(|error| unwritable(&error))?;
        Ok((self.items, self.problems))
    }
}

/// What the records of one key say about each side.
type Seen = Sides<Option<(Location, Content)>>;

/// Reads the records of one key. A second one of the same side is a duplicate.
fn seen(records: &[Record<'_>], duplicates: &mut BadChunks) -> Seen {
    let mut seen = Seen::default();
    for record in records {
        let Some((at, content)) = decode_payload(record.payload) else { continue };
        let of_side = seen.of_mut(record.side);
        if of_side.is_none() {
            *of_side = Some((at, content));
        } else {
            let error = "there is another item with its key; files of several exports may be mixed";
            duplicates.entry((record.side, at.chunk)).or_default().add(at.row, error.to_owned());
        }
    }
    seen
}

fn decode<'t>(rules: &Rules, row: Row<'t>) -> Result<(Key<'t>, Item<'t>), String> {
    let raw = RawItem::parse(row.text)?;
    Ok((raw.key(&rules[row.table].key)?, raw.attributes(&Projection::All)?))
}

/// The group of a chunk: the chunks of a group follow each other.
fn group_of(chunk: u32, chunks: u32) -> usize {
    let group = u64::from(chunk) * PARTITIONS as u64 / u64::from(chunks.max(1));
    usize::try_from(group).unwrap_or(0).min(PARTITIONS - 1)
}

/// The length of an encoded location, in bytes.
const LOCATION_BYTES: usize = 8;

fn encode(at: Location) -> [u8; LOCATION_BYTES] {
    (u64::from(at.chunk) << 32 | u64::from(at.row)).to_be_bytes()
}

fn decode_location(bytes: [u8; LOCATION_BYTES]) -> Location {
    let both = u64::from_be_bytes(bytes);
    let part = |part: u64| u32::try_from(part & u64::from(u32::MAX)).unwrap_or_default();
    Location { chunk: part(both >> 32), row: part(both) }
}

/// The locations in these blocks, sorted.
fn locations(blocks: &[Vec<u8>]) -> Vec<Location> {
    let chunks = blocks.iter().flat_map(|block| block.as_chunks::<LOCATION_BYTES>().0);
    let mut at: Vec<_> = chunks.map(|bytes| decode_location(*bytes)).collect();
    at.sort_unstable();
    at
}

fn decode_payload(payload: &[u8]) -> Option<(Location, Content)> {
    let (at, rest) = payload.split_first_chunk()?;
    Some((decode_location(*at), Content::from_bytes(*rest.first_chunk()?)))
}

/// The attributes in a record of the second pass.
fn attributes<'b>(record: &Record<'b>) -> impl Iterator<Item = (&'b str, Content)> + use<'b> {
    let mut rest = record.payload;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (name, after) = after.split_at_checked(length)?;
        let (content, after) = after.split_first_chunk()?;
        rest = after;
        Some((std::str::from_utf8(name).ok()?, Content::from_bytes(*content)))
    })
}

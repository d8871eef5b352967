//! The records of both sides, by key, in bounded memory.
//!
//! They are partitioned by the hash of their key, and a partition that is too large for memory is
//! divided again. Each partition is then sorted, so that the records of a key follow each other.

use std::io;
use std::path::Path;

use twox_hash::XxHash3_64;

use super::Side;
use crate::audit::live::log::{decode_key, encode_key};
use crate::audit::spill::{PARTITIONS, Spill, Writer};
use crate::data::Key;
use crate::rules::model::TableId;

/// The length at which a partition is divided instead of being loaded into memory, in bytes.
const PARTITION_BYTES_MAX: usize = 24 << 20;
/// How often a partition may be divided. After that, its keys are equal.
const DIVISIONS_MAX: usize = 6;

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record<'b> {
    /// The table and the key, encoded.
    pub(super) key: &'b [u8],
    pub(super) side: Side,
    /// What the item says, in a form that the user of the records knows.
    pub(super) payload: &'b [u8],
}

/// Records, to be compared once all are written.
#[derive(Debug)]
pub(super) struct Records {
    spill: Spill,
    partition_bytes_max: usize,
}

impl Records {
    /// Keeps up to this many bytes in memory, and writes more to a temporary file in this folder.
    pub(super) fn new(folder: &Path, memory_bytes_max: usize) -> Self {
        let spill = Spill::new(folder, memory_bytes_max);
        Self { spill, partition_bytes_max: PARTITION_BYTES_MAX }
    }

    /// A writer for one thread.
    pub(super) fn writer(&self) -> RecordWriter<'_> {
        RecordWriter { writer: self.spill.writer(), key: Vec::new() }
    }

    /// The records, partition by partition.
    pub(super) fn partitions(self) -> Partitions {
        let Self { spill, partition_bytes_max } = self;
        Partitions { stack: vec![Level { spill, next: 0 }], partition_bytes_max }
    }
}

/// Writes records.
#[derive(Debug)]
pub(super) struct RecordWriter<'r> {
    writer: Writer<'r>,
    key: Vec<u8>,
}

impl RecordWriter<'_> {
    /// Adds a record of a key. `payload` appends what the item says.
    pub(super) fn add(
        &mut self,
        side: Side,
        (table, key): (TableId, &Key<'_>),
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        self.key.clear();
        self.key.extend(u16::try_from(table.0).unwrap_or(u16::MAX).to_le_bytes());
        encode_key(key, &mut self.key);
        let key = &self.key;
        self.writer.add(partition_of(key, 0), |block| {
            let start = block.len();
            block.extend([0; 4]);
            block.push(u8::from(side == Side::Replica));
            // A key has at most 3 KB.
            block.extend(u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
            block.extend_from_slice(key);
            payload(block);
            let length = u32::try_from(block.len() - start - 4).unwrap_or(u32::MAX);
            if let Some(place) = block.get_mut(start..start + 4) {
                place.copy_from_slice(&length.to_le_bytes());
            }
        })
    }

    /// Passes all records on. A writer that is dropped without this has lost records.
    pub(super) fn finish(self) -> io::Result<()> {
        self.writer.finish()
    }
}

/// The partition of a key after this many divisions.
fn partition_of(key: &[u8], divisions: usize) -> usize {
    let hash = XxHash3_64::oneshot(key).to_le_bytes();
    hash.get(divisions).copied().map_or(0, usize::from)
}

/// Goes through the partitions, and divides those that are too large.
#[derive(Debug)]
pub(super) struct Partitions {
    stack: Vec<Level>,
    partition_bytes_max: usize,
}

/// The parts of one partition, or all partitions.
#[derive(Debug)]
struct Level {
    spill: Spill,
    next: usize,
}

impl Partitions {
    /// The blocks of the next partition; `None` at the end. No partition is empty.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        loop {
            let divisions = self.stack.len();
            let Some(Level { spill, next }) = self.stack.last_mut() else { return Ok(None) };
            if *next == PARTITIONS {
                self.stack.pop();
                continue;
            }
            let partition = *next;
            *next += 1;
            let bytes = spill.bytes(partition);
            if bytes == 0 {
                continue;
            }
            if bytes <= self.partition_bytes_max || divisions > DIVISIONS_MAX {
                return spill.take(partition).map(Some);
            }
            let divided = divide(spill, partition, divisions)?;
            self.stack.push(Level { spill: divided, next: 0 });
        }
    }
}

/// Divides a partition. It is read block by block.
fn divide(spill: &Spill, partition: usize, divisions: usize) -> io::Result<Spill> {
    let divided = spill.divided();
    let mut out = divided.writer();
    spill.take_each(partition, |block| {
        for (bytes, record) in records(&block) {
            out.add(partition_of(record.key, divisions), |block| block.extend_from_slice(bytes))?;
        }
        Ok(())
    })?;
    out.finish()?;
    Ok(divided)
}

/// The records of a partition. Those of a key follow each other, the original's first.
pub(super) fn sorted(blocks: &[Vec<u8>]) -> Vec<Record<'_>> {
    let mut all: Vec<_> =
        blocks.iter().flat_map(|block| records(block)).map(|(_, record)| record).collect();
    all.sort_unstable();
    all
}

/// The records of a block, each with its bytes.
fn records(block: &[u8]) -> impl Iterator<Item = (&[u8], Record<'_>)> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (bytes, next) = rest.split_at_checked(length + 4)?;
        rest = next;
        let (side, body) = after.get(..length)?.split_first()?;
        let (key, body) = body.split_first_chunk()?;
        let (key, payload) = body.split_at_checked(usize::from(u16::from_le_bytes(*key)))?;
        let side = if *side == 0 { Side::Original } else { Side::Replica };
        Some((bytes, Record { key, side, payload }))
    })
}

/// The table and the key of a record; `None` if its key is not one.
pub(super) fn key_of(record: Record<'_>) -> Option<(TableId, Key<'static>)> {
    let (table, mut key) = record.key.split_first_chunk()?;
    let key = decode_key(&mut key)?.into_owned();
    Some((TableId(usize::from(u16::from_le_bytes(*table))), key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::KeyValue;

    fn key(number: usize) -> Key<'static> {
        Key { partition: KeyValue::S(format!("key{number}").into()), sort: None }
    }

    #[test]
    fn the_records_of_a_key_follow_each_other_however_small_the_memory() {
        for (memory_bytes_max, partition_bytes_max) in
            [(usize::MAX, usize::MAX), (10_000, 400), (0, 100), (0, 1)]
        {
            let records = Records {
                partition_bytes_max,
                ..Records::new(&std::env::temp_dir(), memory_bytes_max)
            };
            let mut writer = records.writer();
            for number in 0..1_000_usize {
                for side in [Side::Replica, Side::Original] {
                    let payload = |block: &mut Vec<u8>| block.extend(number.to_le_bytes());
                    writer.add(side, (TableId(number % 2), &key(number)), payload).unwrap();
                }
            }
            writer.finish().unwrap();
            let mut partitions = records.partitions();
            let mut found = Vec::new();
            while let Some(blocks) = partitions.next().unwrap() {
                for group in sorted(&blocks).chunk_by(|one, other| one.key == other.key) {
                    let [one, other] = group else { panic!("{group:?}") };
                    assert_eq!((one.side, other.side), (Side::Original, Side::Replica));
                    assert_eq!(one.payload, other.payload);
                    let number = usize::from_le_bytes(one.payload.try_into().unwrap());
                    assert_eq!(key_of(*one), Some((TableId(number % 2), key(number))));
                    found.push(number);
                }
            }
            found.sort_unstable();
            assert!(found.into_iter().eq(0..1_000), "{memory_bytes_max} {partition_bytes_max}");
        }
    }
}

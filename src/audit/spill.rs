//! Records in partitions, in bounded memory: what does not fit is written to a temporary file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of partitions.
pub(super) const PARTITIONS: usize = 256;

/// The length of a block, in bytes. Each writer has one unfinished block for each partition.
const BLOCK_BYTES: usize = 16 * 1024;

/// Records in [`PARTITIONS`] partitions. Many threads may write; each partition is then read as a
/// whole.
#[derive(Debug)]
pub(super) struct Spill {
    state: Mutex<State>,
    folder: PathBuf,
    memory_bytes_max: usize,
}

#[derive(Debug)]
struct State {
    partitions: Vec<Partition>,
    bytes_in_memory: usize,
    /// The temporary file and its length. It has no name, so that nothing is left behind if the
    /// process is killed.
    file: Option<(File, u64)>,
}

/// The blocks of a partition.
#[derive(Debug, Default)]
struct Partition {
    blocks: Vec<Vec<u8>>,
    /// The position and length of each block in the file.
    spilled: Vec<(u64, usize)>,
    bytes: usize,
}

impl Spill {
    /// Keeps up to this many bytes of records in memory, and writes more to a temporary file in
    /// this folder.
    pub(super) fn new(folder: &Path, memory_bytes_max: usize) -> Self {
        let partitions = std::iter::repeat_with(Partition::default).take(PARTITIONS).collect();
        let state = State { partitions, bytes_in_memory: 0, file: None };
        Self { state: Mutex::new(state), folder: folder.to_owned(), memory_bytes_max }
    }

    /// An empty spill for a part of these records. It keeps nothing in memory.
    pub(super) fn divided(&self) -> Self {
        Self::new(&self.folder, 0)
    }

    /// A writer for one thread.
    pub(super) fn writer(&self) -> Writer<'_> {
        let blocks = std::iter::repeat_with(Vec::new).take(PARTITIONS).collect();
        Writer { spill: self, blocks }
    }

    /// The length of a partition's records, in bytes.
    pub(super) fn bytes(&self, partition: usize) -> usize {
        self.lock().partitions.get(partition).map_or(0, |partition| partition.bytes)
    }

    /// Removes a partition's records and returns them.
    pub(super) fn take(&self, partition: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut blocks = Vec::new();
        self.take_each(partition, |block| {
            blocks.push(block);
            Ok(())
        })?;
        Ok(blocks)
    }

    /// Removes a partition's records and passes them on, block by block: a partition may be larger
    /// than the memory.
    pub(super) fn take_each(
        &self,
        partition: usize,
        mut each: impl FnMut(Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (Partition { blocks, spilled, .. }, file) = {
            let mut state = self.lock();
            let taken = state.partitions.get_mut(partition).map(std::mem::take).unwrap_or_default();
            let freed: usize = taken.blocks.iter().map(Vec::len).sum();
            state.bytes_in_memory = state.bytes_in_memory.saturating_sub(freed);
            let file = state.file.as_ref().map(|(file, _)| file.try_clone()).transpose()?;
            (taken, file)
        };
        blocks.into_iter().try_for_each(&mut each)?;
        for (position, length) in spilled {
            let mut block = vec![0; length];
            if let Some(file) = &file {
                file.read_exact_at(&mut block, position)?;
            }
            each(block)?;
        }
        Ok(())
    }

    fn add(&self, partition: usize, block: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        let fits = state.bytes_in_memory + block.len() <= self.memory_bytes_max;
        let place = if fits { None } else { Some(state.append(&block, &self.folder)?) };
        let length = block.len();
        if fits {
            state.bytes_in_memory += length;
        }
        if let Some(partition) = state.partitions.get_mut(partition) {
            partition.bytes += length;
            match place {
                Some(position) => partition.spilled.push((position, length)),
                None => partition.blocks.push(block),
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has not left a record half-written: blocks are added whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Appends a block to the file and returns its position.
    fn append(&mut self, block: &[u8], folder: &Path) -> io::Result<u64> {
        if self.file.is_none() {
            self.file = Some((tempfile::tempfile_in(folder)?, 0));
        }
        let Some((file, length)) = &mut self.file else { return Ok(0) };
        let position = *length;
        file.write_all_at(block, position)?;
        *length += block.len() as u64;
        Ok(position)
    }
}

/// Writes records to the partitions of a [`Spill`].
#[derive(Debug)]
pub(super) struct Writer<'s> {
    spill: &'s Spill,
    blocks: Vec<Vec<u8>>,
}

impl Writer<'_> {
    /// Adds a record to a partition. `encode` appends it to a block.
    #[inline]
    pub(super) fn add(
        &mut self,
        partition: usize,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        let Some(block) = self.blocks.get_mut(partition) else { return Ok(()) };
        if block.capacity() == 0 {
            block.reserve(BLOCK_BYTES);
        }
        encode(block);
        // No record is longer than this.
        if block.len() + 64 > BLOCK_BYTES {
            self.spill.add(partition, std::mem::take(block))?;
        }
        Ok(())
    }

    /// Adds a record that is already encoded to a partition. It has at most 16 KB.
    pub(super) fn add_bytes(&mut self, partition: usize, record: &[u8]) -> io::Result<()> {
        let Some(block) = self.blocks.get_mut(partition) else { return Ok(()) };
        if block.len() + record.len() > BLOCK_BYTES {
            self.spill.add(partition, std::mem::take(block))?;
        }
        if block.capacity() == 0 {
            block.reserve(BLOCK_BYTES);
        }
        block.extend_from_slice(record);
        Ok(())
    }

    /// Passes all records on. A writer that is dropped without this has lost records.
    pub(super) fn finish(self) -> io::Result<()> {
        for (partition, mut block) in self.blocks.into_iter().enumerate() {
            if !block.is_empty() {
                block.shrink_to_fit();
                self.spill.add(partition, block)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spill: &Spill, partition: usize) -> Vec<u64> {
        let blocks = spill.take(partition).unwrap();
        let mut records: Vec<u64> = blocks
            .iter()
            .flat_map(|block| block.chunks_exact(8))
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        records.sort_unstable();
        records
    }

    #[test]
    fn every_record_is_read_once_with_and_without_a_file() {
        for memory_bytes_max in [usize::MAX, 100_000, 0] {
            let spill = Spill::new(&std::env::temp_dir(), memory_bytes_max);
            std::thread::scope(|scope| {
                for thread in 0..4_u64 {
                    let spill = &spill;
                    scope.spawn(move || {
                        let mut writer = spill.writer();
                        for record in (thread..40_000).step_by(4) {
                            let bytes = record.to_le_bytes();
                            let partition = (record % 7) as usize;
                            writer.add(partition, |block| block.extend(bytes)).unwrap();
                        }
                        writer.finish().unwrap();
                    });
                }
            });
            assert_eq!(spill.lock().file.is_some(), memory_bytes_max < 300_000);
            for partition in 0..8 {
                let expected: Vec<u64> =
                    (0..40_000).filter(|record| record % 7 == partition).collect();
                let partition = usize::try_from(partition).unwrap();
                assert_eq!(spill.bytes(partition), expected.len() * 8);
                assert_eq!(read(&spill, partition), expected);
            }
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let spill = Spill::new(Path::new("/nowhere/at/all"), 0);
        let mut writer = spill.writer();
        writer.add(0, |block| block.push(1)).unwrap();
        assert!(writer.finish().is_err());
    }
}

//! A large export or table of realistic items, with a known number of violations.
//!
//! The same count of items and the same seed give the same bytes, whatever the number of threads.

#![expect(clippy::cast_possible_truncation, reason = "the numbers are below the lengths of lists")]

mod item;
mod random;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use self::item::Items;
use crate::export::{DataFile, Export};
use crate::oracle::MARK;

/// The rules of the sample.
pub const RULES: &str = include_str!("referee.yaml");

/// The violations, and how many of each there are, by rule and kind. An item that matches no entity has no
/// rule.
pub type Planted = BTreeMap<(&'static str, &'static str), u64>;

/// The minimum count of items: there is at least one violation of each kind.
pub const ITEMS_MIN: u64 = 1_000;

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The count of items, at least [`ITEMS_MIN`].
    pub items: u64,
    /// The count of data files: one for each partition.
    pub files: usize,
    pub seed: u64,
}

impl Sample {
    pub fn new(items: u64) -> Self {
        Self { items, files: 16, seed: 1 }
    }

    /// Writes `referee.yaml` and the export into a folder, and returns the export's folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        assert!(self.items >= ITEMS_MIN, "the minimum is {ITEMS_MIN} items");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("referee.yaml"), RULES).unwrap();
        let export = Export::full("shop", "01763625600000-5a3d1e00", "2026-11-20T08:00:00.000Z");
        export.write(folder, &self.data_files())
    }

    /// The violations in it.
    pub fn planted(&self) -> Planted {
        Items::new(self.items, self.seed).planted()
    }

    /// The items in DynamoDB JSON, without those that only Referee writes: in half of the teams, the
    /// application has written mirrors itself, without marks, and in the others there are none.
    pub fn before_referee(&self) -> impl Iterator<Item = Value> {
        assert!(self.items >= ITEMS_MIN, "the minimum is {ITEMS_MIN} items");
        let items = Items::new(self.items, self.seed);
        (0..self.items).filter_map(move |index| {
            let mut line = Vec::new();
            items.write(index, &mut line);
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            let item = line["Item"].as_object_mut().unwrap();
            item.remove(MARK);
            let team = item["sk"]["S"].as_str().unwrap().strip_prefix("team#");
            let number = team.map(|team| team.rsplit('-').next().unwrap().parse::<u64>().unwrap());
            let is_written = number.is_none_or(|number| number.is_multiple_of(2));
            is_written.then(|| line["Item"].take())
        })
    }

    /// The lines of all data files, for tests.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let items = Items::new(self.items, self.seed);
        let lines = |indexes: Vec<u64>| {
            let line = |index: u64| {
                let mut line = Vec::new();
                items.write(index, &mut line);
                String::from_utf8(line).unwrap()
            };
            indexes.into_iter().map(line).collect()
        };
        self.partitions(&items).into_iter().map(lines).collect()
    }

    /// The indexes of the items in each file. DynamoDB's files are in the order of the hashes of
    /// the partition keys, in which neighbours have nothing in common.
    fn partitions(&self, items: &Items) -> Vec<Vec<u64>> {
        let mut files = vec![Vec::new(); self.files];
        for index in 0..self.items {
            let hash = items.partition(index);
            files[(hash % self.files as u64) as usize].push((hash, index));
        }
        let indexes = |mut file: Vec<(u64, u64)>| {
            file.sort_unstable();
            file.into_iter().map(|(_, index)| index).collect()
        };
        files.into_iter().map(indexes).collect()
    }

    fn data_files(&self) -> Vec<DataFile> {
        let items = Items::new(self.items, self.seed);
        let partitions = self.partitions(&items);
        let next = AtomicUsize::new(0);
        let written = Mutex::new(BTreeMap::new());
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(indexes) = partitions.get(index) else { return };
                let file = data_file(&items, indexes);
                written.lock().unwrap().insert(index, file);
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        written.into_inner().unwrap().into_values().collect()
    }
}

fn data_file(items: &Items, indexes: &[u64]) -> DataFile {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut line = Vec::new();
    for index in indexes {
        line.clear();
        items.write(*index, &mut line);
        line.push(b'\n');
        encoder.write_all(&line).unwrap();
    }
    DataFile { items: indexes.len() as u64, bytes: encoder.finish().unwrap() }
}

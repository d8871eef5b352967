//! Data files in every form.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use kit::export::{DataFile, Export, gzip, item_line};
use referee::audit::export::{
    Disk, Entry, ObjectError, Objects, Place, RowError, Source, TableExport, open,
};
use serde_json::Value as Json;

use crate::world::{Bucket, TIME, by_key, read_table, rules, user};

fn table(bucket: &Bucket, files: &[DataFile]) -> TableExport {
    let folder = Export::full("app", "01", TIME).write(bucket.path(), files);
    bucket.open(&[&folder]).unwrap().pop().unwrap().prepare(1).unwrap()
}

fn users(range: std::ops::Range<usize>) -> Vec<Json> {
    range.map(|number| user(&number.to_string(), "x")).collect()
}

#[test]
fn members_empty_files_and_long_lines_are_read() {
    let bucket = Bucket::new();
    let items = users(0..4);
    let line = |index: usize| item_line(&items[index]);
    let two_members =
        [gzip(format!("{}\n", line(0)).as_bytes()), gzip(line(1).as_bytes())].concat();
    let empty_member = [gzip(b""), gzip(line(2).as_bytes()), gzip(b"")].concat();
    // An item of 400 KB in which each byte is written as an escape.
    let mut long = items[3].clone();
    long["is"] = serde_json::json!({ "S": "\u{1}".repeat(400 * 1024) });
    let files = [
        DataFile { items: 2, bytes: two_members },
        DataFile { items: 1, bytes: empty_member },
        DataFile::new(&[]),
        DataFile { items: 1, bytes: gzip(item_line(&long).as_bytes()) },
    ];
    let (found, problems) = read_table(&table(&bucket, &files));
    assert_eq!(problems, []);
    assert_eq!(found, by_key(items[..3].iter().cloned().chain([long])));
}

#[test]
fn an_empty_file_has_20_bytes() {
    assert_eq!(DataFile::new(&[]).bytes.len(), 20);
}

#[test]
fn files_are_read_by_several_threads() {
    let bucket = Bucket::new();
    let items = users(0..4_000);
    let file = |items: &[Json]| DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>());
    let table = table(&bucket, &items.chunks(500).map(file).collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for file in 0..8 {
            let (table, found) = (&table, &found);
            scope.spawn(move || {
                let checked = table
                    .read(file, |row, item| {
                        let item = serde_json::from_slice(item).unwrap();
                        found.lock().unwrap().push(((file, row), item));
                        Ok(())
                    })
                    .unwrap();
                assert_eq!((checked.rows, checked.problems), (500, vec![]));
                assert!(checked.has_etag);
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(location, _)| *location);
    assert_eq!(found.into_iter().map(|(_, item)| item).collect::<Vec<Json>>(), items);
}

#[test]
fn chosen_rows_are_read_again() {
    let bucket = Bucket::new();
    let items = users(0..5_000);
    let table = table(&bucket, &[DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>())]);
    let mut found = Vec::new();
    let rows = [0, 7, 8, 2_500];
    table
        .read_rows(0, &rows, |row, item| {
            found.push((row, serde_json::from_slice::<Json>(item).unwrap()));
            Ok(())
        })
        .unwrap();
    assert_eq!(found, rows.map(|row| (row, items[row as usize].clone())));
}

#[test]
fn nothing_is_read_after_the_last_chosen_row() {
    let bucket = Bucket::new();
    let mut random = fastrand::Rng::with_seed(1);
    let mut text =
        || std::iter::repeat_with(|| random.alphanumeric()).take(200).collect::<String>();
    let items: Vec<Json> = (0..5_000).map(|number| user(&number.to_string(), &text())).collect();
    let file = DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>());
    let folder = Export::full("app", "01", TIME).write(bucket.path(), std::slice::from_ref(&file));
    let folder = folder.strip_prefix(bucket.path()).unwrap().to_str().unwrap().to_owned();
    let objects = Arc::new(Counted { folder: bucket.path().to_owned(), bytes: Arc::default() });
    let place = Place::S3 { bucket: "exports".to_owned(), key: folder };
    let opened = open(&[place], &rules(), &mut |_| Ok(objects.clone())).unwrap().pop().unwrap();
    let table = opened.prepare(1).unwrap();
    let read = |rows: &[u32]| {
        objects.bytes.store(0, Ordering::Relaxed);
        let mut found = Vec::new();
        let each = |row, _: &[u8]| {
            found.push(row);
            Ok(())
        };
        table.read_rows(0, rows, each).unwrap();
        assert_eq!(found, rows);
        objects.bytes.load(Ordering::Relaxed)
    };
    let whole = file.bytes.len();
    assert!(whole > 600_000, "{whole}");
    // The reader has a buffer.
    assert!(read(&[0, 3]) < whole / 4);
    assert!(read(&[0, 2_500]) < whole * 3 / 4);
    assert_eq!(read(&[4_999]), whole);
}

/// The files of a folder, as if it were a bucket. Counts the bytes that are read of data files.
#[derive(Debug)]
struct Counted {
    folder: PathBuf,
    bytes: Arc<AtomicUsize>,
}

impl Counted {
    fn path(&self, path: &str) -> String {
        self.folder.join(path).to_str().unwrap().to_owned()
    }
}

impl Objects for Counted {
    fn open(&self, path: &str) -> Result<Source, ObjectError> {
        let source = Disk.open(&self.path(path))?;
        let bytes = Arc::clone(&self.bytes);
        Ok(if path.contains("/data/") { Box::new(Counting { source, bytes }) } else { source })
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ObjectError> {
        Disk.list(&self.path(folder))
    }

    fn parent(&self, folder: &str) -> String {
        folder.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default()
    }

    fn address(&self, path: &str) -> String {
        path.to_owned()
    }
}

struct Counting {
    source: Source,
    bytes: Arc<AtomicUsize>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes.fetch_add(count, Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn a_reader_can_stop() {
    let bucket = Bucket::new();
    let items = users(0..100);
    let table = table(&bucket, &[DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>())]);
    let checked =
        table.read(0, |row, _| if row == 9 { Err(RowError::Stop) } else { Ok(()) }).unwrap();
    assert_eq!((checked.is_stopped, checked.rows, checked.problems), (true, 10, vec![]));
}

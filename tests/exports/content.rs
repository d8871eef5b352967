//! Data files in every form.

use std::sync::Mutex;
use std::thread;

use kit::export::{DataFile, Export, gzip, item_line};
use referee::audit::export::{RowError, TableExport};
use serde_json::Value as Json;

use crate::world::{Bucket, TIME, by_key, read_table, user};

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
fn a_reader_can_stop() {
    let bucket = Bucket::new();
    let items = users(0..100);
    let table = table(&bucket, &[DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>())]);
    let checked =
        table.read(0, |row, _| if row == 9 { Err(RowError::Stop) } else { Ok(()) }).unwrap();
    assert_eq!((checked.is_stopped, checked.rows, checked.problems), (true, 10, vec![]));
}

//! Incremental exports on top of a full one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use kit::export::{DataFile, Export, change_line};
use serde_json::{Value as Json, json};

use crate::world::{Bucket, by_key, user};

const BOTH: &str = "NEW_AND_OLD_IMAGES";

/// 08:00 of a day, in microseconds since 1970, and the minutes after it.
fn micros(minutes: u64) -> u64 {
    1_795_161_600_000_000 + minutes * 60_000_000
}

fn time(minutes: u64) -> String {
    format!("2026-11-20T{:02}:{:02}:00.000Z", 8 + minutes / 60, minutes % 60)
}

fn keys(name: &str) -> Json {
    json!({ "pk": { "S": format!("user#{name}") }, "sk": { "S": "profile" } })
}

/// A change of a user to some content, or to nothing.
fn change(minutes: u64, name: &str, content: Option<&str>) -> String {
    let new = content.map(|content| user(name, content));
    change_line(micros(minutes), &keys(name), Some(&user(name, "before")), new.as_ref())
}

/// The same with the view `NEW_IMAGE`.
fn new_image(minutes: u64, name: &str, content: Option<&str>) -> String {
    let new = content.map(|content| user(name, content));
    change_line(micros(minutes), &keys(name), None, new.as_ref())
}

fn write(bucket: &Bucket, from: u64, to: u64, view: &str, files: &[&[String]]) -> PathBuf {
    let files: Vec<_> = files.iter().map(|lines| DataFile::new(lines)).collect();
    let id = format!("02-{from}-{to}");
    Export::incremental("app", &id, &time(from), &time(to), view).write(bucket.path(), &files)
}

fn full(bucket: &Bucket, minutes: u64, items: &[Json]) -> PathBuf {
    bucket.full_of("01", &time(minutes), &[items, &[]])
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(bucket: &Bucket, places: &[&Path], expected: Expect) {
    let text = match bucket.open(places) {
        Ok(_) => bucket.problems(places),
        Err(error) => error,
    };
    expected.assert_eq(&text.replace("/nightly/AWSDynamoDB", ""));
}

#[test]
fn the_newest_version_of_each_item_is_read() {
    for (view, line) in [(BOTH, change as fn(_, _, _) -> _), ("NEW_IMAGE", new_image)] {
        let bucket = Bucket::new();
        let base = full(&bucket, 0, &["ada", "bob", "eve", "zoe"].map(|name| user(name, "full")));
        let first = write(
            &bucket,
            0,
            60,
            view,
            &[
                &[line(5, "ada", Some("first")), line(6, "bob", None)],
                &[line(7, "new", Some("first")), line(8, "zoe", None)],
            ],
        );
        let second = write(
            &bucket,
            60,
            120,
            view,
            &[
                &[line(65, "ada", Some("second"))],
                &[line(66, "new", None), line(67, "zoe", Some("again"))],
            ],
        );
        // In any order.
        for places in [[&base, &first, &second], [&second, &base, &first]] {
            let (items, problems) = bucket.read(&places.map(PathBuf::as_path));
            assert_eq!(problems, []);
            assert_eq!(
                items,
                by_key([user("ada", "second"), user("eve", "full"), user("zoe", "again")])
            );
        }
        let opened = bucket.open(&[&base, &first, &second]).unwrap();
        assert_eq!(opened[0].time().to_string(), "2026-11-20T10:00:00Z");
    }
}

#[test]
fn the_shared_folder_is_found_wherever_it_was_copied() {
    let bucket = Bucket::new();
    let base = full(&bucket, 0, &[user("ada", "full")]);
    let next = write(&bucket, 0, 60, BOTH, &[&[change(5, "ada", Some("first"))]]);
    let copy = bucket.path().join("copy");
    std::fs::rename(bucket.path().join("nightly/AWSDynamoDB"), &copy).unwrap();
    let (base, next) = (copy.join(base.file_name().unwrap()), copy.join(next.file_name().unwrap()));
    assert_eq!(bucket.read(&[&base, &next]), (by_key([user("ada", "first")]), vec![]));
    // Beside the manifest.
    std::fs::rename(copy.join("data"), next.join("data")).unwrap();
    assert_eq!(bucket.read(&[&base, &next]), (by_key([user("ada", "first")]), vec![]));
}

#[test]
fn gaps_and_overlaps_are_reported() {
    let bucket = Bucket::new();
    let base = full(&bucket, 0, &[user("ada", "full")]);
    let gap = write(&bucket, 15, 60, BOTH, &[&[change(20, "ada", Some("first"))]]);
    check(
        &bucket,
        &[&base, &gap],
        expect![[r"
            `…/02-15-60` leaves a gap: no export has the changes from 2026-11-20T08:00:00Z to 2026-11-20T08:15:00Z
            help: pass the incremental exports of this period as well
        "]],
    );
    let overlap = write(&bucket, 45, 75, BOTH, &[&[change(70, "ada", Some("second"))]]);
    check(
        &bucket,
        &[&base, &gap, &overlap],
        expect![[r"
            `…/02-15-60` leaves a gap: no export has the changes from 2026-11-20T08:00:00Z to 2026-11-20T08:15:00Z
            help: pass the incremental exports of this period as well
            `…/02-45-75` begins before 2026-11-20T09:00:00Z, where the export before it ends; it does not show items that were both created and deleted within its time
            help: export again, beginning where the previous export ends
        "]],
    );
    let (items, _) = bucket.read(&[&base, &gap, &overlap]);
    assert_eq!(items, by_key([user("ada", "second")]));
}

#[test]
fn exports_before_the_full_one_are_ignored() {
    let bucket = Bucket::new();
    let base = full(&bucket, 60, &[user("ada", "full")]);
    let before = write(&bucket, 0, 60, BOTH, &[&[change(5, "ada", Some("old"))]]);
    assert_eq!(bucket.read(&[&base, &before]), (by_key([user("ada", "full")]), vec![]));
    let opened = bucket.open(&[&base, &before]).unwrap();
    assert_eq!(opened[0].outdated(), [before.to_str().unwrap()]);
}

#[test]
fn incremental_exports_need_a_full_one() {
    let bucket = Bucket::new();
    let only = write(&bucket, 15, 60, BOTH, &[]);
    check(
        &bucket,
        &[&only],
        expect![[r"
            the exports of table `app` are all incremental
            help: pass the full export that they continue as well, of 2026-11-20T08:15:00Z or later"]],
    );
    let odd = write(&bucket, 60, 15, BOTH, &[]);
    check(
        &bucket,
        &[&odd],
        expect![[r"
            `…/02-60-15/manifest-summary.json` is not a manifest of an export: `exportFromTime` is not before `exportToTime`
            help: copy the file again, or export again"]],
    );
}

#[test]
fn damage_is_reported_once() {
    let bucket = Bucket::new();
    let base = full(&bucket, 0, &[user("ada", "full"), user("bob", "full")]);
    let lines = [change(5, "ada", None), r#"{"Keys":{}}"#.to_owned(), "{".to_owned()];
    let next = write(&bucket, 0, 60, BOTH, &[&lines]);
    let opened = bucket.open(&[&base, &next]).unwrap().pop().unwrap();
    let table = opened.prepare(3).unwrap();
    assert_eq!(table.problems().len(), 1);
    let (items, problems) = bucket.read(&[&base, &next]);
    assert_eq!(problems.len(), 1);
    assert_eq!(items, by_key([user("bob", "full")]));
}

/// A seeded sequence of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Random histories, exported fully at some time and incrementally from then on: what is read is
/// the table at the end.
#[test]
fn a_chain_of_exports_is_the_table_at_its_end() {
    for seed in 0..60 {
        let mut numbers = Numbers(seed);
        let bucket = Bucket::new();
        let mut table = BTreeMap::<String, String>::new();
        let mut places = Vec::new();
        let windows = 1 + numbers.below(4);
        for window in 0..=windows {
            // The newest change of each item in the window, which has an hour.
            let before = table.clone();
            let mut newest = BTreeMap::new();
            let mut minute = 60 * window;
            while minute < 60 * (window + 1) {
                let name = format!("u{}", numbers.below(12));
                if numbers.below(3) == 0 {
                    table.remove(&name);
                } else {
                    table.insert(name.clone(), format!("at {minute}"));
                }
                newest.insert(name, minute);
                minute += 1 + numbers.below(9);
            }
            let end = 60 * (window + 1);
            let items: Vec<Json> =
                table.iter().map(|(name, content)| user(name, content)).collect();
            if window == 0 {
                places.push(full(&bucket, end, &items));
                continue;
            }
            let mut files = [Vec::new(), Vec::new(), Vec::new()];
            for (name, minute) in newest {
                let content = table.get(&name).map(String::as_str);
                // An item that was created and deleted in the window is not exported.
                if content.is_some() || before.contains_key(&name) {
                    let file = usize::try_from(numbers.below(3)).unwrap();
                    files[file].push(change(minute, &name, content));
                }
            }
            let files = files.each_ref().map(Vec::as_slice);
            places.push(write(&bucket, end - 60, end, BOTH, &files));
        }
        let places: Vec<&Path> = places.iter().map(PathBuf::as_path).collect();
        let expected = by_key(table.iter().map(|(name, content)| user(name, content)));
        assert_eq!(bucket.read(&places), (expected, vec![]), "seed {seed}");
    }
}

#[test]
fn chosen_rows_of_a_change_are_its_new_image() {
    let bucket = Bucket::new();
    let base = full(&bucket, 0, &[user("ada", "full")]);
    let lines = [change(5, "ada", Some("first")), change(6, "bob", None)];
    let next = write(&bucket, 0, 60, BOTH, &[&lines]);
    let table = bucket.open(&[&base, &next]).unwrap().pop().unwrap().prepare(1).unwrap();
    let file =
        table.files().iter().position(referee::audit::export::DataFile::is_incremental).unwrap();
    let mut found = Vec::new();
    let each = |row, item: &[u8]| {
        found.push((row, serde_json::from_slice::<Json>(item).unwrap()));
        Ok(())
    };
    table.read_rows(u32::try_from(file).unwrap(), &[0], each).unwrap();
    assert_eq!(found, [(0, user("ada", "first"))]);
}

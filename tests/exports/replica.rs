//! `referee audit --replica` of exports.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use kit::export::{DataFile, Export, change_line};
use kit::transcript::transcript;
use serde_json::json;

use crate::world::{Bucket, RULES, TIME, user};

/// Exports of the same table in two Regions: the second one is a full export and an incremental one
/// that ends at the time of the first.
struct Exports {
    bucket: Bucket,
    other: Bucket,
    original: PathBuf,
    replica: [PathBuf; 2],
}

const EARLIER: &str = "2026-11-20T07:00:00.000Z";
/// 07:30, in microseconds since 1970.
const MICROS: u64 = 1_795_159_800_000_000;

impl Exports {
    fn new() -> Self {
        let (bucket, other) = (Bucket::new(), Bucket::new());
        std::fs::write(bucket.path().join("referee.yaml"), RULES).unwrap();
        let users = ["ann", "bob", "eve", "joe"].map(|name| user(name, "same"));
        let original = bucket.full(&[&users[..2], &users[2..]]);
        // Eve is missing at first, Joe has another content, and Kim is extra.
        let earlier =
            [user("kim", "same"), user("joe", "other"), user("ann", "old"), user("bob", "same")];
        let full = other.full_of("01-full", EARLIER, &[&earlier[..3], &[], &earlier[3..]]);
        let keys = json!({ "pk": { "S": "user#ann" }, "sk": { "S": "profile" } });
        let change = change_line(MICROS, &keys, None, Some(&user("ann", "same")));
        let incremental = Export::incremental("app", "02-inc", EARLIER, TIME, "NEW_IMAGE");
        let incremental = incremental.write(other.path(), &[DataFile::new(&[change])]);
        Self { bucket, other, original, replica: [full, incremental] }
    }

    fn compare(&self, sources: &[&Path], replicas: &[&Path]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.arg("--json").arg("audit").args(sources).current_dir(self.bucket.path());
        for replica in replicas {
            command.arg("--replica").arg(replica);
        }
        let text = self.other.short(&self.bucket.short(&transcript(&mut command)));
        text.replace("/nightly/AWSDynamoDB", "")
    }
}

#[test]
fn what_differs_between_two_exports_is_reported() {
    let exports = Exports::new();
    let [full, incremental] = &exports.replica;
    let text = exports.compare(&[&exports.original], &[full, incremental]);
    expect![[r#"
        exit code 1
        --- stdout
        {"type":"difference","table":"app","key":{"pk":{"S":"user#kim"},"sk":{"S":"profile"}},"kind":"extra"}
        {"type":"difference","table":"app","key":{"pk":{"S":"user#eve"},"sk":{"S":"profile"}},"kind":"missing"}
        {"type":"difference","table":"app","key":{"pk":{"S":"user#joe"},"sk":{"S":"profile"}},"kind":"different","attributes":["is"]}
        {"type":"summary","complete":true,"items":4,"replica_items":4,"missing":1,"extra":1,"different":1,"problems":0,"tables":[{"table":"app","items":4,"replica_items":4,"missing":1,"extra":1,"different":1}]}
        --- stderr
        note: there is no export of table `log`; it is not compared
    "#]].assert_eq(&text);
}

#[test]
fn exports_of_different_times_are_compared_with_a_warning() {
    let exports = Exports::new();
    let text = exports.compare(&[&exports.original], &[&exports.replica[0]]);
    assert!(text.starts_with("exit code 1"), "{text}");
    let (_, stderr) = text.split_once("--- stderr").unwrap();
    expect![[r#"

        note: there is no export of table `log`; it is not compared
        warning: the exports of `app` have different times (2026-11-20T08:00:00Z and 2026-11-20T07:00:00Z); what was written between them is reported as a difference
        help: export both with the same `--export-time`
    "#]].assert_eq(stderr);
}

#[test]
fn a_damaged_export_makes_a_comparison_incomplete() {
    let exports = Exports::new();
    let [full, incremental] = &exports.replica;
    let data = full.join("data");
    let mut files: Vec<_> =
        std::fs::read_dir(data).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_by_key(|file| std::fs::metadata(file).unwrap().len());
    std::fs::remove_file(files.pop().unwrap()).unwrap();
    let text = exports.compare(&[&exports.original], &[full, incremental]);
    assert!(text.starts_with("exit code 3"), "{text}");
    assert!(text.contains(r#""complete":false"#), "{text}");
}

#[test]
fn a_table_that_one_side_leaves_out_is_refused() {
    let exports = Exports::new();
    let log = Export::full("log", "03-log", TIME).write(exports.bucket.path(), &[]);
    let [full, incremental] = &exports.replica;
    let text = exports.compare(&[&exports.original, &log], &[full, incremental]);
    expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--replica` has no export of table `log`, which the other side has
        help: name exports of the same tables on both sides
    "#]]
    .assert_eq(&text);
}

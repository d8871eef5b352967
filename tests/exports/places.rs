//! What an argument may name.

use std::path::Path;

use expect_test::{Expect, expect};
use kit::export::{Export, seal};
use referee::audit::export::Opened;
use serde_json::Value as Json;

use crate::world::{Bucket, TIME, by_key, data_files, open_at, user};

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(bucket: &Bucket, places: &[&Path], expected: Expect) {
    expected.assert_eq(&bucket.open(places).map(|_| ()).unwrap_err());
}

fn edit(path: &Path, edit: impl FnOnce(&mut Json)) {
    let mut json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    edit(&mut json);
    std::fs::write(path, json.to_string()).unwrap();
    seal(path.parent().unwrap());
}

#[test]
fn an_export_is_its_folder_its_summary_or_the_only_one_in_a_folder() {
    let bucket = Bucket::new();
    let items = [user("ada", "x"), user("bob", "y")];
    let folder = bucket.full(&[&items]);
    let with_slash = folder.join("");
    let summary = folder.join("manifest-summary.json");
    let (exports, prefix) =
        (bucket.path().join("nightly/AWSDynamoDB"), bucket.path().join("nightly"));
    for place in [&folder, &with_slash, &summary, &exports, &prefix] {
        assert_eq!(bucket.read(&[place]), (by_key(items.clone()), vec![]), "{}", place.display());
    }
}

#[test]
fn files_are_found_without_the_prefix_of_the_bucket() {
    let bucket = Bucket::new();
    let items = [user("ada", "x")];
    let folder = bucket.full(&[&items]);
    let copy = bucket.path().join("copy");
    std::fs::rename(folder, &copy).unwrap();
    assert_eq!(bucket.read(&[&copy]), (by_key(items.clone()), vec![]));
    let link = bucket.path().join("link");
    std::os::unix::fs::symlink(&copy, &link).unwrap();
    assert_eq!(bucket.read(&[&link]), (by_key(items), vec![]));
}

#[test]
fn several_exports_in_a_folder_are_listed() {
    let bucket = Bucket::new();
    bucket.full_of("01-a", TIME, &[&[user("ada", "x")]]);
    bucket.full_of("02-b", "2026-11-21T08:00:00.000Z", &[&[]]);
    let unfinished = bucket.path().join("nightly/AWSDynamoDB/03-c");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::write(unfinished.join("_started"), "").unwrap();
    check(
        &bucket,
        &[&bucket.path().join("nightly")],
        expect![[r"
            `…/nightly` contains 3 exports
            help: pass the one to read:
              …/nightly/AWSDynamoDB/01-a: table `app`, full, 2026-11-20T08:00:00Z, 1 items
              …/nightly/AWSDynamoDB/02-b: table `app`, full, 2026-11-21T08:00:00Z, 0 items
              …/nightly/AWSDynamoDB/03-c: not finished"]],
    );
    check(
        &bucket,
        &[&unfinished],
        expect![[r"
            the export at `…/nightly/AWSDynamoDB/03-c` has not finished: it has no `manifest-summary.json`
            help: wait until `aws dynamodb describe-export` reports COMPLETED; if it reports FAILED, export again"]],
    );
}

#[test]
fn what_is_not_an_export_is_refused() {
    let bucket = Bucket::new();
    let folder = bucket.full(&[&[user("ada", "x")]]);
    check(
        &bucket,
        &[&bucket.path().join("missing")],
        expect![[r"
            there is no export at `…/missing`
            help: pass the folder that contains `manifest-summary.json`"]],
    );
    let other = bucket.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("notes.txt"), "").unwrap();
    check(
        &bucket,
        &[&other],
        expect![[r"
            `…/other` is not an export
            help: pass the folder that contains `manifest-summary.json`"]],
    );
    for name in ["_started", "manifest-summary.json"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    check(
        &bucket,
        &[&folder],
        expect![[r"
            `…/nightly/AWSDynamoDB/01-full` has data files and no manifest, which says which files belong to an export
            help: copy `manifest-summary.json` and `manifest-files.json` of the export as well"]],
    );
}

#[test]
fn formats_and_versions_that_are_not_known_are_refused() {
    let bucket = Bucket::new();
    let write = |id: &str, key: &str, value: &str| {
        Export::full("app", id, TIME).with(key, value).write(bucket.path(), &data_files(&[&[]]))
    };
    check(
        &bucket,
        &[&write("ion", "outputFormat", "ION")],
        expect![[r"
            the export at `…/nightly/AWSDynamoDB/ion` is in the format Amazon Ion, which referee does not read
            help: export again with `--export-format DYNAMODB_JSON`"]],
    );
    check(
        &bucket,
        &[&write("new", "version", "2031-01-01")],
        expect![[r"
            `…/nightly/AWSDynamoDB/new/manifest-summary.json` has version `2031-01-01`; the known versions are `2020-06-30` and `2023-08-01`
            help: a newer version of referee may read it"]],
    );
    check(
        &bucket,
        &[&write("time", "exportTime", "yesterday")],
        expect![[r"
            `…/nightly/AWSDynamoDB/time/manifest-summary.json` is not a manifest of an export: `yesterday` is not a time in UTC
            help: copy the file again, or export again"]],
    );
    let folder = bucket.full(&[]);
    std::fs::remove_file(folder.join("manifest-files.json")).unwrap();
    check(
        &bucket,
        &[&folder],
        expect![[r"
            `…/nightly/AWSDynamoDB/01-full/manifest-files.json` is not a manifest of an export: the file is missing
            help: copy the file again, or export again"]],
    );
    std::fs::write(folder.join("manifest-summary.json"), r#"{"version":"#).unwrap();
    check(
        &bucket,
        &[&folder],
        expect![[r"
            `…/nightly/AWSDynamoDB/01-full/manifest-summary.json` is not a manifest of an export: EOF while parsing a value
            help: copy the file again, or export again"]],
    );
}

#[test]
fn tables_must_be_in_the_rules_and_exported_once() {
    let bucket = Bucket::new();
    let first = bucket.full(&[&[]]);
    let foreign = Export::full("orders", "02", TIME).write(bucket.path(), &[]);
    check(
        &bucket,
        &[&first, &foreign],
        expect![[r"
            the export at `…/nightly/AWSDynamoDB/02` is of table `orders`; the rule file has `app`, `log`
            help: pass an export of one of these tables, or set the table's `name` in the rule file"]],
    );
    let second = bucket.full_of("03", TIME, &[&[]]);
    check(
        &bucket,
        &[&first, &second],
        expect![[r"
            `…/nightly/AWSDynamoDB/01-full` and `…/nightly/AWSDynamoDB/03` are both full exports of table `app`
            help: pass one of them"]],
    );
    edit(&second.join("manifest-summary.json"), |summary| {
        summary["tableArn"] = "arn:aws:dynamodb:us-east-1:123456789012:table/app".into();
    });
    check(
        &bucket,
        &[&first, &second],
        expect![[r"
            `…/nightly/AWSDynamoDB/01-full` and `…/nightly/AWSDynamoDB/03` are both exports of tables named `app`, but of different ones
            help: pass one of them"]],
    );
    check(
        &bucket,
        &[Path::new("s3://exports/nightly")],
        expect![[r"
            this build of referee cannot read `exports`
            help: build it with the feature `live`, or copy the export with `aws s3 sync`"]],
    );
}

#[test]
fn only_errors_that_other_arguments_avoid_are_usage_errors() {
    let bucket = Bucket::new();
    let folder = bucket.full(&[&[]]);
    std::fs::remove_file(folder.join("manifest-summary.json")).unwrap();
    assert!(!open_at(&[&folder]).unwrap_err().is_usage());
    assert!(open_at(&[&bucket.path().join("missing")]).unwrap_err().is_usage());
}

#[test]
fn tables_are_in_the_order_of_the_rules() {
    let bucket = Bucket::new();
    let log = Export::full("log", "02", "2026-11-20T11:12:09.000Z").write(bucket.path(), &[]);
    let app = bucket.full(&[&[]]);
    let opened = bucket.open(&[&log, &app]).unwrap();
    assert_eq!(opened.iter().map(Opened::table).collect::<Vec<_>>(), ["app", "log"]);
    let skew = referee::audit::export::skew(&opened).unwrap();
    expect![[r"
        the export of `log` is 3 h 12 min newer than that of `app` (2026-11-20T11:12:09Z and 2026-11-20T08:00:00Z); references between them that were written or removed in that time may be reported falsely
        help: export all tables with the same `--export-time`, or add `--confirm`, which reads what looks broken on the live tables"]]
    .assert_eq(&skew.to_string());
    assert_eq!(referee::audit::export::skew(&opened[..1]), None);
}

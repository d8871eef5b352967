//! Every kind of damage is reported, and the other files are read.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use kit::export::{DataFile, Export, gzip, item_line, seal};
use serde_json::Value as Json;

use crate::world::{Bucket, TIME, by_key, open_at, user};

/// An export of two files, one with two items and one with one.
struct Damaged {
    bucket: Bucket,
    folder: PathBuf,
}

impl Damaged {
    fn new() -> Self {
        let bucket = Bucket::new();
        let folder = bucket.full(&[&[user("ada", "x"), user("bob", "y")], &[user("eve", "z")]]);
        Self { bucket, folder }
    }

    /// The file with two items.
    fn file(&self) -> PathBuf {
        let manifest = std::fs::read_to_string(self.folder.join("manifest-files.json")).unwrap();
        let line: Json = serde_json::from_str(manifest.lines().next().unwrap()).unwrap();
        self.bucket.path().join(line["dataFileS3Key"].as_str().unwrap())
    }

    fn edit_file(&self, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(self.file()).unwrap();
        edit(&mut bytes);
        std::fs::write(self.file(), bytes).unwrap();
    }

    /// Changes the text of a manifest, and its checksum.
    fn edit_manifest(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let path = self.folder.join(name);
        let text = edit(std::fs::read_to_string(&path).unwrap());
        std::fs::write(&path, text).unwrap();
        seal(&self.folder);
    }

    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    fn check(&self, expected: Expect) {
        let name = self.file().file_stem().unwrap().to_str().unwrap().to_owned();
        let text = self.bucket.problems(&[&self.folder]).replace(&name, "FILE.json");
        let text = text.replace("/nightly/AWSDynamoDB/01-full", "");
        expected.assert_eq(&without_checksums(&text));
    }

    /// The names of the users in all files.
    fn users(&self) -> Vec<String> {
        let (items, _) = self.bucket.read(&[&self.folder]);
        items
            .keys()
            .map(|key| key.replace(r#"{"S":"user#"#, "").replace(r#""} null"#, ""))
            .collect()
    }
}

/// The text without checksums, which depend on the implementation of gzip.
fn without_checksums(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([' ', ',', '\n']);
        match (bare.len(), bare) {
            (24, md5) if md5.ends_with("==") => word.replace(md5, "MD5"),
            (34, etag) if etag != ANOTHER_ETAG => word.replace(etag, "ETAG"),
            _ => word.to_owned(),
        }
    };
    text.split_inclusive([' ', ',', '\n']).map(word).collect()
}

/// The `ETag` of an empty gzip file.
const ANOTHER_ETAG: &str = "67c8121a4701556ecf2fa9dda42c0269-1";

#[test]
fn a_missing_file() {
    let damaged = Damaged::new();
    std::fs::remove_file(damaged.file()).unwrap();
    damaged.check(expect![[r"
        `…/data/FILE.json.gz` is missing, and `manifest-files.json` lists it
        help: copy the file again; if the bucket has no intact copy, export again
    "]]);
    assert_eq!(damaged.users(), ["eve"]);
}

#[test]
fn a_truncated_file() {
    let damaged = Damaged::new();
    damaged.edit_file(|bytes| bytes.truncate(bytes.len() - 9));
    damaged.check(expect![[r"
        `…/data/FILE.json.gz` is truncated
        help: copy the file again; if the bucket has no intact copy, export again
    "]]);
    assert!(damaged.users().contains(&"eve".to_owned()));
}

#[test]
fn a_file_with_something_after_its_end() {
    let damaged = Damaged::new();
    damaged.edit_file(|bytes| bytes.extend(b"<html>"));
    damaged.check(expect![[r#"
        `…/data/FILE.json.gz` is truncated
        help: copy the file again; if the bucket has no intact copy, export again
    "#]]);
}

#[test]
fn another_file_in_the_place_of_one() {
    let damaged = Damaged::new();
    let other = [user("ada", "x"), user("mallory", "y")];
    std::fs::write(damaged.file(), DataFile::new(&other.map(|item| item_line(&item))).bytes)
        .unwrap();
    damaged.check(expect![[r#"
        `…/data/FILE.json.gz` was altered: its MD5 checksum is MD5, and the manifest says MD5
        help: copy the file again; if the bucket has no intact copy, export again
    "#]]);
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let damaged = Damaged::new();
    std::fs::remove_file(damaged.file()).unwrap();
    std::fs::create_dir(damaged.file()).unwrap();
    damaged.check(expect![[r"
        `…/data/FILE.json.gz` cannot be read: Is a directory (os error 21)
        help: copy the file again; if the bucket has no intact copy, export again
    "]]);
}

#[test]
fn no_truncation_goes_unnoticed() {
    let damaged = Damaged::new();
    let bytes = std::fs::read(damaged.file()).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(damaged.file(), &bytes[..length]).unwrap();
        let (_, problems) = damaged.bucket.read(&[&damaged.folder]);
        assert_eq!(problems.len(), 1, "{length}");
    }
}

#[test]
fn no_altered_bit_goes_unnoticed() {
    let damaged = Damaged::new();
    let bytes = std::fs::read(damaged.file()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(damaged.file(), altered).unwrap();
        let (_, problems) = damaged.bucket.read(&[&damaged.folder]);
        assert!(!problems.is_empty(), "{bit}");
    }
}

#[test]
fn no_altered_byte_of_a_manifest_goes_unnoticed() {
    let damaged = Damaged::new();
    for name in ["manifest-summary.json", "manifest-files.json"] {
        let path = damaged.folder.join(name);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for other in [b'"', b'0', b'\n', bytes[at] ^ 1] {
                let mut altered = bytes.clone();
                altered[at] = other;
                std::fs::write(&path, &altered).unwrap();
                let is_noticed = match open_at(&[&damaged.folder]) {
                    Ok(opened) => {
                        !opened.into_iter().all(|it| it.prepare(1).unwrap().problems().is_empty())
                    }
                    Err(_) => true,
                };
                assert!(is_noticed || altered == bytes, "byte {at} of {name}");
            }
        }
        std::fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn a_wrong_count() {
    let damaged = Damaged::new();
    damaged.edit_manifest("manifest-files.json", |text| {
        text.replacen("\"itemCount\":2", "\"itemCount\":1", 1)
    });
    damaged.check(expect![[r"
        `…/manifest-files.json` lists files with 2 items; `manifest-summary.json` says 3
        help: copy the whole export again; if nothing changes, export again
        `…/data/FILE.json.gz` has 2 items, and the manifest says 1
        help: copy the whole export again; if nothing changes, export again
    "]]);
    assert_eq!(damaged.users(), ["ada", "bob", "eve"]);
}

#[test]
fn a_missing_line_of_the_manifest() {
    let damaged = Damaged::new();
    damaged
        .edit_manifest("manifest-files.json", |text| text.split_inclusive('\n').take(1).collect());
    damaged.check(expect![[r"
        `…/manifest-files.json` lists files with 2 items; `manifest-summary.json` says 3
        help: copy the whole export again; if nothing changes, export again
    "]]);
}

#[test]
fn bad_and_repeated_lines_of_the_manifest() {
    let damaged = Damaged::new();
    damaged.edit_manifest("manifest-files.json", |text| {
        format!("{text}{{\n{}\n", text.lines().next().unwrap())
    });
    damaged.check(expect![[r#"
        `…/manifest-files.json` has a bad line 3: EOF while parsing an object
        help: copy the file again; if the copy is exact, export again
        `…/manifest-files.json` lists `nightly/AWSDynamoDB/01-full/data/FILE.json.gz` twice
        help: copy the whole export again; if nothing changes, export again
    "#]]);
}

#[test]
fn manifests_that_do_not_have_their_checksum() {
    let damaged = Damaged::new();
    std::fs::write(damaged.folder.join("manifest-files.md5"), "8gMkN1Oe7tGThdX9Gqn01w==").unwrap();
    std::fs::remove_file(damaged.folder.join("manifest-summary.md5")).unwrap();
    damaged.check(expect![[r"
        `…/manifest-summary.json` cannot be verified: its checksum file is missing
        help: copy the `.md5` or `.checksum` file of the manifest as well
        `…/manifest-files.json` does not have the checksum in the file beside it
        help: copy the file again; if the copy is exact, export again
    "]]);
}

#[test]
fn checksum_files_may_have_the_documented_names() {
    let damaged = Damaged::new();
    for name in ["manifest-summary", "manifest-files"] {
        let path = |suffix: &str| damaged.folder.join(format!("{name}.{suffix}"));
        std::fs::rename(path("md5"), path("checksum")).unwrap();
    }
    damaged.check(expect![""]);
}

#[test]
fn a_wrong_etag() {
    let damaged = Damaged::new();
    let etag = |text: String| {
        let mut lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines[0]["etag"] = ANOTHER_ETAG.into();
        // The `ETag` of two parts depends on their sizes, which the manifest does not contain.
        lines[1]["etag"] = "67c8121a4701556ecf2fa9dda42c0269-2".into();
        lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect()
    };
    damaged.edit_manifest("manifest-files.json", etag);
    damaged.check(expect![[r#"
        `…/data/FILE.json.gz` does not have its `etag` in the manifest: ETAG instead of 67c8121a4701556ecf2fa9dda42c0269-1
        help: copy the whole export again; if nothing changes, export again
    "#]]);
    // With a key of KMS, it is no checksum.
    damaged.edit_manifest("manifest-summary.json", |text| text.replace("AES256", "KMS"));
    damaged.check(expect![""]);
}

fn problems_of_lines(lines: &str, items: u64) -> String {
    let bucket = Bucket::new();
    let file = DataFile { items, bytes: gzip(lines.as_bytes()) };
    let folder = Export::full("app", "01", TIME).write(bucket.path(), &[file]);
    let text = bucket.problems(&[&folder]);
    let file = text.split("/data/").nth(1).unwrap_or_default().split('.').next().unwrap();
    text.replace(file, "FILE").replace("/nightly/AWSDynamoDB/01", "")
}

#[test]
fn bad_lines_are_skipped() {
    let good = item_line(&user("ada", "x"));
    expect![[r"
        `…/data/FILE.json.gz` has a bad line 2, which was skipped: it is Amazon Ion, not JSON
        help: copy the whole export again; if nothing changes, export again
    "]]
    .assert_eq(&problems_of_lines(&format!("{good}\n$ion_1_0 {{Item:{{pk:\"a\"}}}}\n"), 2));
    expect![[r"
        `…/data/FILE.json.gz` has 3 bad lines, which were skipped; the first is line 1: missing field `Item`
        help: copy the whole export again; if nothing changes, export again
    "]]
    .assert_eq(&problems_of_lines(&format!("{{}}\n{good}\n{}\n{{\n", &good[..good.len() / 2]), 4));
    // What follows the item is found by the reader of the item.
    assert_ne!(problems_of_lines(r#"{"Item":{"pk":{"S":"a"}},"x":{}}"#, 1), "");
}

#[test]
fn files_of_another_export_in_the_same_folder_are_ignored() {
    let damaged = Damaged::new();
    let other = damaged.bucket.full_of("02", TIME, &[&[user("mallory", "x")]]);
    for entry in std::fs::read_dir(other.join("data")).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), damaged.folder.join("data").join(entry.file_name())).unwrap();
    }
    std::fs::remove_dir_all(other).unwrap();
    damaged.check(expect![""]);
    let (items, _) = damaged.bucket.read(&[Path::new(&damaged.folder)]);
    assert_eq!(items, by_key([user("ada", "x"), user("bob", "y"), user("eve", "z")]));
}

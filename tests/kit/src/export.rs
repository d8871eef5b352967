//! Writes exports as DynamoDB does: data files, manifests and checksums.
//!
//! It shares no code with the reader.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use serde_json::{Value as Json, json};

/// The account and Region of all exported tables.
const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table";

/// A data file: its compressed bytes.
#[derive(Debug, Clone)]
pub struct DataFile {
    pub items: u64,
    pub bytes: Vec<u8>,
}

impl DataFile {
    /// A file with these lines.
    pub fn new(lines: &[String]) -> Self {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        Self { items: lines.len() as u64, bytes: gzip(text.as_bytes()) }
    }
}

/// An export that can be written.
#[derive(Debug, Clone)]
pub struct Export {
    table: String,
    id: String,
    prefix: String,
    /// What is different from other summaries.
    summary: Json,
    is_incremental: bool,
}

impl Export {
    /// A full export.
    pub fn full(table: &str, id: &str, time: &str) -> Self {
        let summary = json!({ "version": "2020-06-30", "exportTime": time });
        Self::new(table, id, summary, false)
    }

    /// An incremental export.
    pub fn incremental(table: &str, id: &str, from: &str, to: &str, view: &str) -> Self {
        let summary = json!({
            "version": "2023-08-01", "exportType": "INCREMENTAL_EXPORT", "outputView": view,
            "exportFromTime": from, "exportToTime": to,
        });
        Self::new(table, id, summary, true)
    }

    fn new(table: &str, id: &str, summary: Json, is_incremental: bool) -> Self {
        let (table, id) = (table.to_owned(), id.to_owned());
        Self { table, id, prefix: "nightly".to_owned(), summary, is_incremental }
    }

    /// Changes a key of the summary.
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.summary[key] = value.into();
        self
    }

    /// Writes the export into the folder of a bucket, and returns the export's folder.
    pub fn write(&self, bucket: &Path, files: &[DataFile]) -> PathBuf {
        let root = Path::new(&self.prefix).join("AWSDynamoDB");
        let folder = root.join(&self.id);
        let data = if self.is_incremental { &root } else { &folder }.join("data");
        for folder in [&folder, &data] {
            std::fs::create_dir_all(bucket.join(folder)).unwrap();
        }
        std::fs::write(bucket.join(&folder).join("_started"), "").unwrap();
        let mut listed = String::new();
        for (index, file) in files.iter().enumerate() {
            let path = data.join(format!("{}.json.gz", self.file_name(index)));
            std::fs::write(bucket.join(&path), &file.bytes).unwrap();
            let line = json!({
                "itemCount": file.items, "md5Checksum": md5_base64(&file.bytes),
                "etag": etag(&file.bytes), "dataFileS3Key": path,
            });
            listed.extend([line.to_string(), "\n".to_owned()]);
        }
        let folder = bucket.join(folder);
        let summary = self.summary(files.iter().map(|file| file.items).sum());
        std::fs::write(folder.join("manifest-summary.json"), summary.to_string()).unwrap();
        std::fs::write(folder.join("manifest-files.json"), listed).unwrap();
        seal(&folder);
        folder
    }

    fn summary(&self, items: u64) -> Json {
        let (table, id, prefix) = (&self.table, &self.id, &self.prefix);
        let mut summary = json!({
            "exportArn": format!("{ARN}/{table}/export/{id}"),
            "startTime": "2026-11-20T08:00:02.834Z", "endTime": "2026-11-20T08:06:28.971Z",
            "tableArn": format!("{ARN}/{table}"), "tableId": "430ff009-d406-48ba-b83f-c927fb8b76f8",
            "s3Bucket": "exports", "s3Prefix": prefix, "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": null,
            "manifestFilesS3Key": format!("{prefix}/AWSDynamoDB/{id}/manifest-files.json"),
            "billedSizeBytes": items * 128, "itemCount": items, "outputFormat": "DYNAMODB_JSON",
        });
        for (key, value) in self.summary.as_object().unwrap() {
            summary[key] = value.clone();
        }
        summary
    }

    /// 26 characters, as DynamoDB names files.
    fn file_name(&self, index: usize) -> String {
        let hash = Md5::digest(format!("{} {index}", self.id));
        let number = u128::from_be_bytes(hash.into());
        let letter = |at| b"abcdefghijklmnopqrstuvwxyz234567"[(number >> (5 * at)) as usize % 32];
        (0..26).map(|at| char::from(letter(at))).collect()
    }
}

/// Writes the checksum files of an export's manifests.
pub fn seal(folder: &Path) {
    for name in ["manifest-summary", "manifest-files"] {
        let bytes = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        std::fs::write(folder.join(format!("{name}.md5")), md5_base64(&bytes)).unwrap();
    }
}

/// A gzip file with one member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A line of a full export.
pub fn item_line(item: &Json) -> String {
    json!({ "Item": item }).to_string()
}

/// A line of an incremental export with the view `NEW_AND_OLD_IMAGES`.
pub fn change_line(micros: u64, keys: &Json, old: Option<&Json>, new: Option<&Json>) -> String {
    let micros = json!({ "WriteTimestampMicros": { "N": micros.to_string() } });
    let mut line = json!({ "Metadata": micros, "Keys": keys });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            line[name] = image.clone();
        }
    }
    line.to_string()
}

fn md5_base64(bytes: &[u8]) -> String {
    BASE64.encode(Md5::digest(bytes))
}

/// The `ETag` of a multi-part upload with one part.
fn etag(bytes: &[u8]) -> String {
    let number = u128::from_be_bytes(Md5::digest(Md5::digest(bytes)).into());
    format!("{number:032x}-1")
}

//! The manifests of an export: what it is, and which files belong to it.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::checksum::Checksum;
use super::error::ExportError;
use super::folder::Folder;
use super::problem::{self, Flaw, Problem};
use crate::data::{Timestamp, without_position};

/// The file that describes an export.
pub(super) const SUMMARY: &str = "manifest-summary.json";
/// The file that lists the data files of an export, one a line.
const FILES: &str = "manifest-files.json";

/// The versions of a summary: of full exports, and since there are incremental ones.
const VERSIONS: &[&str] = &["2020-06-30", "2023-08-01"];

const FORMAT: &str = "DYNAMODB_JSON";

/// What a summary says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) table_arn: TableArn,
    pub(super) table_id: Option<String>,
    #[serde(default)]
    export_type: ExportType,
    export_time: Option<Timestamp>,
    export_from_time: Option<Timestamp>,
    export_to_time: Option<Timestamp>,
    output_view: Option<View>,
    s3_sse_algorithm: Option<String>,
    pub(super) billed_size_bytes: Option<u64>,
    item_count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ExportType {
    /// The type is stated only since there are incremental exports.
    #[default]
    FullExport,
    IncrementalExport,
}

/// Which images of a changed item an incremental export has. A deleted item has no new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum View {
    /// The item before and after.
    NewAndOldImages,
    /// The item after its changes.
    #[serde(alias = "NEW_IMAGES")]
    NewImage,
}

/// Which state of a table an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All items at a time.
    Full(Timestamp),
    /// The items that changed in a period, as they were at its end.
    Incremental { from: Timestamp, to: Timestamp },
}

/// A table's ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableArn {
    text: String,
    /// The Region.
    pub region: String,
    /// The account's ID.
    pub account: String,
    /// The table's name.
    pub table: String,
}

impl TableArn {
    /// Reads an ARN: `arn:aws:dynamodb:<Region>:<account>:table/<name>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let (arn, _partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let table = resource.strip_prefix("table/")?;
        let is_table =
            arn == "arn" && service == "dynamodb" && !table.is_empty() && !table.contains('/');
        is_table.then(|| Self {
            text: text.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            table: table.to_owned(),
        })
    }
}

impl fmt::Display for TableArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for TableArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a table's ARN")))
    }
}

/// What a manifest says about a data file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) item_count: u64,
    pub(super) md5_checksum: String,
    pub(super) etag: String,
    pub(super) data_file_s3_key: String,
}

/// The manifests of an export, and what is wrong with them.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) summary: Summary,
    pub(super) scope: Scope,
    pub(super) files: Vec<Listed>,
    pub(super) problems: Vec<Problem>,
}

impl Summary {
    fn scope(&self) -> Result<Scope, &'static str> {
        match self.export_type {
            ExportType::FullExport => {
                self.export_time.map(Scope::Full).ok_or("it has no `exportTime`")
            }
            ExportType::IncrementalExport => match (self.export_from_time, self.export_to_time) {
                (Some(from), Some(to)) if from < to && self.output_view.is_some() => {
                    Ok(Scope::Incremental { from, to })
                }
                (Some(from), Some(to)) if from < to => Err("it has no `outputView`"),
                (Some(_), Some(_)) => Err("`exportFromTime` is not before `exportToTime`"),
                _ => Err("it has no `exportFromTime` or no `exportToTime`"),
            },
        }
    }

    /// Whether the `etag`s of files can be computed. Those of files that are encrypted with a key
    /// of KMS are random.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
    pub(super) fn has_checkable_etags(&self) -> bool {
        self.s3_sse_algorithm.as_ref().is_none_or(|algorithm| algorithm == "AES256")
    }

    /// Table, time and count of items, for messages.
    pub(super) fn describe(&self) -> String {
        let when = match self.scope() {
            Ok(Scope::Full(time)) => format!("full, {time}"),
            Ok(Scope::Incremental { from, to }) => format!("incremental, {from} to {to}"),
            Err(_) => "of an unknown time".to_owned(),
        };
        format!("table `{}`, {when}, {} items", self.table_arn.table, self.item_count)
    }
}

/// Reads the manifests of an export.
pub(super) fn read(folder: &Folder) -> Result<Manifest, ExportError> {
    let mut problems = Vec::new();
    let bytes = folder.read(SUMMARY)?.ok_or_else(|| ExportError::Unfinished(folder.address()))?;
    verify(folder, SUMMARY, &bytes, &mut problems)?;
    let invalid = |name: &str, error: String| ExportError::Manifest {
        address: folder.address_of(name),
        error,
    };
    // First, because another version or format may have other keys.
    let header: Header<'_> = serde_json::from_slice(&bytes)
        .map_err(|error| invalid(SUMMARY, without_position(&error)))?;
    header.check(folder)?;
    let summary: Summary = serde_json::from_slice(&bytes)
        .map_err(|error| invalid(SUMMARY, without_position(&error)))?;
    let scope = summary.scope().map_err(|error| invalid(SUMMARY, error.to_owned()))?;

    let bytes =
        folder.read(FILES)?.ok_or_else(|| invalid(FILES, "the file is missing".to_owned()))?;
    verify(folder, FILES, &bytes, &mut problems)?;
    let files = list(folder, &bytes, &mut problems);
    let total = files.iter().map(|file| file.item_count).sum();
    if total != summary.item_count {
        let flaw = Flaw::ItemTotal { summary: summary.item_count, files: total };
        problems.push(Problem::new(folder.address_of(FILES), flaw));
    }
    Ok(Manifest { summary, scope, files, problems })
}

/// The keys that decide whether the other keys can be read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow)]
    version: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    output_format: std::borrow::Cow<'a, str>,
}

impl Header<'_> {
    fn check(&self, folder: &Folder) -> Result<(), ExportError> {
        if self.output_format != FORMAT {
            let format = match &*self.output_format {
                "ION" => "Amazon Ion".to_owned(),
                other => format!("`{other}`"),
            };
            return Err(ExportError::Format { address: folder.address(), format });
        }
        if !VERSIONS.contains(&&*self.version) {
            let version = self.version.clone().into_owned();
            return Err(ExportError::Version {
                address: folder.address_of(SUMMARY),
                version,
                known: problem::list(VERSIONS),
            });
        }
        Ok(())
    }
}

/// Compares a manifest with the checksum file beside it. AWS documents the suffix `.checksum`;
/// exports have `.md5`.
fn verify(
    folder: &Folder,
    name: &str,
    bytes: &[u8],
    problems: &mut Vec<Problem>,
) -> Result<(), ExportError> {
    let stem = name.trim_end_matches(".json");
    let mut expected = None;
    for suffix in ["md5", "checksum"] {
        if expected.is_none() {
            expected = folder.read(&format!("{stem}.{suffix}"))?;
        }
    }
    let flaw = match expected {
        None => Flaw::NoChecksumFile,
        Some(expected) if expected.trim_ascii() == Checksum::of(bytes).base64().as_bytes() => {
            return Ok(());
        }
        Some(_) => Flaw::ManifestAltered,
    };
    problems.push(Problem::new(folder.address_of(name), flaw));
    Ok(())
}

/// The data files of `manifest-files.json`, each once.
fn list(folder: &Folder, bytes: &[u8], problems: &mut Vec<Problem>) -> Vec<Listed> {
    let mut files = Vec::<Listed>::new();
    let mut keys = BTreeSet::new();
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice::<Listed>(line) {
            Ok(file) if !keys.insert(file.data_file_s3_key.clone()) => {
                let flaw = Flaw::ListedTwice(file.data_file_s3_key);
                problems.push(Problem::new(folder.address_of(FILES), flaw));
            }
            Ok(file) => files.push(file),
            Err(error) => {
                let flaw = Flaw::ManifestLine { line: index + 1, error: without_position(&error) };
                problems.push(Problem::new(folder.address_of(FILES), flaw));
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_region_account_and_table() {
        let arn = TableArn::parse("arn:aws-cn:dynamodb:eu-west-1:123456789012:table/app").unwrap();
        assert_eq!(
            (&*arn.region, &*arn.account, &*arn.table),
            ("eu-west-1", "123456789012", "app")
        );
        for text in [
            "app",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/1",
            "arn:aws:s3:eu-west-1:123456789012:table/app",
        ] {
            assert_eq!(TableArn::parse(text), None, "{text}");
        }
    }
}

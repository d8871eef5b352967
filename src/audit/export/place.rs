//! Finds the exports that an argument names.

use std::sync::Arc;

use super::error::ExportError;
use super::folder::Folder;
use super::manifest::{SUMMARY, Summary};
use super::objects::{Connect, Disk, ObjectError, Objects, within};

/// The file that DynamoDB writes first.
const STARTED: &str = "_started";

/// The folder that DynamoDB writes all exports into.
pub(super) const AWS_DYNAMODB: &str = "AWSDynamoDB";

/// Where an export is: an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder or file on disk.
    Disk(String),
    /// A prefix in a bucket.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The prefix, or the key of `manifest-summary.json`.
        key: String,
    },
}

impl Place {
    /// Reads an argument: `s3://bucket/prefix`, or a path.
    pub fn parse(text: &str) -> Result<Self, ExportError> {
        let Some(address) = text.strip_prefix("s3://") else {
            return Ok(Self::Disk(text.to_owned()));
        };
        let (bucket, key) = address.split_once('/').unwrap_or((address, ""));
        if bucket.is_empty() {
            return Err(ExportError::Address(text.to_owned()));
        }
        let key = key.trim_end_matches('/').to_owned();
        Ok(Self::S3 { bucket: bucket.to_owned(), key })
    }
}

/// Finds the only export in this folder, or in the folders in it.
pub(super) fn find(objects: Arc<dyn Objects>, path: &str) -> Result<Folder, ExportError> {
    let is_summary = path == SUMMARY || path.ends_with(&format!("/{SUMMARY}"));
    let path = if is_summary { objects.parent(path) } else { path.to_owned() };
    let folder = Folder { objects, path };
    match kind(&folder)? {
        Content::Export => Ok(folder),
        Content::Unfinished => Err(ExportError::Unfinished(folder.address())),
        Content::Data => {
            let inside = below(&folder)?;
            if inside.is_empty() {
                return Err(ExportError::NoManifest(folder.address()));
            }
            only(&folder, inside)
        }
        Content::Other => {
            let inside = below(&folder)?;
            only(&folder, inside)
        }
        Content::Nothing => Err(ExportError::Absent(folder.address())),
    }
}

/// The only export of a list.
fn only(folder: &Folder, mut inside: Vec<Folder>) -> Result<Folder, ExportError> {
    if inside.len() > 1 {
        let exports = inside.iter().map(describe).collect();
        return Err(ExportError::Several { folder: folder.address(), exports });
    }
    let only = inside.pop().ok_or_else(|| ExportError::NotAnExport(folder.address()))?;
    if kind(&only)? == Content::Unfinished {
        return Err(ExportError::Unfinished(only.address()));
    }
    Ok(only)
}

/// What a folder contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A finished export.
    Export,
    /// An export without a manifest.
    Unfinished,
    /// Data files.
    Data,
    Other,
    Nothing,
}

fn kind(folder: &Folder) -> Result<Content, ExportError> {
    // First, because it works without the permission to list the bucket.
    match folder.objects.open(&within(&folder.path, SUMMARY)) {
        Ok(_) => return Ok(Content::Export),
        Err(ObjectError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let entries = match folder.objects.list(&folder.path) {
        Ok(entries) => entries,
        Err(ObjectError::Missing(_)) => return Ok(Content::Nothing),
        Err(error) => return Err(error.into()),
    };
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    Ok(if has(STARTED) {
        Content::Unfinished
    } else if has("data") || entries.iter().any(|entry| entry.name.ends_with(".json.gz")) {
        Content::Data
    } else if entries.is_empty() {
        Content::Nothing
    } else {
        Content::Other
    })
}

/// The exports in a folder, or in `AWSDynamoDB` in it.
fn below(folder: &Folder) -> Result<Vec<Folder>, ExportError> {
    let mut found = Vec::new();
    for entry in folder.objects.list(&folder.path)?.into_iter().filter(|entry| entry.is_folder) {
        let path = within(&folder.path, &entry.name);
        let inner = Folder { objects: Arc::clone(&folder.objects), path };
        if entry.name == AWS_DYNAMODB {
            found.extend(below(&inner)?);
        } else if matches!(kind(&inner)?, Content::Export | Content::Unfinished) {
            found.push(inner);
        }
    }
    Ok(found)
}

/// An export's address, with its table and time.
fn describe(folder: &Folder) -> String {
    let summary = folder.read(SUMMARY).ok().flatten();
    let summary = summary.and_then(|bytes| serde_json::from_slice::<Summary>(&bytes).ok());
    match summary {
        Some(summary) => format!("{}: {}", folder.address(), summary.describe()),
        None => format!("{}: not finished", folder.address()),
    }
}

/// Opens the files of a place.
pub(super) fn files_of(
    place: &Place,
    connect: Connect<'_>,
) -> Result<(Arc<dyn Objects>, String), ExportError> {
    match place {
        Place::Disk(path) => Ok((Arc::new(Disk), path.clone())),
        Place::S3 { bucket, key } => Ok((connect(bucket)?, key.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let s3 = |bucket: &str, key: &str| Place::S3 { bucket: bucket.into(), key: key.into() };
        for (text, place) in [
            ("exports", Place::Disk("exports".into())),
            ("s3://b", s3("b", "")),
            ("s3://b/", s3("b", "")),
            ("s3://b/p/AWSDynamoDB/1/", s3("b", "p/AWSDynamoDB/1")),
        ] {
            assert_eq!(Place::parse(text), Ok(place), "{text}");
        }
        assert!(Place::parse("s3:///x").is_err());
    }
}

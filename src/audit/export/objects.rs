//! The files of exports, wherever they are.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// Why a file or folder cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// It does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// It cannot be read; others may be.
    #[error("cannot read `{address}`: {error}")]
    Unreadable {
        /// Its address.
        address: String,
        /// Why.
        error: String,
    },
    /// No file in this location can be read until an operator does something.
    #[error("cannot read `{address}`: {error}\nhelp: {help}")]
    Unreachable {
        /// The address of the file that was read.
        address: String,
        /// Why it cannot be read.
        error: String,
        /// What to do.
        help: String,
    },
    /// This program has no access to S3.
    #[error(
        "this build of referee cannot read `{0}`\n\
         help: build it with the feature `live`, or copy the export with `aws s3 sync`"
    )]
    NoS3(String),
}

impl ObjectError {
    /// The error that a [`Read`] wraps, or a plain one.
    pub(super) fn of_read(address: String, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::Unreadable { address, error: error.to_string() },
        }
    }
}

/// A file or folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// The content of a file.
pub type Source = Box<dyn Read + Send>;

/// Gives access to a bucket.
pub type Connect<'c> = &'c mut dyn FnMut(&str) -> Result<Arc<dyn Objects>, ObjectError>;

/// Files that exports consist of. Folders end without a slash.
///
/// Reads may happen from several threads at once. A [`Read`] that fails later wraps an
/// [`ObjectError`] if it knows more than an [`io::Error`] can express.
pub trait Objects: fmt::Debug + Send + Sync {
    /// Opens a file, to read it from its beginning.
    fn open(&self, path: &str) -> Result<Source, ObjectError>;

    /// What is in a folder, in the order of the names.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, ObjectError>;

    /// The folder that a folder is in.
    fn parent(&self, folder: &str) -> String;

    /// The path as a user writes it, for messages.
    fn address(&self, path: &str) -> String;
}

/// The path of something in a folder.
pub(super) fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder.ends_with('/') {
        format!("{folder}{name}")
    } else {
        format!("{folder}/{name}")
    }
}

/// Files on disk. Paths are as usual, and relative ones begin in the current folder.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

impl Objects for Disk {
    fn open(&self, path: &str) -> Result<Source, ObjectError> {
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(of_disk(path, &error)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ObjectError> {
        let entries = std::fs::read_dir(folder).and_then(|entries| {
            let entry = |entry: io::Result<std::fs::DirEntry>| {
                let entry = entry?;
                // The type of what a symbolic link refers to.
                let is_folder = std::fs::metadata(entry.path()).is_ok_and(|it| it.is_dir());
                Ok(Entry { name: entry.file_name().to_string_lossy().into_owned(), is_folder })
            };
            entries.map(entry).collect::<io::Result<Vec<Entry>>>()
        });
        let mut entries = entries.map_err(|error| of_disk(folder, &error))?;
        entries.sort_unstable();
        Ok(entries)
    }

    fn parent(&self, folder: &str) -> String {
        // Not `Path::parent`, which is wrong for `.`, `..` and symbolic links.
        match Path::new(folder).file_name() {
            Some(_) if !is_link(folder) => match folder.trim_end_matches('/').rsplit_once('/') {
                Some(("", _)) => "/".to_owned(),
                Some((parent, _)) => parent.to_owned(),
                None => ".".to_owned(),
            },
            _ => within(folder, ".."),
        }
    }

    fn address(&self, path: &str) -> String {
        path.to_owned()
    }
}

fn is_link(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink())
}

fn of_disk(path: &str, error: &io::Error) -> ObjectError {
    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
        return ObjectError::Missing(path.to_owned());
    }
    ObjectError::Unreadable { address: path.to_owned(), error: error.to_string() }
}

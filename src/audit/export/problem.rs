//! What is wrong with an export, and what to do about it. Reading goes on, and the audit is
//! incomplete.

use std::fmt;

/// Something wrong with an export. An audit that saw it did not see all items as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The address of the file or folder.
    pub address: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a file or an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A manifest has no checksum file beside it.
    NoChecksumFile,
    /// A manifest does not have the checksum in the file beside it.
    ManifestAltered,
    /// A line of `manifest-files.json` cannot be read.
    ManifestLine {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        error: String,
    },
    /// The manifests do not agree on the count of items.
    ItemTotal {
        /// The count in the summary.
        summary: u64,
        /// The sum over all files.
        files: u64,
    },
    /// `manifest-files.json` lists this data file twice.
    ListedTwice(String),
    /// A data file does not exist.
    Missing,
    /// A data file cannot be read to its end.
    Unreadable(String),
    /// A data file ends too early.
    Truncated,
    /// A data file is not a gzip file, or a damaged one.
    Damaged(String),
    /// A data file is a sound gzip file, but not the exported one.
    Altered {
        /// The checksum in the manifest.
        expected: String,
        /// The file's checksum.
        found: String,
    },
    /// A data file has the right checksum and another `ETag` than the manifest says.
    Etag {
        /// The `ETag` in the manifest.
        expected: String,
        /// The one that fits the content.
        found: String,
    },
    /// A data file has another count of items than the manifest says.
    ItemCount {
        /// The count in the manifest.
        expected: u64,
        /// The count in the file.
        found: u64,
    },
    /// Lines that cannot be understood were skipped.
    Lines {
        /// How many.
        count: u64,
        /// The number of the first, from 1.
        first: u64,
        /// What is wrong with the first.
        error: String,
    },
    /// No export covers a period of time before this incremental one.
    Gap {
        /// Where the period begins: where the exports before it end.
        from: String,
        /// Where it ends.
        to: String,
    },
    /// An incremental export begins before the export that it continues ends.
    Overlap {
        /// Where it should begin.
        from: String,
    },
}

impl Problem {
    pub(super) fn new(address: impl Into<String>, flaw: Flaw) -> Self {
        Self { address: address.into(), flaw }
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self.flaw {
            Flaw::NoChecksumFile => "copy the `.md5` or `.checksum` file of the manifest as well",
            Flaw::Missing | Flaw::Unreadable(_) | Flaw::Truncated | Flaw::Altered { .. } => {
                "copy the file again; if the bucket has no intact copy, export again"
            }
            Flaw::ManifestAltered | Flaw::ManifestLine { .. } | Flaw::Damaged(_) => {
                "copy the file again; if the copy is exact, export again"
            }
            Flaw::ItemTotal { .. }
            | Flaw::ListedTwice(_)
            | Flaw::Etag { .. }
            | Flaw::ItemCount { .. }
            | Flaw::Lines { .. } => "copy the whole export again; if nothing changes, export again",
            Flaw::Gap { .. } => "pass the incremental exports of this period as well",
            Flaw::Overlap { .. } => "export again, beginning where the previous export ends",
        }
    }
}

/// The problem and what to do about it, in two lines.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}\nhelp: {}", self.address, self.flaw, self.help())
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChecksumFile => {
                formatter.write_str("cannot be verified: its checksum file is missing")
            }
            Self::ManifestAltered => {
                formatter.write_str("does not have the checksum in the file beside it")
            }
            Self::ManifestLine { line, error } => {
                write!(formatter, "has a bad line {line}: {error}")
            }
            Self::ItemTotal { summary, files } => write!(
                formatter,
                "lists files with {files} items; `manifest-summary.json` says {summary}"
            ),
            Self::ListedTwice(file) => write!(formatter, "lists `{file}` twice"),
            Self::Missing => formatter.write_str("is missing, and `manifest-files.json` lists it"),
            Self::Unreadable(error) => write!(formatter, "cannot be read: {error}"),
            Self::Truncated => formatter.write_str("is truncated"),
            Self::Damaged(error) => write!(formatter, "is damaged: {error}"),
            Self::Altered { expected, found } => write!(
                formatter,
                "was altered: its MD5 checksum is {found}, and the manifest says {expected}"
            ),
            Self::Etag { expected, found } => write!(
                formatter,
                "does not have its `etag` in the manifest: {found} instead of {expected}"
            ),
            Self::ItemCount { expected, found } => {
                write!(formatter, "has {found} items, and the manifest says {expected}")
            }
            Self::Lines { count: 1, first, error } => {
                write!(formatter, "has a bad line {first}, which was skipped: {error}")
            }
            Self::Lines { count, first, error } => write!(
                formatter,
                "has {count} bad lines, which were skipped; the first is line {first}: {error}"
            ),
            Self::Gap { from, to } => {
                write!(formatter, "leaves a gap: no export has the changes from {from} to {to}")
            }
            Self::Overlap { from } => write!(
                formatter,
                "begins before {from}, where the export before it ends; it does not show items \
                 that were both created and deleted within its time"
            ),
        }
    }
}

/// Texts in backticks: `a`, `b` and `c`.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("`{}`", text.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

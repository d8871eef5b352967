//! Why exports cannot be read at all.

use super::objects::ObjectError;
use super::problem::list;

/// Why an export cannot be read. What makes an audit only incomplete is a
/// [`Problem`](super::Problem) instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The text is not a path or an address.
    #[error(
        "`{0}` is not the address of an export\nhelp: an address is s3://bucket/prefix/AWSDynamoDB/<export id>"
    )]
    Address(String),
    /// There is nothing at this address.
    #[error(
        "there is no export at `{0}`\nhelp: pass the folder that contains `manifest-summary.json`"
    )]
    Absent(String),
    /// There is something else.
    #[error("`{0}` is not an export\nhelp: pass the folder that contains `manifest-summary.json`")]
    NotAnExport(String),
    /// There are data files without a manifest.
    #[error(
        "`{0}` has data files and no manifest, which says which files belong to an export\n\
         help: copy `manifest-summary.json` and `manifest-files.json` of the export as well"
    )]
    NoManifest(String),
    /// The folder contains several exports.
    #[error("`{folder}` contains {} exports\nhelp: pass the one to read:{}", .exports.len(), lines(.exports))]
    Several {
        /// The folder.
        folder: String,
        /// The address of each export, with its table and time.
        exports: Vec<String>,
    },
    /// The export has begun and has no manifest.
    #[error(
        "the export at `{0}` has not finished: it has no `manifest-summary.json`\n\
         help: wait until `aws dynamodb describe-export` reports COMPLETED; if it reports FAILED, export again"
    )]
    Unfinished(String),
    /// A manifest cannot be read.
    #[error(
        "`{address}` is not a manifest of an export: {error}\nhelp: copy the file again, or export again"
    )]
    Manifest {
        /// The manifest's address.
        address: String,
        /// What is wrong with it.
        error: String,
    },
    /// The manifest has a version that is not known.
    #[error(
        "`{address}` has version `{version}`; the known versions are {known}\n\
         help: a newer version of referee may read it"
    )]
    Version {
        /// The manifest's address.
        address: String,
        /// Its version.
        version: String,
        /// The known versions.
        known: String,
    },
    /// The items are not in DynamoDB's JSON.
    #[error(
        "the export at `{address}` is in the format {format}, which referee does not read\n\
         help: export again with `--export-format DYNAMODB_JSON`"
    )]
    Format {
        /// The export's address.
        address: String,
        /// The format.
        format: String,
    },
    /// The table is not in the rule file.
    #[error(
        "the export at `{address}` is of table `{table}`; the rule file has {known}\n\
         help: pass an export of one of these tables, or set the table's `name` in the rule file"
    )]
    ForeignTable {
        /// The export's address.
        address: String,
        /// The table's name.
        table: String,
        /// The tables in the rule file.
        known: String,
    },
    /// There are two exports of tables with the same name, or two full exports of a table.
    #[error("{} are both {of}\nhelp: pass one of them", list(.addresses))]
    Ambiguous {
        /// The addresses of the exports.
        addresses: Vec<String>,
        /// What both are.
        of: String,
    },
    /// There are only incremental exports of a table.
    #[error(
        "the exports of table `{table}` are all incremental\n\
         help: pass the full export that they continue as well, of {from} or later"
    )]
    NoFull {
        /// The table's name.
        table: String,
        /// When the first of them begins.
        from: String,
    },
    /// Files cannot be read, for a reason that concerns all files alike.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

impl ExportError {
    /// Whether other arguments are needed. Otherwise the same arguments may work later.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::Objects(_) | Self::Unfinished(_))
    }
}

/// A line for each text, indented.
fn lines(texts: &[String]) -> String {
    texts.iter().flat_map(|text| ["\n  ", text]).collect()
}

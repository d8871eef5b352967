//! DynamoDB's exports to S3, full and incremental, on disk or in a bucket.
//!
//! # Layout
//!
//! - [`open`] finds the exports ([`Place`]), reads their manifests (`manifest`), and groups them by
//!   table (`window`): an [`Opened`].
//! - [`Opened::prepare`] reads the incremental exports once, so that it is known which of an item's
//!   versions is the newest (`changes`): a [`TableExport`].
//! - [`TableExport::read`] reads one data file and checks it (`read`, `lines`, `checksum`). Several
//!   threads can read at once.
//! - [`Objects`] are the files, on disk ([`Disk`]) or in S3 (`S3`).
//! - A [`Problem`] makes an audit incomplete and does not end it. An [`ExportError`] ends it.
//!
//! The format is documented at
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>.

mod changes;
mod checksum;
mod error;
mod folder;
mod line;
mod lines;
mod manifest;
mod objects;
mod open;
mod place;
mod problem;
mod read;
#[cfg(feature = "live")]
mod s3;
mod skew;
mod table;
mod window;

pub use error::ExportError;
pub use manifest::TableArn;
pub use objects::{Connect, Disk, Entry, ObjectError, Objects, Source};
pub use open::{open, open_any};
pub use place::Place;
pub use problem::{Flaw, Problem};
pub use read::{Checked, RowError};
#[cfg(feature = "live")]
pub use s3::{S3, S3Connection};
pub use skew::{Skew, skew};
pub use table::{DataFile, Opened, TableExport};

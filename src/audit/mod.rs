//! The audit: every rule, over all items that exist, without a stream.
//!
//! # Layout
//!
//! Items → facts → suspects → findings:
//!
//! - `archive`, `source`: items in files, as text; `raw_item` decodes the attributes that matter.
//! - [`export`]: reads and verifies DynamoDB's exports to S3.
//! - `observe`: what one item says about others, as facts of a few bytes (`fact`, `hash`): `quick` finds
//!   them in the text of an item, and `decoded` in the values of any item.
//! - `spill`: facts in partitions by the hash of the key that they are about, in bounded memory.
//! - `join`: compares the facts of a partition. What does not fit together is a `suspect`.
//! - `excerpt`: the attributes of items that describe them if they are suspects.
//! - `run`: the whole audit of an archive. Suspects without an excerpt are read again.
//! - `tally`: what was looked at, rule by rule.
//! - `live`: scans of real tables.
//! - [`replica`]: compares a table with a copy of it.
//! - [`sql`]: the same audit as SQL text, for exports of any size.

mod archive;
mod decoded;
mod excerpt;
pub mod export;
mod fact;
mod hash;
mod join;
pub mod live;
mod observe;
mod quick;
mod raw_item;
pub mod replica;
mod run;
mod source;
mod spill;
pub mod sql;
mod suspect;
mod tally;
mod threads;

pub use archive::{Archive, Archives, Problem, Row, Stop};
pub use run::{Audited, Options, Progress, audit};
pub use source::{Dump, Exported};
pub(crate) use source::{List, Rows};
pub use tally::Tally;

//! A rule file's text as a tree of values, each with its place.

mod mends;
mod tree;
mod yaml;

pub(crate) use tree::{Entry, Node};
pub(crate) use yaml::{read, too_long};

/// The longest rule file that is read.
///
/// The largest rule files are some tens of kilobytes; what is longer is another file, given by
/// mistake.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// How deep a rule file may nest: the language itself needs 6 levels.
pub(crate) const DEPTH_MAX: usize = 32;

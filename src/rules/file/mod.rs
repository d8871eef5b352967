//! The text of a rule file as a tree of values with their spans.

mod fixes;
mod tree;
mod yaml;

pub(crate) use tree::{Entry, Node};
pub(crate) use yaml::{read, too_long};

/// The longest rule file that is read.
///
/// The largest rule files have some tens of kilobytes. A longer file is a mistake.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// The most levels that a rule file may nest. The language itself needs 6.
pub(crate) const DEPTH_MAX: usize = 32;

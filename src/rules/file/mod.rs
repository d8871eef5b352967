//! Parses the text of a rule file into a tree of values with their spans.

mod fixes;
mod tree;
mod yaml;

pub(crate) use tree::{Entry, Node};
pub(crate) use yaml::{read, too_long};

/// The maximum length of a rule file, in bytes.
///
/// The largest rule files have some tens of kilobytes, so a file above this limit is probably not
/// a rule file.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// The maximum depth of nesting in a rule file. The rule language needs only 6 levels.
pub(crate) const DEPTH_MAX: usize = 32;

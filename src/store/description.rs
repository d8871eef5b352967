//! The description of an existing table.

use crate::data::KeySchema;

/// The result of describing a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// The table exists.
    Table(Description),
    /// The table does not exist.
    Missing,
    /// The caller has no permission to describe the table. Contains DynamoDB's error.
    Hidden(String),
}

/// A table's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its status, in DynamoDB's words.
    pub status: String,
    /// Its primary key.
    pub key: KeySchema,
    /// Its local and global secondary indexes.
    pub indexes: Vec<DescribedIndex>,
    /// The view type of its stream, if the stream is enabled.
    pub stream_view: Option<String>,
}

/// An index's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedIndex {
    /// Its name.
    pub name: String,
    /// Whether it is a global secondary index.
    pub is_global: bool,
    /// Its status, in DynamoDB's words.
    pub status: String,
    /// Its key; `None` if it has more attributes than a rule file can declare.
    pub key: Option<KeySchema>,
}

/// The status of a table or index that can be used.
pub const ACTIVE: &str = "ACTIVE";

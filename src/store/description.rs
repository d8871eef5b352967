//! What a real table looks like.

use crate::data::KeySchema;

/// What can be learnt of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// The table is there, and this is what it looks like.
    Table(Description),
    /// There is no such table.
    Missing,
    /// Whoever asks is not allowed to know.
    Hidden(String),
}

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its state, in DynamoDB's word.
    pub status: String,
    /// Its key.
    pub key: KeySchema,
    /// Its indexes.
    pub indexes: Vec<DescribedIndex>,
    /// The view type of its stream, if that is turned on.
    pub stream_view: Option<String>,
}

/// What an index looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedIndex {
    /// Its name.
    pub name: String,
    /// Whether it is a global one.
    pub is_global: bool,
    /// Its state, in DynamoDB's word.
    pub status: String,
    /// Its key, which may have more attributes than rules can tell of: then there is none here.
    pub key: Option<KeySchema>,
}

/// What is there and can be used.
pub const ACTIVE: &str = "ACTIVE";

//! The schema of a table to create.

use crate::data::KeySchema;

/// The schema of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// The table's name.
    pub name: String,
    /// Its primary key.
    pub key: KeySchema,
    /// Its global secondary indexes.
    pub indexes: Vec<IndexSchema>,
}

/// A global secondary index that projects every attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSchema {
    /// The index's name.
    pub name: String,
    /// Its key.
    pub key: KeySchema,
}

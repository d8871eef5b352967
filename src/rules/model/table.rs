//! Tables and their indexes.

use crate::data::KeySchema;

/// A table that the rules watch or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name that the rule file gives it.
    pub alias: String,
    /// The table's own name in DynamoDB.
    pub name: String,
    /// Its primary key.
    pub key: KeySchema,
    /// The character that ends a capture in key templates.
    pub separator: char,
    /// The indexes that the rules look things up by.
    pub indexes: Vec<TableIndex>,
}

/// A global secondary index, as far as the rules tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableIndex {
    /// The index's name.
    pub name: String,
    /// Its key.
    pub key: KeySchema,
}

//! Tables and their indexes.

use crate::data::KeySchema;
use crate::rules::template::Separator;

/// A table that the rules watch or read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// The table's name in the rule file.
    pub alias: String,
    /// The table's name in DynamoDB.
    pub name: String,
    /// The table's primary key.
    pub key: KeySchema,
    /// The text that ends a capture in key templates.
    pub separator: Separator,
    /// The TTL attribute, if the table has one.
    pub ttl: Option<String>,
    /// The Region of the table's stream; `None` for that of the function.
    pub region: Option<String>,
    /// The account of the table's stream; `None` for that of the function.
    pub account: Option<String>,
    /// The indexes that references name in `find`.
    pub indexes: Vec<TableIndex>,
}

/// A global secondary index, as the rule file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableIndex {
    /// The index's name.
    pub name: String,
    /// The index's key. The sort key is `None` if no rule uses it.
    pub key: KeySchema,
}

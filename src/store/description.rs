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

/// A table's setting of time to live (TTL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeToLive {
    /// Items expire at the time in this attribute.
    On(String),
    /// No item expires.
    Off,
    /// The caller has no permission to describe it.
    Hidden,
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
    /// The ARN of its newest stream, which may be disabled.
    pub stream_arn: Option<String>,
    /// Its size.
    pub size: Size,
    /// Its capacity for reads.
    pub reads: ReadCapacity,
}

/// The size of a table. DynamoDB updates it about every six hours.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// The number of items.
    pub items: u64,
    /// The size of all items, in bytes.
    pub bytes: u64,
}

/// How much may be read from a table, and how it is billed.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadCapacity {
    /// Each read unit is billed.
    OnDemand {
        /// The maximum number of read units a second, if the table has one.
        units_per_second_max: Option<u64>,
    },
    /// This many read units a second are reserved, for all clients together, and billed by the
    /// hour.
    Provisioned {
        /// The number of read units a second.
        units_per_second: u64,
    },
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

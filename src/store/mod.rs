//! The database interface that the engine uses, in DynamoDB's own terms.
//!
//! Requests name tables by their DynamoDB names and keys by their attributes, as DynamoDB's API
//! does. Every answer includes the capacity that it consumed.

mod condition;
pub mod description;
#[cfg(feature = "aws")]
mod dynamodb;
#[cfg(any(feature = "aws", feature = "cli"))]
pub(crate) mod expression;
#[cfg(any(feature = "cli", test))]
pub mod memory;
pub mod scan;
pub mod schema;

use std::future::Future;

pub use condition::{Condition, Operand};
#[cfg(feature = "aws")]
pub use dynamodb::DynamoDb;
#[cfg(any(feature = "cli", test))]
pub use memory::Memory;

use crate::data::{Item, Path, Value};

/// The maximum number of keys in one [`Store::batch_get`].
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub const BATCH_GET_KEYS_MAX: usize = 100;
/// The maximum number of actions in one [`Store::transact`].
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const TRANSACT_ACTIONS_MAX: usize = 100;

/// A database with DynamoDB's semantics.
///
/// Implementations retry throttled requests and unprocessed keys themselves. They return an error
/// only after these retries.
pub trait Store {
    /// Reads up to [`BATCH_GET_KEYS_MAX`] distinct keys with strong consistency. The items are in
    /// the order of the keys, with `None` for each item that does not exist.
    fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> impl Future<Output = Result<Answer<Vec<Option<Item<'static>>>>, StoreError>>;

    /// Reads one page of a partition.
    fn query(&self, query: Query) -> impl Future<Output = Result<Answer<Page>, StoreError>>;

    /// Writes one item.
    fn write(&self, write: Write) -> impl Future<Output = Result<Answer<Written>, StoreError>>;

    /// Carries out up to [`TRANSACT_ACTIONS_MAX`] writes and checks on distinct items, all or none.
    fn transact(
        &self,
        actions: Vec<Write>,
    ) -> impl Future<Output = Result<Answer<Transacted>, StoreError>>;
}

/// An answer and its cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The capacity units that DynamoDB bills for it.
    pub units: Units,
}

/// Capacity units, as DynamoDB bills them.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Units {
    /// Read units: 4 KB each with strong consistency, 8 KB each with eventual consistency.
    pub read: f64,
    /// Write units: 1 KB each; a transaction consumes twice as many.
    pub write: f64,
}

impl std::ops::AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}

/// One item to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The table's name.
    pub table: String,
    /// The item's key attributes.
    pub key: Item<'static>,
    /// The top-level attributes to return; all if absent.
    pub attributes: Option<Vec<String>>,
}

/// One page of a partition to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table's name.
    pub table: String,
    /// The index's name. If absent, the table itself is read with strong consistency.
    pub index: Option<String>,
    /// The partition key's name and value.
    pub partition: (String, Value<'static>),
    /// The condition on the sort key.
    pub sort: Option<SortCondition>,
    /// The top-level attributes to return; all projected attributes if absent.
    pub attributes: Option<Vec<String>>,
    /// The maximum number of items on this page.
    pub limit: Option<usize>,
    /// Where the page begins: [`Page::next`] of the previous page.
    pub start: Option<Item<'static>>,
}

/// A query's condition on the sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// The named attribute has this value.
    Equals(String, Value<'static>),
    /// The named attribute begins with this string or binary.
    BeginsWith(String, Value<'static>),
}

/// One page of the items of a query, in key order, or of a scan, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item<'static>>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Item<'static>>,
}

/// One write, or one check in a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table's name.
    pub table: String,
    /// What to write.
    pub action: Action,
    /// The condition that the current item must meet.
    pub condition: Option<Condition>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Creates this item, or replaces the whole item with the same key.
    Put(Item<'static>),
    /// Changes the item with this key. An update creates a missing item, unless every clause only
    /// removes something.
    Update {
        /// The item's key attributes.
        key: Item<'static>,
        /// The changes, applied all at once.
        clauses: Vec<Clause>,
    },
    /// Deletes the item with this key, if it exists.
    Delete(Item<'static>),
    /// Checks the condition and changes nothing; allowed only in transactions.
    Check(Item<'static>),
}

/// One change of an update. Every clause refers to the item as it was before the update.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// `SET path = :value`; an index beyond the end of a list appends to the list.
    Set(Path, Value<'static>),
    /// `REMOVE path`: an attribute, a map's key, or a list element; later elements move up.
    Remove(Path),
    /// `DELETE path :set`: removes these elements from a set; an empty set is removed.
    Delete(Path, Value<'static>),
}

impl Clause {
    /// The path that the clause changes.
    #[must_use]
    pub const fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Delete(path, _) => path,
        }
    }
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The write was applied.
    Applied,
    /// The condition did not hold. Contains the current item, if it exists.
    ConditionFailed(Option<Item<'static>>),
}

/// The result of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transacted {
    /// Every action was applied.
    Applied,
    /// No action was applied. Contains one reason for each action.
    Canceled(Vec<CancellationReason>),
}

/// Why an action cancelled its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancellationReason {
    /// This action did not cancel it: DynamoDB's literal string `None`.
    None,
    /// The condition did not hold. Contains the current item, if it exists.
    ConditionFailed(Option<Item<'static>>),
    /// Another request was writing the item.
    Conflict,
    /// The item's partition exceeded its capacity.
    Throttled,
    /// DynamoDB refused the action: a wrong type, or an item that is too large.
    Invalid(String),
}

/// Why a request failed. Each variant calls for a different reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The same request may succeed later. It may even have been carried out.
    #[error("{0}")]
    Retry(String),
    /// The table or one of its partitions has exceeded its capacity, and still does after all
    /// retries. The same request may succeed later.
    #[error("{0}")]
    Throttled(String),
    /// The request is invalid for this item and will never succeed.
    #[error("{0}")]
    Rejected(String),
    /// No request of this kind can succeed until an operator fixes the configuration.
    #[error("{0}")]
    Fatal(String),
}

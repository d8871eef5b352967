//! What the engine asks of a database, in DynamoDB's own terms.
//!
//! Requests name tables by their own names and keys by their attributes, as DynamoDB's API does.
//! Every answer says what it cost.

mod condition;
pub mod description;
#[cfg(feature = "aws")]
mod dynamodb;
#[cfg(any(feature = "aws", feature = "cli"))]
pub(crate) mod expression;
pub mod memory;
pub mod schema;

use std::future::Future;

pub use condition::{Condition, Operand};
#[cfg(feature = "aws")]
pub use dynamodb::DynamoDb;
pub use memory::Memory;

use crate::data::{Item, Path, Value};

/// The most keys of one [`Store::batch_get`].
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub const BATCH_GET_KEYS_MAX: usize = 100;
/// The most actions of one [`Store::transact`].
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const TRANSACT_ACTIONS_MAX: usize = 100;

/// A database that answers as DynamoDB does.
///
/// Throttling and unprocessed keys are retried inside; an error that comes out is final for this
/// attempt.
pub trait Store {
    /// Reads up to [`BATCH_GET_KEYS_MAX`] distinct keys, strongly consistently. The items come in
    /// the order of the keys, with nothing for the ones that do not exist.
    fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> impl Future<Output = Result<Answer<Vec<Option<Item<'static>>>>, StoreError>>;

    /// Reads one page of a partition.
    fn query(&self, query: Query) -> impl Future<Output = Result<Answer<Page>, StoreError>>;

    /// Writes one item.
    fn write(&self, write: Write) -> impl Future<Output = Result<Answer<Written>, StoreError>>;

    /// Makes up to [`TRANSACT_ACTIONS_MAX`] writes and checks on distinct items, all or none.
    fn transact(
        &self,
        actions: Vec<Write>,
    ) -> impl Future<Output = Result<Answer<Transacted>, StoreError>>;
}

/// An answer, and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// What DynamoDB bills for it.
    pub units: Units,
}

/// Capacity units, as DynamoDB bills them.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Units {
    /// Read units: 4 KB strongly consistent; half a unit if eventually consistent.
    pub read: f64,
    /// Write units: 1 KB; twice that in a transaction.
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
    /// The attributes wanted (top-level names), or all.
    pub attributes: Option<Vec<String>>,
}

/// One page of a partition to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table's name.
    pub table: String,
    /// The index's name; without one, the table itself is read, strongly consistently.
    pub index: Option<String>,
    /// The partition key's name and value.
    pub partition: (String, Value<'static>),
    /// What the sort key must be.
    pub sort: Option<SortCondition>,
    /// The attributes wanted (top-level names), or all that are projected.
    pub attributes: Option<Vec<String>>,
    /// The most items that this page may have.
    pub limit: Option<usize>,
    /// Where the page begins: [`Page::next`] of the one before.
    pub start: Option<Item<'static>>,
}

/// What a query asks of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// The named attribute has this value.
    Equals(String, Value<'static>),
    /// The named attribute begins with this string or binary.
    BeginsWith(String, Value<'static>),
}

/// One page of a query's items, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item<'static>>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Item<'static>>,
}

/// One write, or in a transaction one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table's name.
    pub table: String,
    /// What is written.
    pub action: Action,
    /// What must hold of the item as it is.
    pub condition: Option<Condition>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Puts this whole item in the place of what is there.
    Put(Item<'static>),
    /// Changes the item with this key, and makes it if it is not there, unless all clauses take
    /// something away.
    Update {
        /// The item's key attributes.
        key: Item<'static>,
        /// What is changed of it, all at once.
        clauses: Vec<Clause>,
    },
    /// Deletes the item with this key, if it exists.
    Delete(Item<'static>),
    /// Changes nothing, and only checks the condition: transactions only.
    Check(Item<'static>),
}

/// What an update changes of an item. All clauses of an update speak of the item as it was before.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// `SET path = :value`; an element beyond the end of a list is added at its end.
    Set(Path, Value<'static>),
    /// `REMOVE path`: an attribute, a map's key, or an element of a list, whose followers move up.
    Remove(Path),
    /// `DELETE path :set`: these elements of a set; an emptied set disappears.
    Delete(Path, Value<'static>),
}

impl Clause {
    /// The path that it changes.
    #[must_use]
    pub const fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Delete(path, _) => path,
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was made.
    Applied,
    /// Its condition did not hold; this is the item as it is, if there is one.
    ConditionFailed(Option<Item<'static>>),
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transacted {
    /// All of it was made.
    Applied,
    /// None of it was made; why, action by action.
    Canceled(Vec<CancellationReason>),
}

/// Why an action cancelled its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancellationReason {
    /// It did not: DynamoDB's literal string `None`.
    None,
    /// Its condition did not hold; this is the item as it is, if there is one.
    ConditionFailed(Option<Item<'static>>),
    /// Another request was writing the item.
    Conflict,
    /// The item's partition is over its capacity.
    Throttled,
    /// DynamoDB refuses the action: a wrong type, an item too large.
    Invalid(String),
}

/// Why a request was not answered, by what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The same request may succeed later; it may even have been carried out.
    #[error("{0}")]
    Retry(String),
    /// The request is wrong for this item, and will be every time.
    #[error("{0}")]
    Rejected(String),
    /// No request of this kind can succeed until someone mends the set-up.
    #[error("{0}")]
    Fatal(String),
}

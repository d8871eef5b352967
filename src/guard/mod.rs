//! Guards for applications: the transaction that writes an item only if its references are whole.
//!
//! A stream is read after the write. Who must have a wrong write refused writes in a transaction,
//! with a `ConditionCheck` for each referenced item; here, the rules say which.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
//!
//! # Layout
//!
//! A subject is an item that is given (`given`), or an entity with placeholders in the place of
//! values (`named`). `assemble` makes a transaction of it, and `snippet` the text of a language.

mod assemble;
mod expression;
mod given;
mod named;
mod snippet;
mod subject;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::data::Item;
use crate::rules::model::{EntityId, Rules, TableId};
use crate::store::Condition;

pub use snippet::Language;

/// Attributes in DynamoDB's JSON, in which a placeholder may stand for any value.
pub(crate) type Attributes = BTreeMap<String, Json>;

/// What the application is about to do to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Write it whole.
    Put,
    /// Set some of its attributes.
    Update,
    /// Delete it.
    Delete,
}

/// A transaction that is refused where a reference would break.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    actions: Vec<Action>,
    /// What the transaction cannot promise, and what it leaves to its reader.
    pub notes: Vec<String>,
}

/// Why there is no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The item is wrong in itself; each way in words.
    #[error("{}", .0.join("\n"))]
    Broken(Vec<String>),
    /// No transaction can do what is asked for.
    #[error("{0}")]
    Impossible(String),
}

/// The transaction for an item of an entity, with placeholders for its values.
pub fn guard_entity(
    rules: &Rules,
    entity: EntityId,
    operation: Operation,
) -> Result<Transaction, Refusal> {
    assemble::assemble(rules, &named::subject(rules, entity, operation)?, operation)
}

/// The transaction for this item. An update sets the attributes that are given; a delete needs the
/// key alone.
pub fn guard_item(
    rules: &Rules,
    table: TableId,
    item: &Item<'_>,
    operation: Operation,
) -> Result<Transaction, Refusal> {
    assemble::assemble(rules, &given::subject(rules, table, item, operation)?, operation)
}

/// One action of the transaction.
#[derive(Debug, Clone, PartialEq)]
struct Action {
    kind: Kind,
    /// The table's name in DynamoDB.
    table: String,
    key: Attributes,
    /// Of a put, the other attributes; of an update, those that it sets.
    content: Attributes,
    condition: Option<Condition>,
    /// What it is there for.
    reasons: Vec<String>,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Put,
    Update,
    Delete,
    Check,
}

//! Guards for applications: the transaction that writes an item only if the items it refers to
//! exist.
//!
//! A stream is read after the write, so Referee cannot refuse a write. An application can, by using
//! a transaction that has a `ConditionCheck` for each referenced item. This module derives these
//! checks from the rules.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
//!
//! # Layout
//!
//! A subject is the item to write. It is made from an item (`from_item`) or from an entity, with
//! placeholders as values (`from_entity`). `assemble` turns it into a transaction, and `snippet`
//! prints the transaction as code.

mod assemble;
mod expression;
mod from_entity;
mod from_item;
mod snippet;
mod subject;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::data::Item;
use crate::rules::model::{EntityId, Rules, TableId};
use crate::store::Condition;

pub use snippet::Language;

/// Attributes in DynamoDB JSON. Any value may be a placeholder.
pub(crate) type Attributes = BTreeMap<String, Json>;

/// The write that is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Write the whole item.
    Put,
    /// Set some of its attributes.
    Update,
    /// Delete the item.
    Delete,
}

/// A transaction that fails instead of breaking a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    actions: Vec<TransactAction>,
    /// What the transaction does not guarantee, and what the reader must change in it.
    pub notes: Vec<String>,
}

/// Why there is no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The item itself violates rules. Contains a message for each violation.
    #[error("{}", .0.join("\n"))]
    Broken(Vec<String>),
    /// No transaction can guard this write.
    #[error("{0}")]
    Impossible(String),
}

/// The transaction for an item of an entity, with placeholders for its values.
pub fn guard_entity(
    rules: &Rules,
    entity: EntityId,
    operation: Operation,
) -> Result<Transaction, Refusal> {
    assemble::assemble(rules, &from_entity::subject(rules, entity, operation)?, operation)
}

/// The transaction for this item. An update sets the given attributes; a delete needs only the key.
pub fn guard_item(
    rules: &Rules,
    table: TableId,
    item: &Item<'_>,
    operation: Operation,
) -> Result<Transaction, Refusal> {
    assemble::assemble(rules, &from_item::subject(rules, table, item, operation)?, operation)
}

/// One action of the transaction.
#[derive(Debug, Clone, PartialEq)]
struct TransactAction {
    kind: ActionKind,
    /// The table's name in DynamoDB.
    table: String,
    key: Attributes,
    /// For a put, the other attributes; for an update, the attributes to set.
    content: Attributes,
    condition: Option<Condition>,
    /// Why the action is in the transaction, for comments in the printed code.
    reasons: Vec<String>,
}

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActionKind {
    Put,
    Update,
    Delete,
    Check,
}

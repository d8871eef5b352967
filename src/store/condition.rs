//! Conditions on the item as it is: the part of DynamoDB's condition expressions that is needed.

use crate::data::{Item, Path, Value};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `attribute_exists(path)`.
    Exists(Path),
    /// `attribute_not_exists(path)`.
    NotExists(Path),
    /// `path OP :value`; false if there is nothing at the path or it is of another type.
    Compare(Path, Operand, Value<'static>),
    /// All of these.
    All(Vec<Condition>),
    /// One of these at least.
    Any(Vec<Condition>),
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
}

impl Condition {
    /// Whether the condition holds of an item, or of none.
    #[must_use]
    pub fn holds(&self, item: Option<&Item<'_>>) -> bool {
        let _ = item;
        unimplemented!()
    }
}

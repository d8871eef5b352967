//! Conditions that check whether an item of an entity exists at a key.

use crate::data::Path;
use crate::rules::model::{EntityId, Rules};
use crate::store::{Condition, Operand};

/// Requires that an item of the entity is at the key.
pub(crate) fn is_there(rules: &Rules, entity: EntityId) -> Condition {
    Condition::All(is_one(rules, entity).collect())
}

/// The conditions that every item of the entity meets.
pub(crate) fn is_one(rules: &Rules, entity: EntityId) -> impl Iterator<Item = Condition> + '_ {
    let exists = Condition::Exists(partition(rules, entity));
    std::iter::once(exists).chain(conditions(rules, entity))
}

/// Requires that no item of the entity is at the key. An item of another entity may be there.
pub(crate) fn is_not_there(rules: &Rules, entity: EntityId) -> Condition {
    let is_other = conditions(rules, entity).map(|holds| Condition::Not(Box::new(holds)));
    Condition::Any(std::iter::once(nothing_is_there(rules, entity)).chain(is_other).collect())
}

/// Requires that no item is at the key.
pub(crate) fn nothing_is_there(rules: &Rules, entity: EntityId) -> Condition {
    Condition::NotExists(partition(rules, entity))
}

/// The attribute that every item has: the partition key of the entity's table.
pub(crate) fn partition(rules: &Rules, entity: EntityId) -> Path {
    Path::attribute(&rules.key_schema(entity).partition.name)
}

fn conditions(rules: &Rules, entity: EntityId) -> impl Iterator<Item = Condition> + '_ {
    rules[entity]
        .conditions
        .iter()
        .map(|(path, value)| Condition::Compare(path.clone(), Operand::Equal, value.clone()))
}

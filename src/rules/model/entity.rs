//! Entities: the kinds of item.

use std::collections::BTreeMap;

use super::ids::TableId;
use crate::data::{Item, Path, Type, Value};
use crate::rules::template::EntityKey;

/// A kind of item: the keys it has, and what tells it from others with the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// The entity's name.
    pub name: String,
    /// The table whose items these are.
    pub table: TableId,
    /// The templates of its key.
    pub key: EntityKey,
    /// The attributes that rules use, by path.
    pub attributes: BTreeMap<Path, Type>,
    /// What an item of this kind holds besides: a value for each of these paths.
    pub conditions: Vec<(Path, Value<'static>)>,
}

impl Entity {
    /// Whether an item with a matching key is of this kind.
    #[must_use]
    pub fn admits(&self, item: &Item<'_>) -> bool {
        self.conditions.iter().all(|(path, value)| path.lookup(item) == Some(value))
    }
}

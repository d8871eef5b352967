//! Entities: the kinds of item.

use std::collections::BTreeMap;

use super::ids::TableId;
use crate::data::{Item, Path, Type, Value};
use crate::rules::template::EntityKey;

/// A kind of item. The key templates and the `where` conditions distinguish its items from all
/// other items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entity {
    /// The entity's name.
    pub name: String,
    /// The table that holds the items.
    pub table: TableId,
    /// The templates of the key.
    pub key: EntityKey,
    /// The attributes that rules use, by path.
    pub attributes: BTreeMap<Path, Type>,
    /// The entity's `where` conditions: paths, and the value that an item must have at each path.
    pub conditions: Vec<(Path, Value<'static>)>,
}

impl Entity {
    /// Whether an item whose key matches the templates also meets the `where` conditions.
    #[must_use]
    pub fn admits(&self, item: &Item<'_>) -> bool {
        self.conditions.iter().all(|(path, value)| path.lookup(item) == Some(value))
    }
}

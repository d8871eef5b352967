//! Entities: the kinds of item.

use std::collections::BTreeMap;

use super::condition::Test;
use super::ids::TableId;
use crate::data::{Item, Path, Type};
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
    /// The templates of attributes that contain captures, each as that of a partition key.
    pub templates: BTreeMap<Path, EntityKey>,
    /// The entity's `where` conditions: paths, and what an item must have at each path. A path may
    /// occur several times.
    pub conditions: Vec<(Path, Test)>,
}

impl Entity {
    /// Whether an item whose key matches the templates also meets the `where` conditions, apart
    /// from those that depend on the time.
    #[must_use]
    pub fn admits(&self, item: &Item<'_>) -> bool {
        self.conditions.iter().all(|(path, test)| test.holds(path.lookup(item)))
    }

    /// Whether an item meets the conditions that depend on the time, in milliseconds since 1970.
    #[must_use]
    pub fn is_current(&self, item: &Item<'_>, now_ms: i64) -> bool {
        let mut timed = self.conditions.iter().filter(|(_, test)| test.is_timed());
        timed.all(|(path, test)| test.holds_at(path.lookup(item), now_ms))
    }

    /// Whether a condition depends on the time.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.conditions.iter().any(|(_, test)| test.is_timed())
    }
}

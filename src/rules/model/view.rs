//! Views: the items of an entity, by the key of an index.

use super::entity::Entity;
use super::ids::EntityId;
use super::table::Table;
use crate::data::{Item, Key};

/// The items of an entity as a global secondary index shows them, for references that know the key
/// of the index instead of the table's.
///
/// For these references, the index is like a table: [`Self::table`] has its key, and [`Self::entity`]
/// the templates of that key. Both have ids, as if they followed the declared tables and entities.
/// Several items may have the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// The entity of the items.
    pub of: EntityId,
    /// The position of the index among the indexes of the entity's table.
    pub index: usize,
    /// The table, with the key of the index.
    pub table: Table,
    /// The entity, with the templates of the index's key and the conditions of `where`.
    pub entity: Entity,
}

impl View {
    /// The index's name.
    #[must_use]
    pub fn index_name<'r>(&self, rules: &'r super::Rules) -> &'r str {
        let index = rules.table_of(self.of).indexes.get(self.index);
        index.map_or("", |index| index.name.as_str())
    }

    /// The key of an item in the index; `None` if the item is not in it, or no reference can have
    /// this key.
    #[must_use]
    pub fn key_of(&self, item: &Item<'_>) -> Option<Key<'static>> {
        let key = self.table.key.key_of(item).ok()?;
        self.entity.key.matches(&key).then(|| key.into_owned())
    }
}

//! Whether an item belongs to any entity.

use super::index::{Index, Projection};
use crate::data::{Item, Key};
use crate::rules::model::{Entity, EntityId, Rules, TableId};

/// Whether the item belongs to no entity of its table, of those that rules use and of all others:
/// no key matches, or no entity's `where` holds.
pub(crate) fn is_unknown(rules: &Rules, table: TableId, key: &Key<'_>, item: &Item<'_>) -> bool {
    !candidates(rules, table, key).any(|(_, entity)| entity.admits(item))
}

/// The attributes that [`is_unknown`] looks at.
pub(crate) fn projection(
    rules: &Rules,
    index: &Index,
    table: TableId,
    key: &Key<'_>,
) -> Projection {
    let mut projection = Projection::Names(rules[table].key.names().map(str::to_owned).collect());
    for (id, _) in candidates(rules, table, key) {
        projection.extend(&index.existence(id));
    }
    projection
}

fn candidates<'r>(
    rules: &'r Rules,
    table: TableId,
    key: &Key<'_>,
) -> impl Iterator<Item = (EntityId, &'r Entity)> {
    (0..)
        .map(EntityId)
        .zip(&rules.entities)
        .filter(move |(_, entity)| entity.table == table && entity.key.parse(key).is_some())
}

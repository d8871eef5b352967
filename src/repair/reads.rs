//! Reads items by their names.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::Item;
use crate::integrity::finding::ItemName;
use crate::rules::model::Rules;
use crate::store::{BATCH_GET_KEYS_MAX, Read, Store, StoreError};

/// Items as they were read; a missing item is `None`.
pub(super) type Items = BTreeMap<ItemName, Option<Item<'static>>>;

/// Reads items with strong consistency, with all their attributes.
pub(super) async fn read_items(
    rules: &Rules,
    store: &impl Store,
    names: impl IntoIterator<Item = ItemName>,
) -> Result<Items, StoreError> {
    let names: Vec<ItemName> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut items = Items::new();
    for chunk in names.chunks(BATCH_GET_KEYS_MAX) {
        let reads = chunk.iter().map(|name| read(rules, name)).collect();
        let found = store.batch_get(reads).await?.value;
        items.extend(chunk.iter().cloned().zip(found));
    }
    Ok(items)
}

fn read(rules: &Rules, name: &ItemName) -> Read {
    let table = &rules[name.table];
    Read { table: table.name.clone(), key: table.key.item_of(&name.key), attributes: None }
}

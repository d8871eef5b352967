//! A table's items and its indexes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::recorded::History;
use crate::data::{Item, Key, KeySchema};
use crate::store::schema::{IndexSchema, TableSchema};

/// A table with its items.
pub(super) struct Table {
    /// Its primary key.
    pub(super) key: KeySchema,
    /// Its indexes.
    pub(super) indexes: Vec<Index>,
    /// The history of each item that was ever written, whether it still exists or not.
    pub(super) histories: BTreeMap<Key<'static>, History>,
    items: BTreeMap<Key<'static>, Item<'static>>,
}

/// An index: for each index key, the primary keys of the items that have it.
///
/// Items that lack a key attribute, or have it with another type, are not in the index.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html>
pub(super) struct Index {
    /// The index's name and key.
    pub(super) schema: IndexSchema,
    entries: BTreeMap<Key<'static>, BTreeSet<Key<'static>>>,
}

impl Table {
    pub(super) fn new(schema: TableSchema) -> Self {
        let index = |schema| Index { schema, entries: BTreeMap::new() };
        Self {
            key: schema.key,
            indexes: schema.indexes.into_iter().map(index).collect(),
            histories: BTreeMap::new(),
            items: BTreeMap::new(),
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.schema.name == name)
    }

    pub(super) fn item(&self, key: &Key<'static>) -> Option<&Item<'static>> {
        self.items.get(key)
    }

    /// The items in key order.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item<'static>> {
        self.items.values()
    }

    /// The items in key order, beginning at this key.
    pub(super) fn items_from<'t>(&'t self, lowest: &Key<'static>) -> Entries<'t> {
        Box::new(self.items.range(lowest..).map(|(key, item)| Entry {
            at: Cow::Borrowed(key),
            key,
            item,
        }))
    }

    /// The items with their keys, in key order, after this key.
    pub(super) fn entries_after(
        &self,
        start: Option<&Key<'static>>,
    ) -> impl Iterator<Item = (&Key<'static>, &Item<'static>)> {
        let after = start.map_or(Bound::Unbounded, Bound::Excluded);
        self.items.range::<Key<'static>, _>((after, Bound::Unbounded))
    }

    /// The items in the order of index key and primary key, beginning at this index key.
    pub(super) fn index_from<'t>(&'t self, index: &'t Index, lowest: &Key<'static>) -> Entries<'t> {
        Box::new(index.entries.range(lowest..).flat_map(move |(at, keys)| {
            keys.iter().filter_map(move |key| {
                Some(Entry { at: Cow::Borrowed(at), key, item: self.items.get(key)? })
            })
        }))
    }

    /// Replaces or deletes the item with this key. Returns the previous item.
    pub(super) fn replace(
        &mut self,
        key: &Key<'static>,
        image: Option<Item<'static>>,
    ) -> Option<Item<'static>> {
        for index in &mut self.indexes {
            index.replace(key, self.items.get(key), image.as_ref());
        }
        match image {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(key),
        }
    }
}

impl Index {
    /// Whether an attribute is part of the index's key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.schema.key.names().any(|key| key == name)
    }

    fn replace(&mut self, key: &Key<'static>, old: Option<&Item<'_>>, new: Option<&Item<'_>>) {
        if let Some(at) = self.schema.entry_of(old)
            && let Some(keys) = self.entries.get_mut(&at)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.entries.remove(&at);
            }
        }
        if let Some(at) = self.schema.entry_of(new) {
            self.entries.entry(at).or_default().insert(key.clone());
        }
    }
}

impl IndexSchema {
    /// The index key of an item, if the item is in the index.
    pub(super) fn entry_of(&self, item: Option<&Item<'_>>) -> Option<Key<'static>> {
        Some(self.key.key_of(item?).ok()?.into_owned())
    }
}

/// An item found by a read.
pub(super) struct Entry<'t> {
    /// The key that orders the read: the index key or the primary key.
    pub(super) at: Cow<'t, Key<'static>>,
    /// The item's primary key.
    pub(super) key: &'t Key<'static>,
    /// The item.
    pub(super) item: &'t Item<'static>,
}

/// Items in the order of a read.
pub(super) type Entries<'t> = Box<dyn Iterator<Item = Entry<'t>> + 't>;

//! Reading: once per batch, each item once, and of it only what the rules look at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures_util::stream::{self, StreamExt as _};

use crate::data::{Item, Key};
use crate::integrity::index::Wanted;
use crate::rules::model::{EntityId, Rules, TableId};
use crate::store::{BATCH_GET_KEYS_MAX, Read, Store, StoreError};

/// How many requests are under way at once.
pub(crate) const CONCURRENCY: usize = 16;

/// The items to read.
#[derive(Debug, Default)]
pub(crate) struct ReadSet<'p> {
    items: BTreeMap<TableId, BTreeMap<Key<'static>, Cow<'p, Wanted>>>,
}

impl<'p> ReadSet<'p> {
    /// Asks for an item.
    pub(crate) fn want(&mut self, table: TableId, key: &Key<'_>, wanted: Cow<'p, Wanted>) {
        let items = self.items.entry(table).or_default();
        // The ordinary item is asked for again and again with the same wants.
        let known: &BTreeMap<Key<'_>, _> = items;
        if known.get(key).is_some_and(|known| *known == wanted) {
            return;
        }
        match items.entry(key.clone().into_owned()) {
            Entry::Occupied(mut known) => known.get_mut().to_mut().extend(&wanted),
            Entry::Vacant(vacant) => {
                vacant.insert(wanted);
            }
        }
    }
}

/// What was read of one item: nothing if it does not exist, an error if it could not be read.
type Found = Result<Option<Item<'static>>, StoreError>;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    items: BTreeMap<TableId, BTreeMap<Key<'static>, Found>>,
}

impl Snapshot {
    /// An item that was asked for: nothing if it does not exist, an error if it could not be read.
    pub(crate) fn item<'s>(
        &'s self,
        table: TableId,
        key: &Key<'s>,
    ) -> Result<Option<&'s Item<'static>>, StoreError> {
        let of_table: Option<&BTreeMap<Key<'s>, Found>> = self.items.get(&table);
        match of_table.and_then(|items| items.get(key)) {
            Some(Ok(item)) => Ok(item.as_ref()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(StoreError::Retry("the item was not read".to_owned())),
        }
    }

    /// Whether an item of the entity is at the key, which was asked for.
    pub(crate) fn has(
        &self,
        rules: &Rules,
        entity: EntityId,
        key: &Key<'_>,
    ) -> Result<bool, StoreError> {
        let entity = &rules[entity];
        Ok(self.item(entity.table, key)?.is_some_and(|item| entity.admits(item)))
    }

    fn insert(&mut self, table: TableId, key: Key<'static>, found: Found) {
        self.items.entry(table).or_default().insert(key, found);
    }
}

/// Reads a set of items.
pub(crate) async fn fetch<S: Store>(rules: &Rules, store: &S, reads: ReadSet<'_>) -> Snapshot {
    let wanted: Vec<(TableId, Key<'static>, Cow<'_, Wanted>)> = reads
        .items
        .into_iter()
        .flat_map(|(table, items)| items.into_iter().map(move |(key, wanted)| (table, key, wanted)))
        .collect();
    let requests = wanted.chunks(BATCH_GET_KEYS_MAX).map(|chunk| async move {
        let reads = chunk.iter().map(|(table, key, wanted)| read(rules, *table, key, wanted));
        store.batch_get(reads.collect()).await
    });
    let answers: Vec<_> = stream::iter(requests).buffered(CONCURRENCY).collect().await;
    let found =
        answers.into_iter().zip(wanted.chunks(BATCH_GET_KEYS_MAX)).flat_map(|(answer, chunk)| {
            match answer {
                Ok(answer) => answer.value.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error); chunk.len()],
            }
        });
    let found: Vec<Found> = found.collect();
    let mut snapshot = Snapshot::default();
    for ((table, key, _), found) in wanted.into_iter().zip(found) {
        snapshot.insert(table, key, found);
    }
    snapshot
}

fn read(rules: &Rules, table: TableId, key: &Key<'static>, wanted: &Wanted) -> Read {
    let table = &rules[table];
    Read {
        table: table.name.clone(),
        key: table.key.item_of(key),
        attributes: wanted.to_projection(),
    }
}

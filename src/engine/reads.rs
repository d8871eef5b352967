//! Reading: once per batch, each item once, and of it only what the rules look at.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use super::plan::Wanted;
use crate::data::{Item, Key};
use crate::rules::model::{Rules, TableId};
use crate::store::{BATCH_GET_KEYS_MAX, Read, Store, StoreError};

/// How many requests are under way at once.
pub(crate) const CONCURRENCY: usize = 16;

/// The items to read.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    items: BTreeMap<(TableId, Key<'static>), Wanted>,
}

impl ReadSet {
    /// Asks for an item.
    pub(crate) fn want(&mut self, table: TableId, key: &Key<'static>, wanted: &Wanted) {
        self.items
            .entry((table, key.clone()))
            .and_modify(|known| known.extend(wanted))
            .or_insert_with(|| wanted.clone());
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    items: BTreeMap<(TableId, Key<'static>), Result<Option<Item<'static>>, StoreError>>,
}

impl Snapshot {
    /// An item that was asked for: nothing if it does not exist, an error if it could not be read.
    pub(crate) fn item(
        &self,
        table: TableId,
        key: &Key<'static>,
    ) -> Result<Option<&Item<'static>>, StoreError> {
        match self.items.get(&(table, key.clone())) {
            Some(Ok(item)) => Ok(item.as_ref()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(StoreError::Retry("the item was not read".to_owned())),
        }
    }
}

/// Reads a set of items.
pub(crate) async fn fetch<S: Store>(rules: &Rules, store: &S, reads: ReadSet) -> Snapshot {
    let wanted: Vec<_> = reads.items.into_iter().collect();
    let requests = wanted.chunks(BATCH_GET_KEYS_MAX).map(|chunk| async move {
        let reads = chunk.iter().map(|((table, key), wanted)| read(rules, *table, key, wanted));
        let answer = store.batch_get(reads.collect()).await;
        (chunk, answer)
    });
    let mut snapshot = Snapshot::default();
    let mut answers = stream::iter(requests).buffered(CONCURRENCY);
    while let Some((chunk, answer)) = answers.next().await {
        let keys = chunk.iter().map(|(name, _)| name.clone());
        match answer {
            Ok(answer) => snapshot.items.extend(keys.zip(answer.value.into_iter().map(Ok))),
            Err(error) => snapshot.items.extend(keys.map(|key| (key, Err(error.clone())))),
        }
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

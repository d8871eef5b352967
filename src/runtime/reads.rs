//! Reads many items at once: each item once, and only the attributes that are needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures_util::stream::{self, StreamExt as _};

use super::clock::Clock;
use super::in_index;
use super::pass::Pass;
use crate::data::{Item, Key};
use crate::integrity::finding::Unmet;
use crate::integrity::index::Projection;
use crate::integrity::mirror::Pair;
use crate::integrity::reference::{is_target, others, unmet};
use crate::rules::model::{ReferenceId, Rules, TableId};
use crate::store::{BATCH_GET_KEYS_MAX, Read, Store, StoreError};

/// The maximum number of requests in flight.
pub(crate) const CONCURRENCY: usize = 16;

/// The items to read. Only this type creates a [`Slot`], so items that were not asked for cannot be
/// looked at.
#[derive(Debug, Default)]
pub(crate) struct ReadSet<'p> {
    /// Read before the others.
    first: Items<'p>,
    others: Items<'p>,
    /// Items that are known by the key of an index.
    in_indexes: BTreeMap<(ReferenceId, Key<'static>), Slot>,
    len: usize,
}

type Items<'p> = BTreeMap<TableId, BTreeMap<Key<'static>, Wanted<'p>>>;

#[derive(Debug)]
struct Wanted<'p> {
    slot: Slot,
    projection: Cow<'p, Projection>,
}

/// The position of an item in the [`Snapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// The positions of the items of which one satisfies a reference.
#[derive(Debug, Clone)]
pub(crate) struct TargetSlots {
    own: (ReferenceId, Slot),
    others: Vec<(ReferenceId, Slot)>,
}

impl TargetSlots {
    /// The items, each with the alternative of the rule that leads to it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (ReferenceId, Slot)> {
        std::iter::once(self.own).chain(self.others.iter().copied())
    }
}

impl<'p> ReadSet<'p> {
    /// Asks for an item.
    pub(crate) fn want(
        &mut self,
        table: TableId,
        key: &Key<'_>,
        projection: Cow<'p, Projection>,
    ) -> Slot {
        want(&mut self.others, &mut self.len, table, key, projection)
    }

    /// Asks for an item that is read before those that [`want`](Self::want) asks for.
    pub(crate) fn want_first(
        &mut self,
        table: TableId,
        key: &Key<'_>,
        projection: Cow<'p, Projection>,
    ) -> Slot {
        want(&mut self.first, &mut self.len, table, key, projection)
    }

    /// Asks for the attributes that decide whether the item at a referenced key exists, and for
    /// those of the other items of which one is enough.
    pub(crate) fn want_target<S, C>(
        &mut self,
        pass: Pass<'p, S, C>,
        rule: ReferenceId,
        key: &Key<'_>,
    ) -> TargetSlots {
        let Pass { rules, index, .. } = pass;
        let mut want = |rule: ReferenceId, key: &Key<'_>| {
            let slot = if rules.view(rules[rule].to).is_some() {
                self.want_in_index(rule, key)
            } else {
                self.want(rules.referenced(rule).table, key, index.target(rule))
            };
            (rule, slot)
        };
        let own = want(rule, key);
        let others = others(rules, rule, key).map(|(rule, key)| want(rule, &key)).collect();
        TargetSlots { own, others }
    }

    /// Asks for an item that counts as existing for a reference and has this key in its index.
    fn want_in_index(&mut self, rule: ReferenceId, key: &Key<'_>) -> Slot {
        let len = &mut self.len;
        *self.in_indexes.entry((rule, key.clone().into_owned())).or_insert_with(|| {
            let slot = Slot(*len);
            *len += 1;
            slot
        })
    }

    /// Asks for a mirror and its source, in this order.
    ///
    /// The two are not read at the same moment, and the mirror is read first: if the source were read
    /// first, and both were written between the two reads, a correct mirror would seem to have no
    /// source.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
    pub(crate) fn want_pair<S, C>(&mut self, pass: Pass<'p, S, C>, pair: &Pair) -> [Slot; 2] {
        let Pass { rules, index, .. } = pass;
        let (mirror, source) = (rules.mirror_of(pair.rule).table, rules.source_of(pair.rule).table);
        [
            self.want_first(mirror, &pair.mirror, Cow::Owned(Projection::All)),
            self.want(source, &pair.source, index.source(pair.rule)),
        ]
    }

    /// Reads the items.
    pub(crate) async fn fetch(self, pass: Pass<'_, impl Store, impl Clock>) -> Snapshot {
        let read_ms = pass.clock.now_ms();
        let mut found: Vec<Option<Found>> = vec![None; self.len];
        for items in [self.first, self.others] {
            for (slot, item) in read_all(pass, items).await {
                if let Some(unread) = found.get_mut(slot.0) {
                    *unread = Some(item);
                }
            }
        }
        let searches = self.in_indexes.into_iter().map(|((rule, key), slot)| async move {
            (slot, in_index::find(pass, rule, &key, read_ms).await)
        });
        let mut searches = stream::iter(searches).buffered(CONCURRENCY);
        while let Some((slot, item)) = searches.next().await {
            if let Some(unread) = found.get_mut(slot.0) {
                *unread = Some(item);
            }
        }
        Snapshot { found, read_ms }
    }
}

/// The error of a bug. It must stop the run: if it asked for a retry, the record would be
/// redelivered for ever.
fn internal_error() -> StoreError {
    StoreError::Fatal("internal error: an item was not read".to_owned())
}

fn want<'p>(
    items: &mut Items<'p>,
    len: &mut usize,
    table: TableId,
    key: &Key<'_>,
    projection: Cow<'p, Projection>,
) -> Slot {
    let of_table = items.entry(table).or_default();
    // The same item is often asked for again. Its key is not copied in that case.
    let known: &BTreeMap<Key<'_>, _> = of_table;
    if let Some(known) = known.get(key).filter(|known| known.projection == projection) {
        return known.slot;
    }
    match of_table.entry(key.clone().into_owned()) {
        Entry::Occupied(mut known) => {
            known.get_mut().projection.to_mut().extend(&projection);
            known.get().slot
        }
        Entry::Vacant(vacant) => {
            let slot = Slot(*len);
            *len += 1;
            vacant.insert(Wanted { slot, projection });
            slot
        }
    }
}

/// The result of one read: `None` if the item does not exist, an error if it could not be read.
type Found = Result<Option<Item<'static>>, StoreError>;

/// The items that were read.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// By slot; `None` if the item was not read.
    found: Vec<Option<Found>>,
    /// When the items were read, in milliseconds since 1970.
    read_ms: i64,
}

impl Snapshot {
    /// When the items were read, in milliseconds since 1970.
    pub(crate) const fn read_ms(&self) -> i64 {
        self.read_ms
    }

    /// Returns an item: `None` if it does not exist, an error if it could not be read.
    pub(crate) fn item(&self, slot: Slot) -> Result<Option<&Item<'static>>, StoreError> {
        debug_assert!(slot.0 < self.found.len(), "a slot of another read set");
        match self.found.get(slot.0) {
            Some(Some(Ok(item))) => Ok(item.as_ref()),
            Some(Some(Err(error))) => Err(error.clone()),
            Some(None) | None => Err(internal_error()),
        }
    }

    /// Whether an item that a reference refers to exists.
    pub(crate) fn has_target(
        &self,
        rules: &Rules,
        targets: &TargetSlots,
    ) -> Result<bool, StoreError> {
        for (rule, slot) in targets.each() {
            if self.item(slot)?.is_some_and(|item| is_target(rules, rule, item, self.read_ms)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The condition because of which the item at a referenced key is not the one that a reference
    /// refers to; `None` if there is no such condition, or no item.
    pub(crate) fn unmet(
        &self,
        rules: &Rules,
        targets: &TargetSlots,
    ) -> Result<Option<Unmet>, StoreError> {
        for (rule, slot) in targets.each() {
            let found = self.item(slot)?.and_then(|item| unmet(rules, rule, item, self.read_ms));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

async fn read_all(pass: Pass<'_, impl Store, impl Clock>, items: Items<'_>) -> Vec<(Slot, Found)> {
    let wanted: Vec<(TableId, Key<'static>, Wanted<'_>)> = items
        .into_iter()
        .flat_map(|(table, items)| items.into_iter().map(move |(key, wanted)| (table, key, wanted)))
        .collect();
    let requests = wanted.chunks(BATCH_GET_KEYS_MAX).map(|chunk| async move {
        let reads = chunk
            .iter()
            .map(|(table, key, wanted)| read(pass.rules, *table, key, &wanted.projection));
        match pass.store.batch_get(reads.collect()).await {
            Ok(answer) => answer.value.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error); chunk.len()],
        }
    });
    let found: Vec<Vec<Found>> = stream::iter(requests).buffered(CONCURRENCY).collect().await;
    wanted.iter().map(|(_, _, wanted)| wanted.slot).zip(found.into_iter().flatten()).collect()
}

fn read(rules: &Rules, table: TableId, key: &Key<'static>, projection: &Projection) -> Read {
    let table = &rules[table];
    Read { table: table.name.clone(), key: table.key.item_of(key), attributes: projection.names() }
}

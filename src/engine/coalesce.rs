//! Coalescing: the changes of one item become one history.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::change::{Change, History};

/// Groups changes by item, in the order in which the items first appear.
///
/// Within an item, the order is that of the sequence numbers, and a record that is in the batch
/// twice counts once.
pub(super) fn coalesce(changes: Vec<Change<'_>>) -> Vec<History<'_>> {
    let mut places = HashMap::with_capacity(changes.len());
    let mut items: Vec<Vec<Change<'_>>> = Vec::with_capacity(changes.len());
    for change in changes {
        match places.entry((change.table, change.key.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(items.len());
                items.push(vec![change]);
            }
            Entry::Occupied(place) => {
                if let Some(steps) = items.get_mut(*place.get()) {
                    steps.push(change);
                }
            }
        }
    }
    items.into_iter().filter_map(in_order).collect()
}

fn in_order(mut steps: Vec<Change<'_>>) -> Option<History<'_>> {
    if steps.len() > 1 {
        steps.sort_by(|one, other| one.sequence.cmp(&other.sequence));
        steps.dedup_by(|one, other| one.sequence == other.sequence);
    }
    let last = steps.pop()?;
    Some(History { last, earlier: steps })
}

//! Coalescing: the changes of one item become one history.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::integrity::change::{Change, History};

/// Groups changes by item, in the order in which the items first appear.
///
/// Within an item, the order is that of the sequence numbers, and a record that is in the batch
/// twice counts once.
pub(crate) fn coalesce(changes: Vec<Change<'_>>) -> Vec<History<'_>> {
    let mut places = HashMap::with_capacity(changes.len());
    let mut histories: Vec<History<'_>> = Vec::with_capacity(changes.len());
    for change in changes {
        match places.entry((change.table, change.key.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(histories.len());
                histories.push(History { last: change, earlier: Vec::new() });
            }
            Entry::Occupied(place) => {
                if let Some(history) = histories.get_mut(*place.get()) {
                    add(history, change);
                }
            }
        }
    }
    histories
}

fn add<'a>(history: &mut History<'a>, change: Change<'a>) {
    match change.sequence.cmp(&history.last.sequence) {
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Greater => {
            history.earlier.push(std::mem::replace(&mut history.last, change));
        }
        std::cmp::Ordering::Less => {
            let place =
                history.earlier.binary_search_by(|known| known.sequence.cmp(&change.sequence));
            if let Err(place) = place {
                history.earlier.insert(place, change);
            }
        }
    }
}

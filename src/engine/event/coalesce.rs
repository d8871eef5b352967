//! Coalesces the changes of each item into one history.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::change::{History, StreamChange};

/// Groups changes by item, in the order in which the items first appear.
///
/// The changes of an item are in the order of their sequence numbers. A record that occurs twice in
/// the batch counts once.
pub(crate) fn coalesce(changes: Vec<StreamChange<'_>>) -> Vec<History<'_>> {
    let mut positions = HashMap::with_capacity(changes.len());
    let mut histories: Vec<History<'_>> = Vec::with_capacity(changes.len());
    for change in changes {
        match positions.entry((change.change.table, change.change.key.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(histories.len());
                histories.push(History { last: change, earlier: Vec::new() });
            }
            Entry::Occupied(position) => {
                if let Some(history) = histories.get_mut(*position.get()) {
                    add(history, change);
                }
            }
        }
    }
    histories
}

fn add<'a>(history: &mut History<'a>, change: StreamChange<'a>) {
    match change.sequence.cmp(&history.last.sequence) {
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Greater => {
            history.earlier.push(std::mem::replace(&mut history.last, change));
        }
        std::cmp::Ordering::Less => {
            let position =
                history.earlier.binary_search_by(|known| known.sequence.cmp(&change.sequence));
            if let Err(position) = position {
                history.earlier.insert(position, change);
            }
        }
    }
}

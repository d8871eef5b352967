//! Leads: following a finder's query to the items that refer to its target.

use super::plan::Plan;
use super::reads::{ReadSet, fetch};
use super::reference::Finder;
use crate::data::Key;
use crate::rules::model::Rules;
use crate::store::{Page, Query, Store, StoreError};

/// The items that refer to a finder's target.
#[derive(Debug, Default)]
pub(super) struct Leads {
    /// Their keys.
    pub(super) keys: Vec<Key<'static>>,
    /// Whether there are more.
    pub(super) more: bool,
}

/// Whether a finder's query leads to any item that may refer to its target.
pub(super) async fn leads_anywhere<S: Store>(
    rules: &Rules,
    store: &S,
    finder: &Finder,
) -> Result<bool, StoreError> {
    let mut start = None;
    loop {
        let page = store.query(Query { start, ..finder.query.clone() }).await?.value;
        if !leads(rules, finder, &page).is_empty() {
            return Ok(true);
        }
        start = page.next;
        if start.is_none() {
            return Ok(false);
        }
    }
}

/// Follows a finder's query until it has led to enough items that refer to its target.
pub(super) async fn referring<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    finder: &Finder,
    enough: usize,
) -> Result<Leads, StoreError> {
    let mut found = Leads::default();
    let mut start = None;
    loop {
        let page = store.query(Query { start, ..finder.query.clone() }).await?.value;
        let mut keys = leads(rules, finder, &page);
        if !finder.reads_referencing_items(rules) {
            keys = only_referring(rules, plan, store, finder, keys).await?;
        }
        found.more = keys.len() > enough - found.keys.len();
        keys.truncate(enough - found.keys.len());
        found.keys.append(&mut keys);
        start = page.next;
        if found.more || start.is_none() {
            return Ok(found);
        }
    }
}

/// The keys of items that may refer to the target, as far as a page of the query tells.
fn leads(rules: &Rules, finder: &Finder, page: &Page) -> Vec<Key<'static>> {
    page.items
        .iter()
        .filter(|item| !finder.reads_referencing_items(rules) || finder.refers(rules, item))
        .filter_map(|item| finder.lead(rules, item))
        .collect()
}

/// Of these keys, the ones whose items refer to the target: an index or a mirror only hints.
async fn only_referring<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    finder: &Finder,
    keys: Vec<Key<'static>>,
) -> Result<Vec<Key<'static>>, StoreError> {
    let from = &rules[rules[finder.rule].from];
    let mut reads = ReadSet::default();
    for key in &keys {
        reads.want(from.table, key, plan.referencing(finder.rule));
    }
    let snapshot = fetch(rules, store, reads).await;
    let mut referring = Vec::new();
    for key in keys {
        if snapshot.item(from.table, &key)?.is_some_and(|item| finder.refers(rules, item)) {
            referring.push(key);
        }
    }
    Ok(referring)
}

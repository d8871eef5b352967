//! Items that are known by the key of an index.

use super::clock::Clock;
use super::pass::Pass;
use crate::data::{Item, Key};
use crate::integrity::reference::is_target;
use crate::rules::model::{ReferenceId, View};
use crate::store::{Query, Read, SortCondition, Store, StoreError};

/// The number of items that a query returns at once. Usually, one item has the key.
const PAGE: usize = 10;

/// Returns an item that counts as existing for a reference and has this key in its index. If there is
/// none, returns another item of the entity with this key, if there is one.
///
/// An index may have any attributes, and lag behind its table. Each item is therefore read from the
/// table, too, and only the read decides.
pub(super) async fn find(
    pass: Pass<'_, impl Store, impl Clock>,
    rule: ReferenceId,
    key: &Key<'_>,
    now_ms: i64,
) -> Result<Option<Item<'static>>, StoreError> {
    let rules = pass.rules;
    let Some(view) = rules.view(rules[rule].to) else { return Ok(None) };
    let mut other = None;
    let mut start = None;
    loop {
        let page = pass.store.query(Query { start, ..query(pass, view, key) }).await?.value;
        let declared = &rules[view.of];
        let schema = rules.key_schema(view.of);
        let keys = page.items.iter().filter_map(|item| schema.key_of(item).ok());
        let reads: Vec<Read> = keys
            .filter(|key| declared.key.matches(key))
            .map(|key| Read {
                table: view.table.name.clone(),
                key: schema.item_of(&key.into_owned()),
                attributes: pass.index.target(rule).names(),
            })
            .collect();
        let read =
            if reads.is_empty() { Vec::new() } else { pass.store.batch_get(reads).await?.value };
        for item in read.into_iter().flatten() {
            if view.key_of(&item).as_ref() != Some(key) {
                continue;
            }
            if is_target(rules, rule, &item, now_ms) {
                return Ok(Some(item));
            }
            other = other.or(Some(item));
        }
        start = page.next;
        if start.is_none() {
            return Ok(other);
        }
    }
}

fn query<S, C>(pass: Pass<'_, S, C>, view: &View, key: &Key<'_>) -> Query {
    let schema = &view.table.key;
    let sort = schema.sort.as_ref().zip(key.sort.as_ref());
    Query {
        table: view.table.name.clone(),
        index: Some(view.index_name(pass.rules).to_owned()),
        partition: (schema.partition.name.clone(), key.partition.to_value().into_owned()),
        sort: sort.map(|(attribute, value)| {
            SortCondition::Equals(attribute.name.clone(), value.to_value().into_owned())
        }),
        attributes: None,
        limit: Some(PAGE),
        start: None,
    }
}

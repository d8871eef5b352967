//! `BatchGetItem` and `Query`.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity};

use super::error::Request;
use super::expression::Numbered;
use super::found::Finder;
use super::retry::{delays, retrying};
use super::value::{SdkItem, from_sdk, to_sdk};
use crate::data::{Item, KeyValue};
use crate::store::{Answer, Page, Query, Read, StoreError, Units};

/// Reads items by their keys, and requests unprocessed keys again.
///
/// DynamoDB leaves keys unprocessed if it throttles the request or if the response exceeds 16 MB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub(super) async fn batch_get(
    client: &Client,
    reads: &[Read],
) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
    let request = Request::new("BatchGetItem", reads.iter().map(|read| read.table.as_str()));
    let tables = keys_by_table(&request, reads)?;
    let mut pending = tables.clone();
    let positions = positions(reads);
    let mut found = vec![None; reads.len()];
    let mut units = Units::default();
    let mut delays = delays();
    loop {
        let finder = Finder::default();
        let batch = client
            .batch_get_item()
            .set_request_items(Some(pending))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        retrying(|| async {
            let sent = batch.clone().customize().interceptor(finder.clone()).send().await;
            sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
        })
        .await?;
        let answer = finder.take()?;
        units += answer.units;
        for (table, items) in answer.items {
            for item in items {
                insert(reads, &positions, &mut found, &table, item);
            }
        }
        if answer.unprocessed.iter().all(|(_, keys)| keys.is_empty()) {
            return Ok(Answer { value: found, units });
        }
        let Some(delay) = delays.next() else {
            return Err(StoreError::Retry(request.message("keys were left unprocessed")));
        };
        pending = answer.unprocessed.into_iter().filter_map(of_these(&tables)).collect();
        tokio::time::sleep(delay).await;
    }
}

/// Requests only these keys of a table.
fn of_these(
    tables: &HashMap<String, KeysAndAttributes>,
) -> impl Fn((String, Vec<Item<'static>>)) -> Option<(String, KeysAndAttributes)> {
    |(table, keys)| {
        let mut requested = tables.get(&table)?.clone();
        requested.keys = keys.into_iter().map(to_sdk).collect();
        Some((table, requested))
    }
}

/// Reads one page of a partition.
pub(super) async fn query(client: &Client, query: Query) -> Result<Answer<Page>, StoreError> {
    let request = Request::new("Query", [query.table.as_str()]);
    let mut placeholders = Numbered::default();
    let key_condition = placeholders.key_condition(query.partition, query.sort);
    let projection = query.attributes.map(|names| placeholders.projection(distinct(&names)));
    let (names, values) = placeholders.into_sdk();
    let request_page = client
        .query()
        .table_name(query.table)
        // Only the table itself, not an index, supports strongly consistent reads.
        .consistent_read(query.index.is_none())
        .set_index_name(query.index)
        .key_condition_expression(key_condition)
        .set_projection_expression(projection)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
        .set_exclusive_start_key(query.start.map(to_sdk))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let output = retrying(|| async {
        let sent = request_page.clone().send().await;
        sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
    })
    .await?;
    page(output.items, output.last_evaluated_key, output.consumed_capacity.as_ref())
}

/// The distinct names of a projection: DynamoDB refuses a name that occurs twice.
pub(super) fn distinct(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// The page of a `Query` or a `Scan`.
pub(super) fn page(
    items: Option<Vec<SdkItem>>,
    last_evaluated_key: Option<SdkItem>,
    consumed: Option<&ConsumedCapacity>,
) -> Result<Answer<Page>, StoreError> {
    let items = items.into_iter().flatten().map(from_sdk).collect::<Result<_, _>>()?;
    let next = last_evaluated_key.map(from_sdk).transpose()?;
    Ok(Answer { value: Page { items, next }, units: read_units(consumed) })
}

/// The requested keys by table.
///
/// The keys of a table share one projection: all attributes that any of the reads requests, and
/// the key attributes, which identify the returned items.
fn keys_by_table(
    request: &Request,
    reads: &[Read],
) -> Result<HashMap<String, KeysAndAttributes>, StoreError> {
    let mut tables: HashMap<&str, (Vec<SdkItem>, Option<BTreeSet<&str>>)> = HashMap::new();
    for read in reads {
        if read.attributes.as_ref().is_some_and(Vec::is_empty) {
            let message = "ValidationException: Invalid ProjectionExpression: The expression can \
                           not be empty;";
            return Err(StoreError::Rejected(request.message(message)));
        }
        let (keys, wanted) =
            tables.entry(&read.table).or_insert_with(|| (Vec::new(), Some(BTreeSet::new())));
        keys.push(to_sdk(read.key.clone()));
        match (&read.attributes, &mut *wanted) {
            (Some(attributes), Some(wanted)) => {
                wanted.extend(attributes.iter().map(String::as_str));
                wanted.extend(read.key.keys().map(AsRef::as_ref));
            }
            _ => *wanted = None,
        }
    }
    let of_table = |(table, (keys, wanted)): (&str, (_, Option<BTreeSet<&str>>))| {
        let mut placeholders = Numbered::default();
        let projection = wanted.map(|wanted| placeholders.projection(wanted));
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .set_projection_expression(projection)
            .set_expression_attribute_names(placeholders.into_sdk().0)
            .build()
            .map_err(|error| StoreError::Rejected(request.message(error)))?;
        Ok((table.to_owned(), keys))
    };
    tables.into_iter().map(of_table).collect()
}

/// For each table, the names of its key attributes, and the position of each read by key values.
type Positions<'r> = HashMap<&'r str, (Vec<&'r str>, HashMap<Vec<KeyValue<'r>>, usize>)>;

/// The positions of the reads, needed because DynamoDB returns items in no particular order.
fn positions(reads: &[Read]) -> Positions<'_> {
    let mut positions = Positions::new();
    for (position, read) in reads.iter().enumerate() {
        let (names, by_values) = positions.entry(&read.table).or_insert_with(|| {
            (read.key.keys().map(AsRef::as_ref).collect(), HashMap::with_capacity(reads.len()))
        });
        by_values.extend(key_values(&read.key, names).map(|values| (values, position)));
    }
    positions
}

/// The values of these attributes, if the item has all of them with types that a key can have.
fn key_values<'i>(item: &'i Item<'_>, names: &[&str]) -> Option<Vec<KeyValue<'i>>> {
    names.iter().map(|name| item.get(*name).and_then(KeyValue::from_value)).collect()
}

/// Stores an item at the position of its read, with the attributes that the read requested.
fn insert(
    reads: &[Read],
    positions: &Positions<'_>,
    found: &mut [Option<Item<'static>>],
    table: &str,
    mut item: Item<'static>,
) {
    let Some((names, by_values)) = positions.get(table) else { return };
    let Some(position) = key_values(&item, names).and_then(|values| by_values.get(&values)) else {
        return;
    };
    if let (Some(read), Some(found)) = (reads.get(*position), found.get_mut(*position)) {
        if let Some(wanted) = &read.attributes {
            item.retain(|name, _| wanted.iter().any(|wanted| wanted == name));
        }
        *found = Some(item);
    }
}

/// The read units of answers.
pub(super) fn read_units<'c>(consumed: impl IntoIterator<Item = &'c ConsumedCapacity>) -> Units {
    let read = consumed.into_iter().filter_map(|capacity| capacity.capacity_units).sum();
    Units { read, write: 0.0 }
}

//! `BatchGetItem`.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde::Serialize;

use super::error::Request;
use super::expression::{Numbered, SdkNames};
use super::found::{Finder, Found};
use super::retry::{delays, retrying};
use crate::data::{Item, KeyValue};
use crate::store::{Answer, Read, StoreError, Units};

/// Reads items by their keys, and requests unprocessed keys again.
///
/// DynamoDB leaves keys unprocessed if it throttles the request or if the response exceeds 16 MB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub(super) async fn batch_get(
    client: &Client,
    reads: &[Read],
) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
    let request = Request::new("BatchGetItem", reads.iter().map(|read| read.table.as_str()));
    let tables = by_table(&request, reads)?;
    let keys = tables.iter().map(|(table, asked)| (*table, asked.keys.iter().copied()));
    let mut body = body(&request, &tables, keys)?;
    let mut found = vec![None; reads.len()];
    let mut units = Units::default();
    let mut delays = delays();
    loop {
        let answer = send(client, &request, &tables, body).await?;
        units += answer.units;
        for (table, items) in answer.items {
            let Some(asked) = tables.get(table.as_str()) else { continue };
            for item in items {
                asked.insert(reads, &mut found, item);
            }
        }
        if answer.unprocessed.iter().all(|(_, keys)| keys.is_empty()) {
            return Ok(Answer { value: found, units });
        }
        let Some(delay) = delays.next() else {
            return Err(StoreError::Retry(request.message("keys were left unprocessed")));
        };
        let keys = answer.unprocessed.iter().map(|(table, keys)| (table.as_str(), keys.iter()));
        body = self::body(&request, &tables, keys)?;
        tokio::time::sleep(delay).await;
    }
}

/// What is requested of a table.
struct Asked<'r> {
    keys: Vec<&'r Item<'static>>,
    /// All attributes that any of the reads requests, and the key attributes, which identify the
    /// returned items; `None` for all attributes. The keys of a table share one projection.
    attributes: Option<BTreeSet<&'r str>>,
    /// The names of the key attributes.
    key_names: Vec<&'r str>,
    /// The positions of the reads, needed because DynamoDB returns items in no particular order.
    positions: HashMap<KeyValues<'r>, usize>,
}

/// The values of the partition key and of the sort key.
type KeyValues<'i> = (Option<KeyValue<'i>>, Option<KeyValue<'i>>);

type Tables<'r> = HashMap<&'r str, Asked<'r>>;

/// What is requested, by table.
fn by_table<'r>(request: &Request, reads: &'r [Read]) -> Result<Tables<'r>, StoreError> {
    let mut tables = Tables::new();
    for (position, read) in reads.iter().enumerate() {
        if read.attributes.as_ref().is_some_and(Vec::is_empty) {
            let message = "ValidationException: Invalid ProjectionExpression: The expression can \
                           not be empty;";
            return Err(StoreError::Rejected(request.message(message)));
        }
        let asked = tables.entry(&read.table).or_insert_with(|| Asked {
            keys: Vec::with_capacity(reads.len()),
            attributes: Some(BTreeSet::new()),
            key_names: read.key.keys().map(AsRef::as_ref).collect(),
            positions: HashMap::with_capacity(reads.len()),
        });
        asked.add(position, read);
    }
    Ok(tables)
}

impl<'r> Asked<'r> {
    fn add(&mut self, position: usize, read: &'r Read) {
        self.keys.push(&read.key);
        self.positions.insert(key_values(&read.key, &self.key_names), position);
        match (&read.attributes, &mut self.attributes) {
            (Some(attributes), Some(wanted)) => {
                wanted.extend(attributes.iter().map(String::as_str));
                wanted.extend(read.key.keys().map(AsRef::as_ref));
            }
            (None, _) | (Some(_), None) => self.attributes = None,
        }
    }

    /// Stores an item at the position of its read, with the attributes that the read requested.
    fn insert(&self, reads: &[Read], found: &mut [Option<Item<'static>>], mut item: Item<'static>) {
        let values = key_values(&item, &self.key_names);
        let Some(position) = self.positions.get(&values) else { return };
        if let (Some(read), Some(found)) = (reads.get(*position), found.get_mut(*position)) {
            if let Some(wanted) = &read.attributes {
                item.retain(|name, _| wanted.iter().any(|wanted| wanted == name));
            }
            *found = Some(item);
        }
    }
}

/// The values of the key attributes, as far as the item has them with types that a key can have.
fn key_values<'i>(item: &'i Item<'_>, names: &[&str]) -> KeyValues<'i> {
    let mut values = names.iter().map(|name| item.get(*name).and_then(KeyValue::from_value));
    (values.next().flatten(), values.next().flatten())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'r, K> {
    request_items: HashMap<&'r str, OfTable<K>>,
    return_consumed_capacity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfTable<K> {
    keys: Vec<K>,
    consistent_read: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    projection_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression_attribute_names: Option<SdkNames>,
}

/// The body of a request for these keys.
fn body<'k, K: Iterator<Item = &'k Item<'static>>>(
    request: &Request,
    tables: &Tables<'_>,
    keys: impl Iterator<Item = (&'k str, K)>,
) -> Result<Vec<u8>, StoreError> {
    let of_table = |(table, keys): (&'k str, K)| {
        let attributes = tables.get(table)?.attributes.as_ref();
        let mut placeholders = Numbered::default();
        let projection_expression =
            attributes.map(|names| placeholders.projection(names.iter().copied()));
        let expression_attribute_names = placeholders.into_sdk().0;
        let keys = keys.collect();
        let consistent_read = true;
        Some((
            table,
            OfTable { keys, consistent_read, projection_expression, expression_attribute_names },
        ))
    };
    let request_items = keys.filter_map(of_table).collect();
    let body = Body { request_items, return_consumed_capacity: "TOTAL" };
    serde_json::to_vec(&body).map_err(|error| StoreError::Rejected(request.message(error)))
}

/// Sends a request with this body.
///
/// The SDK would copy each key several times into types of its own, so it gets only the names of the
/// tables, which decide where it sends the request, and an interceptor replaces the body.
async fn send(
    client: &Client,
    request: &Request,
    tables: &Tables<'_>,
    body: Vec<u8>,
) -> Result<Found, StoreError> {
    let no_keys = KeysAndAttributes::builder().set_keys(Some(Vec::new())).build();
    let no_keys = no_keys.map_err(|error| StoreError::Rejected(request.message(error)))?;
    let names = tables.keys().map(|table| ((*table).to_owned(), no_keys.clone())).collect();
    let batch = client
        .batch_get_item()
        .set_request_items(Some(names))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let length = body.len().to_string();
    let body = SdkBody::from(body);
    let finder = Finder::default();
    retrying(|| async {
        let (length, body) = (length.clone(), body.try_clone());
        let replace = move |request: &mut HttpRequest| {
            if let Some(body) = body.as_ref().and_then(SdkBody::try_clone) {
                request.headers_mut().insert("content-length", length.clone());
                *request.body_mut() = body;
            }
        };
        let sending = batch.clone().customize().interceptor(finder.clone()).mutate_request(replace);
        let sent = sending.send().await;
        sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
    })
    .await?;
    finder.take()
}

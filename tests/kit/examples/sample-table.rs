//! Writes a rule file, and fills a table that has been in use for years without Referee. `make
//! sample-table` runs it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it tells what it does, and ends if it cannot go on"
)]

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, stream};
use referee::aws::configure;
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::store::DynamoDb;
use referee::store::schema::TableSchema;
use referee_kit::sample::{RULES, Sample};
use serde_json::Value;

const TABLE: &str = "shop";
/// DynamoDB's maximum.
const BATCH: usize = 25;
const CONCURRENCY: usize = 8;
/// After how many batches the progress is printed.
const PROGRESS_EVERY: usize = 4_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [items, folder, endpoint] = arguments.as_slice() else { return usage() };
    let Ok(items) = items.parse() else { return usage() };
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(Path::new(folder).join("sample.yaml"), RULES).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fill(&Sample::new(items), endpoint));
}

fn usage() {
    println!("usage: sample-table ITEMS FOLDER ENDPOINT");
}

async fn fill(sample: &Sample, endpoint: &str) {
    let config = configure(Some(endpoint)).await;
    let client = Client::new(&config);
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
    let schema = TableSchema { name: TABLE.to_owned(), key, indexes: Vec::new() };
    DynamoDb::new(&config).create(&schema).await.unwrap();
    // A table that never needed a stream has none.
    referee_kit::stream_setting::set_stream(&client, TABLE, None).await;
    let mut items = sample.before_referee().peekable();
    let batches = std::iter::from_fn(|| {
        items.peek()?;
        Some(items.by_ref().take(BATCH).map(|item| put(&item)).collect::<Vec<_>>())
    });
    let mut written = stream::iter(batches)
        .map(|batch| {
            let count = batch.len();
            let client = &client;
            async move {
                write(client, batch).await;
                count
            }
        })
        .buffered(CONCURRENCY)
        .enumerate();
    let mut total = 0;
    while let Some((number, count)) = written.next().await {
        total += count;
        if number % PROGRESS_EVERY == PROGRESS_EVERY - 1 {
            println!("{total} items");
        }
    }
    println!("{total} items in table `{TABLE}`");
}

async fn write(client: &Client, batch: Vec<WriteRequest>) {
    let mut left = HashMap::from([(TABLE.to_owned(), batch)]);
    while !left.is_empty() {
        let request = client.batch_write_item().set_request_items(Some(left.clone()));
        match request.send().await {
            Ok(done) => left = done.unprocessed_items.unwrap_or_default(),
            Err(error) => {
                println!("{error:?}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn put(item: &Value) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(attributes(item))).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

fn attributes(item: &Value) -> HashMap<String, AttributeValue> {
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// A value of one of the types that the sample has.
fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text(value)),
        "N" => AttributeValue::N(text(value)),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "SS" => AttributeValue::Ss(value.as_array().unwrap().iter().map(text).collect()),
        _ => panic!("the sample has no {kind}"),
    }
}

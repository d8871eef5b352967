//! DynamoDB at a real endpoint, as the cases see it: DynamoDB Local, in every run of the tests.
//!
//! Where DynamoDB Local differs from what AWS documents, the cases follow AWS.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodbstreams::types::{self as streams, OperationType, Record, ShardIteratorType};
use libtest_mimic::{Failed, Trial};
use referee::aws::{SdkConfig, configure};
use referee::store::DynamoDb;
use serde_json::{Value as Json, json};

use crate::harness::{self, Harness};
use crate::{Case, tables};

/// Names the endpoint to run the cases on.
const VARIABLE: &str = "REFEREE_TEST_DYNAMODB";

/// What DynamoDB Local does otherwise than AWS documents it.
const DIFFERENT_IN_LOCAL: [&str; 4] = [
    // A read that finds nothing is free.
    "billing::of_reads",
    "billing::of_queries",
    // Transactions cost twice what they should.
    "billing::of_transactions",
    // An update of a key gives one reason for the whole transaction.
    "transactions::say_which_update_is_invalid",
];

/// Every case on the endpoint; as ignored where there is none, or where it cannot hold.
pub(crate) fn trials() -> Vec<Trial> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge of the tests")]
    let endpoint = std::env::var(VARIABLE).ok();
    let trial = |(name, case): (&str, Case<OnEndpoint>)| {
        let is_skipped = endpoint.is_none() || DIFFERENT_IN_LOCAL.contains(&name);
        let endpoint = endpoint.clone().unwrap_or_default();
        Trial::test(format!("endpoint::{name}"), move || run(case, &endpoint))
            .with_ignored_flag(is_skipped)
    };
    crate::cases().into_iter().map(trial).collect()
}

fn run(case: Case<OnEndpoint>, endpoint: &str) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { case(OnEndpoint::new(endpoint).await).await });
    Ok(())
}

/// Tables of its own at an endpoint.
pub(crate) struct OnEndpoint {
    store: DynamoDb,
    streams: aws_sdk_dynamodbstreams::Client,
    client: aws_sdk_dynamodb::Client,
    prefix: String,
}

impl OnEndpoint {
    /// Makes the tables, under names that no other case has.
    async fn new(endpoint: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("contract-{}-{count}-", std::process::id());
        let config: SdkConfig = configure(Some(endpoint)).await;
        let client = aws_sdk_dynamodb::Client::new(&config);
        for schema in harness::tables(&prefix) {
            tables::create(&client, schema).await;
        }
        let streams = aws_sdk_dynamodbstreams::Client::new(&config);
        Self { store: DynamoDb::new(&config), streams, client, prefix }
    }
}

impl Harness for OnEndpoint {
    type Store = DynamoDb;

    fn store(&self) -> &DynamoDb {
        &self.store
    }

    fn table(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn stream(&self, table: &str) -> Vec<Json> {
        let described = self.client.describe_table().table_name(table).send().await.unwrap();
        let arn = described.table.and_then(|table| table.latest_stream_arn).unwrap();
        let described = self.streams.describe_stream().stream_arn(&arn).send().await.unwrap();
        let shards = described.stream_description.and_then(|stream| stream.shards).unwrap();
        let mut records = Vec::new();
        for shard in shards {
            let iterator = self
                .streams
                .get_shard_iterator()
                .stream_arn(&arn)
                .shard_id(shard.shard_id.unwrap())
                .shard_iterator_type(ShardIteratorType::TrimHorizon)
                .send()
                .await
                .unwrap();
            let page = self
                .streams
                .get_records()
                .set_shard_iterator(iterator.shard_iterator)
                .send()
                .await
                .unwrap();
            records.extend(page.records.into_iter().flatten().map(|record| lambda_record(&record)));
        }
        records
    }

    async fn settle(&self) {}
}

/// A record of a stream, in the shape in which Lambda delivers it.
fn lambda_record(record: &Record) -> Json {
    let body = record.dynamodb.as_ref().unwrap();
    json!({
        "eventName": record.event_name.as_ref().map(OperationType::as_str),
        "eventSource": record.event_source,
        "dynamodb": {
            "Keys": image(body.keys.as_ref()),
            "OldImage": image(body.old_image.as_ref()),
            "NewImage": image(body.new_image.as_ref()),
            "SequenceNumber": body.sequence_number,
            "SizeBytes": body.size_bytes,
            "StreamViewType": body.stream_view_type.as_ref().map(streams::StreamViewType::as_str),
        },
    })
}

/// An image in DynamoDB's JSON: the cases about streams hold texts and numbers.
fn image(item: Option<&HashMap<String, streams::AttributeValue>>) -> Json {
    let value = |value: &streams::AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => json!({"S": text}),
        (_, Ok(number)) => json!({"N": number}),
        _ => panic!("{value:?} is neither text nor number"),
    };
    item.map(|item| item.iter().map(|(name, inner)| (name.clone(), value(inner))).collect())
        .unwrap_or_default()
}

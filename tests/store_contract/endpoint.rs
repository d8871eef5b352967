//! DynamoDB at a real endpoint, as the cases see it: DynamoDB Local, in every run of the tests.
//!
//! Where DynamoDB Local differs from what AWS documents, the cases follow AWS.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use aws_sdk_dynamodbstreams::types::{self as streams, OperationType, Record, ShardIteratorType};
use libtest_mimic::{Failed, Trial};
use referee::aws::{SdkConfig, configure};
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::store::DynamoDb;
use referee::store::memory::TableSchema;
use serde_json::{Value as Json, json};

use crate::Case;
use crate::harness::{Harness, tables};

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
        for schema in tables(&prefix) {
            create(&client, schema).await;
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

async fn create(client: &aws_sdk_dynamodb::Client, schema: TableSchema) {
    let mut attributes: Vec<&KeyAttribute> = schema.key.attributes().collect();
    attributes.extend(schema.indexes.iter().flat_map(|index| index.key.attributes()));
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let indexes: Vec<_> = schema
        .indexes
        .iter()
        .map(|index| {
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(key_schema(&index.key)))
                .projection(all.clone())
                .build()
                .unwrap()
        })
        .collect();
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .unwrap();
    client
        .create_table()
        .table_name(&schema.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.into_iter().map(definition).collect()))
        .set_key_schema(Some(key_schema(&schema.key)))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .stream_specification(stream)
        .send()
        .await
        .unwrap();
}

fn definition(attribute: &KeyAttribute) -> AttributeDefinition {
    let kind = match attribute.kind {
        KeyKind::S => ScalarAttributeType::S,
        KeyKind::N => ScalarAttributeType::N,
        KeyKind::B => ScalarAttributeType::B,
    };
    let definition = AttributeDefinition::builder();
    definition.attribute_name(&attribute.name).attribute_type(kind).build().unwrap()
}

fn key_schema(key: &KeySchema) -> Vec<KeySchemaElement> {
    let element = |attribute: &KeyAttribute, kind| {
        KeySchemaElement::builder().attribute_name(&attribute.name).key_type(kind).build().unwrap()
    };
    let mut elements = vec![element(&key.partition, KeyType::Hash)];
    elements.extend(key.sort.iter().map(|sort| element(sort, KeyType::Range)));
    elements
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
    let value = |value: &streams::AttributeValue| match value {
        streams::AttributeValue::S(text) => json!({"S": text}),
        streams::AttributeValue::N(number) => json!({"N": number}),
        other => panic!("{other:?} is neither text nor number"),
    };
    item.map(|item| item.iter().map(|(name, inner)| (name.clone(), value(inner))).collect())
        .unwrap_or_default()
}

//! Tests the library's reader of streams on DynamoDB Local, if it runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::StreamViewType;
use expect_test::expect;
use futures_util::future::LocalBoxFuture;
use libtest_mimic::Trial;
use referee::data::{JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Store as _, Write};
use referee::streams::{Position, Stream, StreamError, StreamRecord, Streams};

use kit::aws::configure;
use kit::endpoint;
use kit::stream_setting::set_stream;

type Test = fn(Table) -> LocalBoxFuture<'static, ()>;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("records_are_read_in_order_and_in_lambdas_format", |table| Box::pin(order(table))),
        ("reading_starts_at_the_given_position", |table| Box::pin(positions(table))),
        ("the_latest_stream_of_a_table_is_used", |table| Box::pin(latest(table))),
        ("a_table_without_a_stream_is_reported", |table| Box::pin(turned_off(table))),
        ("a_stream_without_images_is_reported", |table| Box::pin(keys_only(table))),
        ("a_missing_stream_or_shard_is_an_error", |table| Box::pin(gone(table))),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("streams::{name}"), move |endpoint| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { test(Table::new(endpoint).await).await });
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

/// A table with a stream, for one test.
struct Table {
    name: String,
    client: Client,
    store: DynamoDb,
    streams: Streams,
}

impl Table {
    async fn new(endpoint: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let config = configure(endpoint).await;
        let table = Self {
            name: format!("streams-{}-{count}", std::process::id()),
            client: Client::new(&config),
            store: DynamoDb::new(&config),
            streams: Streams::new(&config),
        };
        let partition = KeyAttribute { name: "pk".to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition, sort: None };
        let schema = TableSchema { name: table.name.clone(), key, indexes: Vec::new() };
        table.store.create(&schema).await.unwrap();
        table
    }

    async fn put(&self, json: &str) {
        let JsonItem(item) = serde_json::from_str(json).unwrap();
        let action = Action::Put(into_owned(item));
        let write = Write { table: self.name.clone(), action, condition: None };
        self.store.write(write).await.unwrap();
    }

    async fn set_stream(&self, view: Option<StreamViewType>) {
        set_stream(&self.client, &self.name, view).await;
    }

    /// Returns all records from a position on.
    async fn read(&self, stream: &Stream, position: &Position) -> Vec<StreamRecord> {
        let mut records = Vec::new();
        for shard in self.streams.shards(&stream.arn).await.unwrap() {
            let opened = self.streams.open(&stream.arn, &shard.id, position).await;
            let mut next = Some(opened.unwrap());
            // An open shard has no last page, so an empty page is taken as its end.
            while let Some(iterator) = next {
                let page = self.streams.read(&stream.arn, &iterator, 2).await.unwrap();
                assert!(page.records.len() <= 2);
                next = page.next.filter(|_| !page.records.is_empty());
                records.extend(page.records);
            }
        }
        records
    }

    /// Returns the error about a table that has no stream to follow, with a fixed name for the
    /// table.
    async fn refusal(&self) -> String {
        let error = self.streams.latest(&self.name).await.unwrap_err();
        assert!(matches!(error, StreamError::Fatal(_)), "{error:?}");
        error.to_string().replace(&self.name, "app")
    }
}

async fn order(table: Table) {
    for number in 1..=5 {
        let set = format!(r#"{{"N": "{number}"}}"#);
        let json = r#"{"pk": {"S": "p"}, "b": {"B": "AP8="}, "bs": {"BS": ["YQ=="]}, "n": "#;
        table.put(&format!("{json}{set}}}")).await;
    }
    let stream = table.streams.latest(&table.name).await.unwrap();
    let records = table.read(&stream, &Position::TrimHorizon).await;
    assert_eq!(records.len(), 5);
    assert!(records.is_sorted_by(|one, next| one.sequence < next.sequence));
    let last = records.last().unwrap();
    let json: serde_json::Value = serde_json::from_str(last.json.get()).unwrap();
    let body = json.get("dynamodb").unwrap();
    assert_eq!(json.get("eventName").unwrap(), "MODIFY");
    assert_eq!(json.get("eventSourceARN").unwrap(), &stream.arn);
    assert_eq!(body.get("SequenceNumber").unwrap(), last.sequence.as_str());
    let created = body.get("ApproximateCreationDateTime").unwrap().as_i64().unwrap();
    assert_eq!(last.created_ms, Some(created * 1000));
    let image = r#"{"pk":{"S":"p"},"b":{"B":"AP8="},"bs":{"BS":["YQ=="]},"n":{"N":"4"}}"#;
    let image: serde_json::Value = serde_json::from_str(image).unwrap();
    assert_eq!(body.get("OldImage"), Some(&image));
}

async fn positions(table: Table) {
    for name in ["a", "b", "c"] {
        table.put(&format!(r#"{{"pk": {{"S": "{name}"}}}}"#)).await;
    }
    let stream = table.streams.latest(&table.name).await.unwrap();
    let all = table.read(&stream, &Position::TrimHorizon).await;
    assert_eq!(all.len(), 3);
    let after = Position::After(all.first().unwrap().sequence.clone());
    let sequences = |records: Vec<StreamRecord>| {
        records.into_iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(table.read(&stream, &after).await), sequences(all).split_off(1));
    assert_eq!(table.read(&stream, &Position::Latest).await.len(), 0);
}

async fn latest(table: Table) {
    let first = table.streams.latest(&table.name).await.unwrap();
    table.set_stream(None).await;
    table.set_stream(Some(StreamViewType::NewAndOldImages)).await;
    let second = table.streams.latest(&table.name).await.unwrap();
    assert!(second.arn > first.arn, "{second:?} {first:?}");
    table.put(r#"{"pk": {"S": "p"}}"#).await;
    assert_eq!(table.read(&second, &Position::TrimHorizon).await.len(), 1);
}

async fn turned_off(table: Table) {
    table.set_stream(None).await;
    expect![[r"
        the stream of table `app` is disabled
        help: enable it: aws dynamodb update-table --table-name app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"]]
    .assert_eq(&table.refusal().await);
    table.client.delete_table().table_name(&table.name).send().await.unwrap();
}

async fn keys_only(table: Table) {
    table.set_stream(None).await;
    table.set_stream(Some(StreamViewType::KeysOnly)).await;
    expect![[r"
        the stream of table `app` has the view type KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES
        help: a stream's view type cannot be changed: disable the stream with aws dynamodb update-table --table-name app --stream-specification StreamEnabled=false, and then enable it: aws dynamodb update-table --table-name app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"]]
    .assert_eq(&table.refusal().await);
}

async fn gone(table: Table) {
    let streams = &table.streams;
    let stream = streams.latest(&table.name).await.unwrap();
    let nowhere = stream.arn.replace(&table.name, "nowhere");
    assert!(matches!(streams.shards(&nowhere).await, Err(StreamError::Gone(_))));
    let shard = "shardId-00000000000000000000-00000000";
    let opened = streams.open(&stream.arn, shard, &Position::TrimHorizon).await;
    assert!(matches!(opened, Err(StreamError::Gone(_))), "{opened:?}");
    let missing = streams.latest("nowhere").await.unwrap_err().to_string();
    expect![[r"
        table `nowhere` has no stream, or does not exist
        help: enable it: aws dynamodb update-table --table-name nowhere --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"]]
    .assert_eq(&missing);
}

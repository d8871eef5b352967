//! What an outcome tells besides what was found and done.

use referee::engine::{Engine, records};
use referee::replay;
use serde_json::json;

use crate::history::load;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S } }
references:
  order_customer: { from: order, to: customer, on: { customer: "{by}" }, find: none, on_missing: delete }
"#;

/// A clock that stands still, long after all was written.
struct Late;

impl referee::engine::Clock for Late {
    fn now_ms(&self) -> i64 {
        1_700_000_100_000
    }

    async fn sleep_until_ms(&self, _time_ms: i64) {}

    fn deadline_ms(&self) -> Option<i64> {
        None
    }
}

#[test]
fn the_oldest_change_that_a_rule_looks_at_and_the_requests_that_read() {
    let record = |key: &str, created_seconds: i64, sequence: &str| {
        let key = json!({ "pk": { "S": key } });
        let mut image = key.clone();
        image["by"] = json!({ "S": "ann" });
        json!({
            "eventName": "INSERT",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
            "dynamodb": {
                "ApproximateCreationDateTime": created_seconds,
                "Keys": key, "NewImage": image, "SequenceNumber": sequence,
            },
        })
    };
    let batch = [
        record("nobody#1", 1_700_000_000, "100"),
        record("order#1", 1_700_000_020, "200"),
        record("order#2", 1_700_000_010, "300"),
    ];
    let engine = Engine::new(load(RULES));
    let store = replay::store(engine.rules());
    let images = batch.each_ref().map(|record| record["dynamodb"]["NewImage"].clone());
    replay::seed(&store, &json!({ "app": images }).to_string()).unwrap();
    let event = json!({ "Records": batch }).to_string();
    let outcome =
        pollster::block_on(engine.process(&records(&event).unwrap(), &store, &Late)).unwrap();
    assert_eq!(outcome.oldest_ms, Some(1_700_000_010_000));
    // Two looks at the customer and the orders, and the transaction that deletes these.
    assert_eq!((outcome.reads, outcome.requests, outcome.writes.len()), (2, 3, 2));
}

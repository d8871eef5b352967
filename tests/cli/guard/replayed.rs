//! Referee recognizes the mirrors of a guarded transaction as its own.

use referee::engine::Engine;
use referee::guard::Operation;
use referee::replay::{self, Options, Progress};
use serde_json::{Value as Json, json};

use crate::guard::{RULES, load, of_item};

/// The stream records of the puts of a transaction.
fn records(transaction: &Json) -> Json {
    let puts = transaction["TransactItems"].as_array().unwrap().iter();
    let items = puts.filter_map(|action| action["Put"].get("Item"));
    let record = |(index, item): (usize, &Json)| {
        json!({
            "eventID": index.to_string(), "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:0:table/app/stream/1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1, "SequenceNumber": format!("{}", 100 + index),
                "Keys": { "pk": item["pk"], "sk": item["sk"] }, "NewImage": item,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    };
    json!({ "Records": items.enumerate().map(record).collect::<Vec<_>>() })
}

#[test]
fn a_guarded_mirror_is_no_violation() {
    let rules = load(RULES);
    let store = replay::store(&rules);
    let seed = r#"{"app": [{"pk": {"S": "company#acme"}, "sk": {"S": "company#"}},
                           {"pk": {"S": "user#ada"}, "sk": {"S": "user#"}}]}"#;
    replay::seed(&store, seed).unwrap();
    let member = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "role": {"S": "lead"}}"#;
    let transaction = of_item(RULES, member, Operation::Put).unwrap().to_json_line(false);
    let event = records(&serde_json::from_str(&transaction).unwrap()).to_string();
    let batch = replay::read_batch("event", event.as_bytes(), None).unwrap();
    let (mut violations, mut writes) = (0, 0);
    replay::replay(&Engine::new(rules), &store, vec![batch], Options::default(), |progress| {
        let Progress::Delivered(outcome, _) = progress else { panic!("a record is rejected") };
        violations += outcome.violations.len();
        writes += outcome.writes.len();
    })
    .unwrap();
    // Referee's own write, with the fence of the source's record.
    assert_eq!((violations, writes), (0, 1));
}

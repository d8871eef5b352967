//! Records whose items match no entity, and what the other records are.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use kit::clocks::Patient;
use kit::history::load;
use referee::data::KeyValue;
use referee::engine::{Engine, Outcome};
use referee::replay;
use serde_json::{Value as Json, json};

/// No rule uses `note`.
const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile } }
  task: { table: app, key: { pk: "task#{task}", sk: task }, attributes: { owner: S }, where: { kind: TASK } }
  note: { table: app, key: { pk: "note#{note}", sk: note } }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none }
  task_reviewer: { from: task, to: user, on: { user: "{task}" }, find: none, mode: off }
"#;

fn record(number: usize, name: &str, item: &Json) -> Json {
    let image = if name == "REMOVE" { "OldImage" } else { "NewImage" };
    json!({
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": { "pk": item["pk"], "sk": item["sk"] },
            image: item,
            "SequenceNumber": format!("{}", 100 + number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/2026-11-20T08:00:00.000",
    })
}

fn item(pk: &str, sk: &str, attributes: &[(&str, &str)]) -> Json {
    let mut item = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    for (name, value) in attributes {
        item[*name] = json!({ "S": value });
    }
    item
}

/// Processes the insert of each item, decoded in one pass and one by one.
fn process(records: &[Json]) -> Outcome {
    let engine = Engine::new(load(RULES)).counting();
    let event = json!({ "Records": records }).to_string();
    let store = replay::store(engine.rules());
    let batch = engine.decode(&event).unwrap();
    let outcome = pollster::block_on(engine.process_decoded(batch, &store, &Patient)).unwrap();
    let one_by_one = referee::engine::records(&event).unwrap();
    let again = pollster::block_on(engine.process(&one_by_one, &store, &Patient)).unwrap();
    assert_eq!((&again.unmatched, &again.census), (&outcome.unmatched, &outcome.census));
    outcome
}

#[test]
fn records_of_no_entity_are_counted_and_the_first_is_kept() {
    let outcome = process(&[
        record(0, "INSERT", &item("user#ada", "profile", &[])),
        record(1, "INSERT", &item("note#1", "note", &[])),
        record(2, "REMOVE", &item("task#1", "task", &[("kind", "task")])),
        record(3, "INSERT", &item("usr#ada", "profile", &[])),
        record(4, "INSERT", &item("task#2", "task", &[("kind", "TASK")])),
    ]);
    assert_eq!(outcome.unmatched, [2, 3]);
    let census = outcome.census.unwrap();
    assert_eq!(census.entities, [1, 1, 0]);
    assert_eq!(census.references, [0, 0], "no task has an owner");
    let stray = census.stray.unwrap();
    assert_eq!(stray.key.partition, KeyValue::S("task#1".into()));
    assert_eq!(stray.attributes.len(), 3, "the attribute of `where` is kept");
}

#[test]
fn an_item_that_belonged_to_an_entity_before_is_matched() {
    let insert = record(0, "INSERT", &item("task#1", "task", &[("kind", "TASK")]));
    let mut change = record(1, "MODIFY", &item("task#1", "task", &[("kind", "DONE")]));
    change["dynamodb"]["OldImage"] = item("task#1", "task", &[("kind", "TASK"), ("owner", "ada")]);
    let outcome = process(&[insert, change]);
    assert_eq!(outcome.unmatched, [0; 0]);
    let census = outcome.census.unwrap();
    assert_eq!((census.entities, census.references), (vec![0, 2, 0], vec![1, 0]));
    assert_eq!(census.stray, None);
}

#[test]
fn only_an_engine_that_counts_has_a_census() {
    let engine = Engine::new(load(RULES));
    let event = json!({ "Records": [record(0, "INSERT", &item("x", "y", &[]))] }).to_string();
    let batch = engine.decode(&event).unwrap();
    let store = replay::store(engine.rules());
    let outcome = pollster::block_on(engine.process_decoded(batch, &store, &Patient)).unwrap();
    assert_eq!((outcome.unmatched, outcome.census), (vec![0], None));
}

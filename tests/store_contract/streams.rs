//! Streams with new and old images.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>

use referee::data::SequenceNumber;
use referee::store::Clause;
use serde_json::{Value as Json, json};

use crate::harness::{APP, Harness, NUMBERS};
use crate::items::{
    absent, change, check, delete, exists, item, on, path, put, remove, strings, take, update,
};

/// Returns the event name of a record, its sort key, and the attribute `x` of both images.
fn summary(record: &Json) -> Json {
    let body = &record["dynamodb"];
    json!([
        record["eventName"],
        body["Keys"]["sk"]["S"],
        body["OldImage"]["x"],
        body["NewImage"]["x"]
    ])
}

pub(crate) async fn changes<H: Harness>(h: H) {
    let app = h.table(APP);
    let key = || item(&json!({"pk": "p", "sk": "1"}));
    h.apply(put(&app, item(&json!({"pk": "p", "sk": "1", "x": 101})))).await;
    h.apply(update(&app, key(), &[("x", json!("text"))])).await;
    h.apply(delete(&app, key())).await;
    let records = h.stream(&app).await;
    assert_eq!(
        records.iter().map(summary).collect::<Vec<_>>(),
        [
            json!(["INSERT", "1", null, {"N": "101"}]),
            json!(["MODIFY", "1", {"N": "101"}, {"S": "text"}]),
            json!(["REMOVE", "1", {"S": "text"}, null]),
        ]
    );
    let sizes = records.iter().map(|record| record["dynamodb"]["SizeBytes"].as_u64().unwrap());
    // The key takes 6 bytes, the number 3, the text 4, and the name of either attribute 1.
    assert_eq!(sizes.collect::<Vec<_>>(), [6 + 10, 6 + 10 + 11, 6 + 11]);
    let numbers: Vec<_> = records
        .iter()
        .map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap())
        .map(|text| SequenceNumber::parse(text).unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert!(numbers.iter().all(|number| number.as_str().len() >= 21), "{numbers:?}");
    for record in &records {
        assert_eq!(record["eventSource"], "aws:dynamodb");
        assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
        assert_eq!(record["dynamodb"]["Keys"], json!({"pk": {"S": "p"}, "sk": {"S": "1"}}));
    }
}

/// The record of an update that changes a part of an item has complete images.
pub(crate) async fn parts<H: Harness>(h: H) {
    let app = h.table(APP);
    let key = || item(&json!({"pk": "p", "sk": "1"}));
    let take_last = take("x", strings(&["a"]));
    h.apply(put(&app, item(&json!({"pk": "p", "sk": "1", "x": ["a", "b"]})))).await;
    for clauses in [
        vec![remove("x[0]")],
        vec![remove("x[7]"), remove("y"), take("z", strings(&["a"]))],
        vec![Clause::Set(path("x"), strings(&["a"]))],
        vec![take("x", strings(&["b"]))],
        vec![take_last.clone()],
        vec![take_last],
    ] {
        h.apply(change(&app, key(), clauses)).await;
    }
    let summary: Vec<_> = h.stream(&app).await.iter().map(summary).collect();
    let list = |texts: &[&str]| json!({"L": texts.iter().map(|text| json!({"S": text})).collect::<Vec<_>>()});
    let set = json!({"SS": ["a"]});
    assert_eq!(
        summary,
        [
            json!(["INSERT", "1", null, list(&["a", "b"])]),
            json!(["MODIFY", "1", list(&["a", "b"]), list(&["b"])]),
            json!(["MODIFY", "1", list(&["b"]), set]),
            json!(["MODIFY", "1", set, null]),
        ]
    );
}

/// Neither a write that changes nothing nor a refused write creates a record.
pub(crate) async fn silence<H: Harness>(h: H) {
    let app = h.table(APP);
    let key = || item(&json!({"pk": "p", "sk": "1"}));
    h.apply(put(&app, key())).await;
    h.apply(put(&app, key())).await;
    h.apply(delete(&app, item(&json!({"pk": "p", "sk": "2"})))).await;
    h.write(on(absent("pk"), delete(&app, key()))).await.unwrap();
    h.write(update(&app, key(), &[("pk", json!("q"))])).await.unwrap_err();
    let canceled =
        vec![delete(&app, key()), check(&app, item(&json!({"pk": "p", "sk": "2"})), exists("pk"))];
    h.transact(canceled).await.unwrap();
    let summary: Vec<_> = h.stream(&app).await.iter().map(summary).collect();
    assert_eq!(summary, [json!(["INSERT", "1", null, null])]);
}

pub(crate) async fn transactions<H: Harness>(h: H) {
    let (app, numbers) = (h.table(APP), h.table(NUMBERS));
    let key = |sk: &str| item(&json!({"pk": "p", "sk": sk}));
    let actions = vec![
        put(&app, key("1")),
        check(&app, key("2"), absent("pk")),
        update(&app, key("3"), &[("x", json!(1))]),
        put(&numbers, item(&json!({"id": 1}))),
    ];
    h.transact(actions).await.unwrap();
    let mut summary: Vec<_> =
        h.stream(&app).await.iter().map(|record| summary(record).to_string()).collect();
    // The order of records of different items is not specified.
    summary.sort();
    assert_eq!(summary, [r#"["INSERT","1",null,null]"#, r#"["INSERT","3",null,{"N":"1"}]"#]);
}

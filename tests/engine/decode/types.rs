//! Comparison with `aws_lambda_events`: equal results, except that Referee is deliberately stricter
//! or more exact for some inputs.

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use proptest::prelude::*;
use referee::data::{Item, JsonItem, into_owned};
use referee::engine::{Origin, StreamChange, decode_whole};
use referee::rules::Rules;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use crate::decode::generated::attributes;
use kit::fixture::Fixture;
use kit::history::load;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, "n:N"] } }
entities: { thing: { table: app, key: { pk: "{thing}", n: "{n}" } } }
references: { thing_thing: { from: thing, to: thing, find: none } }
"#;

/// Asserts that a record decodes as in `aws_lambda_events`.
fn check(rules: &Rules, record: &RawValue) {
    let theirs: EventRecord = serde_json::from_str(record.get()).unwrap();
    let ours = decode_whole(rules, 0, record).unwrap();

    let arn = theirs.event_source_arn.as_deref().unwrap();
    assert_eq!(arn.split('/').nth(1), Some(rules[ours.change.table].name.as_str()));
    assert_eq!(item(&theirs.change.keys), rules[ours.change.table].key.item_of(&ours.change.key));
    assert_eq!(theirs.change.sequence_number.as_deref(), Some(ours.sequence.as_str()));
    assert_eq!(image(&theirs.change.old_image), ours.change.before);
    assert_eq!(image(&theirs.change.new_image), ours.change.after);
    assert_eq!(theirs.event_name, event_name(&ours));
    assert_eq!(
        theirs.change.approximate_creation_date_time.timestamp_millis(),
        ours.created_ms.unwrap()
    );
    let is_ttl = theirs.user_identity.is_some_and(|identity| {
        identity.principal_id == "dynamodb.amazonaws.com" && identity.type_ == "Service"
    });
    assert_eq!(is_ttl, ours.origin == Origin::Ttl);
}

/// `aws_lambda_events` does not distinguish an absent image from an empty one. No image is empty,
/// because each contains its key.
fn image(theirs: &impl serde::Serialize) -> Option<Item<'static>> {
    Some(item(theirs)).filter(|item| !item.is_empty())
}

fn item(theirs: &impl serde::Serialize) -> Item<'static> {
    let json = serde_json::to_string(theirs).unwrap();
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json).unwrap().0)
}

fn event_name(change: &StreamChange<'_>) -> &'static str {
    match (&change.change.before, &change.change.after) {
        (None, Some(_)) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
        (None, None) => "nothing",
    }
}

fn raw(json: &Json) -> Box<RawValue> {
    serde_json::value::to_raw_value(json).unwrap()
}

#[test]
fn recorded_records_decode_as_in_aws_lambda_events() {
    let mut records = 0;
    for fixture in Fixture::all().iter().filter(|fixture| fixture.name != "broken-record") {
        for record in fixture.batches.iter().flat_map(|batch| &batch.records) {
            check(&fixture.rules, record);
            records += 1;
        }
    }
    assert!(records >= 60, "{records}");
}

/// Returns a record of the table in [`RULES`].
fn record(event: &str, key: &Json, old: Option<Json>, new: Option<Json>) -> Json {
    let mut record = json!({
        "eventID": "1", "eventName": event, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1", "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000, "Keys": key, "SizeBytes": 1,
            "SequenceNumber": "000000000000000000001", "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(mut image) = image {
            image.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
            record["dynamodb"][name] = image;
        }
    }
    record
}

fn insert() -> Json {
    let key = json!({"pk": {"S": "a"}, "n": {"N": "1"}});
    record("INSERT", &key, None, Some(json!({"x": {"S": "y"}})))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_records_decode_as_in_aws_lambda_events(
        pk in "\\PC{1,9}",
        n in "-?[1-9][0-9]{0,37}",
        old in prop::option::of(attributes()),
        new in attributes(),
        is_removed: bool,
        identity in prop_oneof![
            Just(json!(null)),
            Just(json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"})),
            Just(json!({"type": "Service", "principalId": "replication.dynamodb.amazonaws.com"})),
            Just(json!({"type": "User", "principalId": "dynamodb.amazonaws.com"})),
        ],
        sequence in "[0-9]{21,40}",
        seconds in 0..4_000_000_000_i64,
    ) {
        let key = json!({"pk": {"S": pk}, "n": {"N": n}});
        let mut json = match (old, is_removed) {
            (None, _) => record("INSERT", &key, None, Some(new)),
            (Some(old), true) => record("REMOVE", &key, Some(old), None),
            (Some(old), false) => record("MODIFY", &key, Some(old), Some(new)),
        };
        json["userIdentity"] = identity;
        json["dynamodb"]["SequenceNumber"] = json!(sequence);
        json["dynamodb"]["ApproximateCreationDateTime"] = json!(seconds);
        check(&load(RULES), &raw(&json));
    }
}

/// Covers inputs that `aws_lambda_events` cannot read or reads wrongly, and values that only
/// Referee refuses.
#[test]
fn deliberate_differences_from_aws_lambda_events() {
    let rules = load(RULES);
    let decode = |json: &Json| {
        let raw = raw(json);
        decode_whole(&rules, 0, &raw)
            .map(|change| (change.created_ms, change.change.before.is_some()))
    };
    let theirs = |json: &Json| serde_json::from_value::<EventRecord>(json.clone());

    // `aws_lambda_events` reads a missing time as 1970, fails on a null time, and gets fractions
    // wrong by a factor of a thousand.
    let mut json = insert();
    json["dynamodb"].as_object_mut().unwrap().remove("ApproximateCreationDateTime");
    assert_eq!(decode(&json).unwrap().0, None);
    assert_eq!(theirs(&json).unwrap().change.approximate_creation_date_time.timestamp(), 0);
    json["dynamodb"]["ApproximateCreationDateTime"] = json!(null);
    assert_eq!(decode(&json).unwrap().0, None);
    assert!(theirs(&json).is_err());
    json["dynamodb"]["ApproximateCreationDateTime"] = json!(1_700_000_000.5);
    assert_eq!(decode(&json).unwrap().0, Some(1_700_000_000_500));
    let time = theirs(&json).unwrap().change.approximate_creation_date_time;
    assert_ne!(time.timestamp_millis(), 1_700_000_000_500);

    // An image that the event's name requires must be present; an image that it excludes is
    // ignored. `aws_lambda_events` reads an absent image as an empty one.
    let mut json = insert();
    json["dynamodb"]["OldImage"] = json!({});
    assert!(!decode(&json).unwrap().1);
    json["eventName"] = json!("MODIFY");
    assert!(decode(&json).is_err());
    assert!(theirs(&json).is_ok());

    // Fields that `aws_lambda_events` requires and Referee does not need may be missing.
    let mut json = insert();
    for field in ["awsRegion", "eventID"] {
        json.as_object_mut().unwrap().remove(field);
    }
    json["dynamodb"].as_object_mut().unwrap().remove("SizeBytes");
    assert!(decode(&json).is_ok());
    assert!(theirs(&json).is_err());

    // Values that no table can contain are refused. `aws_lambda_events` accepts them.
    for (field, value) in [
        ("NewImage", json!({"pk": {"S": "a"}, "n": {"N": "1"}, "x": {"N": "one"}})),
        ("NewImage", json!({"pk": {"S": "a"}, "n": {"N": "1"}, "x": {"SS": ["a", "a"]}})),
        ("NewImage", json!({"pk": {"S": "a"}})),
        ("Keys", json!({"pk": {"S": ""}, "n": {"N": "1"}})),
        ("SequenceNumber", json!("first")),
    ] {
        let mut json = insert();
        json["dynamodb"][field] = value;
        assert!(decode(&json).is_err(), "{json}");
        assert!(theirs(&json).is_ok(), "{json}");
    }
}

/// In `aws_lambda_events`, one bad record fails the whole batch.
#[test]
fn one_bad_record_does_not_fail_the_batch() {
    let mut bad = insert();
    bad["dynamodb"]["NewImage"]["x"] = json!({"Q": "?"});
    let event = json!({"Records": [insert(), bad, insert()]}).to_string();
    assert!(serde_json::from_str::<Event>(&event).is_err());
    let rules = load(RULES);
    let decoded: Vec<bool> = referee::engine::records(&event)
        .unwrap()
        .into_iter()
        .map(|record| decode_whole(&rules, 0, record).is_ok())
        .collect();
    assert_eq!(decoded, [true, false, true]);
}

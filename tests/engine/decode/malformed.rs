//! Malformed records, each between two good ones.

use std::fmt::Write as _;

use expect_test::expect;
use referee::engine::{Engine, records};
use referee::replay;
use serde_json::{Value as Json, json};

use crate::decode::process;
use kit::history::load;

pub(super) const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S } }
references:
  order_customer: { from: order, to: customer, on: { customer: "{by}" }, find: none }
"#;

/// Returns the record of an order that refers to a missing customer, which is one violation.
pub(super) fn record(order: &str, sequence: &str) -> Json {
    let key = json!({"pk": {"S": format!("order#{order}")}});
    let mut image = key.clone();
    image["by"] = json!({"S": "ann"});
    json!({
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
        "dynamodb": { "Keys": key, "NewImage": image, "SequenceNumber": sequence },
    })
}

/// Returns the result of a malformed record. Asserts that the records beside it are processed.
fn result_of(bad: &str) -> String {
    let event = format!(r#"{{"Records":[{},{bad},{}]}}"#, record("a", "1"), record("z", "3"));
    let engine = Engine::new(load(RULES));
    let store = replay::store(engine.rules());
    let there = ["a", "m", "z"].map(|order| record(order, "")["dynamodb"]["NewImage"].take());
    replay::seed(&store, &json!({"app": there}).to_string()).unwrap();
    let outcome = process(&engine, &store, &records(&event).unwrap());
    let found = outcome.violations.iter();
    let found: Vec<&str> = found.filter_map(|found| found.occurrence.sequence.as_deref()).collect();
    match outcome.rejected.as_slice() {
        [] => {
            assert!(found == ["1", "3"] || found == ["1", "2", "3"], "{bad}: {outcome:?}");
            if found.len() == 3 { "processed" } else { "nothing to find" }.to_owned()
        }
        [rejected] => {
            assert_eq!((found, rejected.position), (vec!["1", "3"], 1), "{bad}: {outcome:?}");
            let sequence = rejected.sequence.as_deref().unwrap_or("?");
            format!("rejected @{sequence}: {}", rejected.error)
        }
        more => panic!("{bad}: {more:?}"),
    }
}

/// Returns the results of a record with each of these values at a location, and without a value
/// there.
fn results_with(place: &str, values: &[Json]) -> String {
    let mut text = String::new();
    for value in values {
        let mut bad = record("m", "2");
        let (parent, field) = place.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[field] = value.clone();
        writeln!(text, "{value} => {}", result_of(&bad.to_string())).unwrap();
    }
    let mut bad = record("m", "2");
    let (parent, field) = place.rsplit_once('/').unwrap();
    bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
    writeln!(text, "nothing => {}", result_of(&bad.to_string())).unwrap();
    text
}

#[test]
fn a_value_that_is_not_a_record_is_rejected() {
    let mut text = String::new();
    for bad in ["null", "5", "\"x\"", "[]", "{}", "[{}]", "{\"dynamodb\":{}}", "{\"a\":1,\"a\":2}"]
    {
        writeln!(text, "{bad} => {}", result_of(bad)).unwrap();
    }
    expect![[r#"
        null => rejected @?: the record is not one of a DynamoDB stream: invalid type: null, expected an object
        5 => rejected @?: the record is not one of a DynamoDB stream: invalid type: integer `5`, expected an object
        "x" => rejected @?: the record is not one of a DynamoDB stream: invalid type: string "x", expected an object
        [] => rejected @?: the record is not one of a DynamoDB stream: invalid length 0, expected an object
        {} => rejected @?: the record has no `eventSourceARN`, which names its table
        [{}] => rejected @?: the record is not one of a DynamoDB stream: invalid type: map, expected a string
        {"dynamodb":{}} => rejected @?: the record has no `eventSourceARN`, which names its table
        {"a":1,"a":2} => rejected @?: the record has no `eventSourceARN`, which names its table
    "#]].assert_eq(&text);
}

#[test]
fn a_duplicate_field_is_rejected() {
    let twice = record("m", "2").to_string().replacen('{', "{\"eventName\":\"REMOVE\",", 1);
    expect!["rejected @2: the record is not one of a DynamoDB stream: duplicate field `eventName`"]
        .assert_eq(&result_of(&twice));
}

#[test]
fn event_name_must_be_insert_modify_or_remove() {
    let values = [json!(null), json!("UPSERT"), json!("insert"), json!(5), json!(["INSERT"])];
    expect![[r#"
        null => rejected @2: the record has no `eventName`
        "UPSERT" => rejected @2: `eventName` is `UPSERT`, not INSERT, MODIFY or REMOVE
        "insert" => rejected @2: `eventName` is `insert`, not INSERT, MODIFY or REMOVE
        5 => rejected @2: the record is not one of a DynamoDB stream: invalid type: integer `5`, expected a string
        ["INSERT"] => rejected @2: the record is not one of a DynamoDB stream: invalid type: sequence, expected a string
        nothing => rejected @2: the record has no `eventName`
    "#]].assert_eq(&results_with("/eventName", &values));
}

#[test]
fn event_source_must_be_dynamodb() {
    let values = [json!(null), json!("aws:kinesis"), json!(5)];
    expect![[r#"
        null => processed
        "aws:kinesis" => rejected @2: the record comes from `aws:kinesis`, not from a DynamoDB stream
        5 => rejected @2: the record is not one of a DynamoDB stream: invalid type: integer `5`, expected a string
        nothing => processed
    "#]].assert_eq(&results_with("/eventSource", &values));
}

#[test]
fn event_source_arn_must_name_a_table_of_the_rules() {
    let other = "arn:aws:dynamodb:eu-west-1:1:table/other/stream/1";
    let values =
        [json!(null), json!(""), json!("app"), json!(other), json!("arn::table/"), json!({})];
    expect![[r#"
        null => rejected @2: the record has no `eventSourceARN`, which names its table
        "" => rejected @2: `eventSourceARN` is ``, which does not name a table
        "app" => rejected @2: `eventSourceARN` is `app`, which does not name a table
        "arn:aws:dynamodb:eu-west-1:1:table/other/stream/1" => rejected @2: table `other` is not in the rule file, which declares `app`
        "arn::table/" => rejected @2: `eventSourceARN` is `arn::table/`, which does not name a table
        {} => rejected @2: the record is not one of a DynamoDB stream: invalid type: map, expected a string
        nothing => rejected @2: the record has no `eventSourceARN`, which names its table
    "#]].assert_eq(&results_with("/eventSourceARN", &values));
}

#[test]
fn the_dynamodb_part_must_be_a_complete_object() {
    expect![[r#"
        null => rejected @?: the record has no `dynamodb` part
        "x" => rejected @?: the record is not one of a DynamoDB stream: invalid type: string "x", expected an object
        [] => rejected @?: the record is not one of a DynamoDB stream: invalid length 0, expected an object
        {} => rejected @?: the record has no `SequenceNumber`
        nothing => rejected @?: the record has no `dynamodb` part
    "#]].assert_eq(&results_with("/dynamodb", &[json!(null), json!("x"), json!([]), json!({})]));
}

#[test]
fn keys_must_match_the_tables_key() {
    let values = [
        json!(null),
        json!({}),
        json!([]),
        json!("order#m"),
        json!({"pk": "order#m"}),
        json!({"pk": {"N": "1"}}),
        json!({"pk": {"S": ""}}),
        json!({"pk": {"S": 5}}),
        json!({"sk": {"S": "order#m"}}),
        json!({"pk": {"S": "x".repeat(2049)}}),
        json!({"pk": {"S": "invoice#m"}}),
        json!({"pk": {"S": "order#m"}, "sk": {"S": "more"}}),
    ];
    let text = results_with("/dynamodb/Keys", &values).replace(&"x".repeat(2049), "xxx…");
    expect![[r#"
        null => rejected @2: the record has no `Keys`
        {} => rejected @2: `Keys`: key attribute `pk` is missing
        [] => rejected @2: `Keys`: invalid type: sequence, expected a map of attributes in DynamoDB's JSON
        "order#m" => rejected @2: `Keys`: invalid type: string "order#m", expected a map of attributes in DynamoDB's JSON
        {"pk":"order#m"} => rejected @2: `Keys`: attribute `pk`: invalid type: string "order#m", expected a value with its type, such as {"S": "text"}
        {"pk":{"N":"1"}} => rejected @2: `Keys`: key attribute `pk` has type N, but the table's key has type S
        {"pk":{"S":""}} => rejected @2: `Keys`: key attribute `pk` is empty
        {"pk":{"S":5}} => rejected @2: `Keys`: attribute `pk`: invalid type: integer `5`, expected a string
        {"sk":{"S":"order#m"}} => rejected @2: `Keys`: key attribute `pk` is missing
        {"pk":{"S":"xxx…"}} => rejected @2: `Keys`: key attribute `pk` has 2049 bytes; DynamoDB allows 2048
        {"pk":{"S":"invoice#m"}} => nothing to find
        {"pk":{"S":"order#m"},"sk":{"S":"more"}} => processed
        nothing => rejected @2: the record has no `Keys`
    "#]].assert_eq(&text);
}

#[test]
fn sequence_number_must_have_1_to_40_digits() {
    let values =
        [json!(null), json!(""), json!("one"), json!("-2"), json!("2".repeat(41)), json!(2)];
    expect![[r#"
        null => rejected @?: the record has no `SequenceNumber`
        "" => rejected @: `` is not a sequence number of 1 to 40 digits
        "one" => rejected @one: `one` is not a sequence number of 1 to 40 digits
        "-2" => rejected @-2: `-2` is not a sequence number of 1 to 40 digits
        "22222222222222222222222222222222222222222" => rejected @22222222222222222222222222222222222222222: `22222222222222222222222222222222222222222` is not a sequence number of 1 to 40 digits
        2 => rejected @?: the record is not one of a DynamoDB stream: invalid type: integer `2`, expected a string
        nothing => rejected @?: the record has no `SequenceNumber`
    "#]].assert_eq(&results_with("/dynamodb/SequenceNumber", &values));
}

#[test]
fn stream_view_type_must_be_new_and_old_images() {
    let values = [
        json!(null),
        json!("KEYS_ONLY"),
        json!("NEW_IMAGE"),
        json!("NEW_AND_OLD_IMAGES"),
        json!(5),
    ];
    expect![[r#"
        null => processed
        "KEYS_ONLY" => rejected @2: the stream's view type is KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES. The view type of a stream cannot be changed: turn the stream off, and on again with that type
        "NEW_IMAGE" => rejected @2: the stream's view type is NEW_IMAGE; Referee needs NEW_AND_OLD_IMAGES. The view type of a stream cannot be changed: turn the stream off, and on again with that type
        "NEW_AND_OLD_IMAGES" => processed
        5 => rejected @2: the record is not one of a DynamoDB stream: invalid type: integer `5`, expected a string
        nothing => processed
    "#]].assert_eq(&results_with("/dynamodb/StreamViewType", &values));
}

#[test]
fn creation_time_must_be_a_number_if_present() {
    let values = [json!(null), json!("soon"), json!(1e300), json!(-1e300), json!(-1), json!({})];
    expect![[r#"
        null => processed
        "soon" => rejected @2: the record is not one of a DynamoDB stream: invalid type: string "soon", expected f64
        1e+300 => processed
        -1e+300 => processed
        -1 => processed
        {} => rejected @2: the record is not one of a DynamoDB stream: invalid type: map, expected f64
        nothing => processed
    "#]].assert_eq(&results_with("/dynamodb/ApproximateCreationDateTime", &values));
}

#[test]
fn user_identity_must_be_an_object_if_present() {
    let values = [json!(null), json!("root"), json!({}), json!({"principalId": 5}), json!([])];
    expect![[r#"
        null => processed
        "root" => rejected @2: the record is not one of a DynamoDB stream: invalid type: string "root", expected an object
        {} => processed
        {"principalId":5} => rejected @2: the record is not one of a DynamoDB stream: invalid type: integer `5`, expected a string
        [] => rejected @2: the record is not one of a DynamoDB stream: invalid length 0, expected an object
        nothing => processed
    "#]].assert_eq(&results_with("/userIdentity", &values));
}

#[test]
fn images_must_be_present_and_contain_the_key() {
    let values = [json!(null), json!({}), json!([]), json!("x"), json!({"pk": {"S": "order#m"}})];
    expect![[r#"
        null => rejected @2: the record has no `NewImage`: is the stream's view type NEW_AND_OLD_IMAGES?
        {} => rejected @2: `NewImage`: key attribute `pk` is missing
        [] => rejected @2: `NewImage`: invalid type: sequence, expected a map of attributes in DynamoDB's JSON
        "x" => rejected @2: `NewImage`: invalid type: string "x", expected a map of attributes in DynamoDB's JSON
        {"pk":{"S":"order#m"}} => nothing to find
        nothing => rejected @2: the record has no `NewImage`: is the stream's view type NEW_AND_OLD_IMAGES?
    "#]].assert_eq(&results_with("/dynamodb/NewImage", &values));
    let values = [json!(null), json!({}), json!("x")];
    expect![[r#"
        null => processed
        {} => processed
        "x" => processed
        nothing => processed
    "#]]
    .assert_eq(&results_with("/dynamodb/OldImage", &values));
}

#[test]
fn attribute_values_must_be_well_formed() {
    let values = [
        json!(null),
        json!("ann"),
        json!([]),
        json!({}),
        json!({"S": "ann", "N": "1"}),
        json!({"Q": "ann"}),
        json!({"s": "ann"}),
        json!({"S": null}),
        json!({"S": 5}),
        json!({"N": 5}),
        json!({"N": "five"}),
        json!({"N": "1".repeat(39)}),
        json!({"N": "1e126"}),
        json!({"B": "*"}),
        json!({"B": "AA"}),
        json!({"BOOL": "true"}),
        json!({"NULL": false}),
        json!({"SS": []}),
        json!({"SS": ["a", "a"]}),
        json!({"SS": [1]}),
        json!({"NS": ["1", "1.0"]}),
        json!({"BS": ["?"]}),
        json!({"L": {}}),
        json!({"L": [null]}),
        json!({"M": []}),
        json!({"M": {"a": "b"}}),
    ];
    expect![[r#"
        null => rejected @2: `NewImage`: attribute `by`: invalid type: null, expected a value with its type, such as {"S": "text"}
        "ann" => rejected @2: `NewImage`: attribute `by`: invalid type: string "ann", expected a value with its type, such as {"S": "text"}
        [] => rejected @2: `NewImage`: attribute `by`: invalid type: sequence, expected a value with its type, such as {"S": "text"}
        {} => rejected @2: `NewImage`: attribute `by`: a value has no type tag
        {"N":"1","S":"ann"} => rejected @2: `NewImage`: attribute `by`: a value has two type tags, `N` and `S`
        {"Q":"ann"} => rejected @2: `NewImage`: attribute `by`: unknown type tag `Q`, expected one of S, N, B, BOOL, NULL, SS, NS, BS, L, M
        {"s":"ann"} => rejected @2: `NewImage`: attribute `by`: unknown type tag `s`, expected one of S, N, B, BOOL, NULL, SS, NS, BS, L, M
        {"S":null} => rejected @2: `NewImage`: attribute `by`: invalid type: null, expected a string
        {"S":5} => rejected @2: `NewImage`: attribute `by`: invalid type: integer `5`, expected a string
        {"N":5} => rejected @2: `NewImage`: attribute `by`: invalid type: integer `5`, expected a string
        {"N":"five"} => rejected @2: `NewImage`: attribute `by`: `five` is not a number
        {"N":"111111111111111111111111111111111111111"} => rejected @2: `NewImage`: attribute `by`: `111111111111111111111111111111111111111` has 39 significant digits; DynamoDB allows 38
        {"N":"1e126"} => rejected @2: `NewImage`: attribute `by`: `1e126` is outside the range of DynamoDB's numbers (1E-130 to 9.99E+125)
        {"B":"*"} => rejected @2: `NewImage`: attribute `by`: a binary value is not base64: Invalid symbol 42, offset 0.
        {"B":"AA"} => rejected @2: `NewImage`: attribute `by`: a binary value is not base64: Invalid padding
        {"BOOL":"true"} => rejected @2: `NewImage`: attribute `by`: invalid type: string "true", expected a boolean
        {"NULL":false} => rejected @2: `NewImage`: attribute `by`: `NULL` must be true
        {"SS":[]} => rejected @2: `NewImage`: attribute `by`: a set is empty, which DynamoDB does not allow
        {"SS":["a","a"]} => rejected @2: `NewImage`: attribute `by`: a set has a duplicate element
        {"SS":[1]} => rejected @2: `NewImage`: attribute `by`: invalid type: integer `1`, expected a string
        {"NS":["1","1.0"]} => rejected @2: `NewImage`: attribute `by`: a set has a duplicate element
        {"BS":["?"]} => rejected @2: `NewImage`: attribute `by`: a binary value is not base64: Invalid symbol 63, offset 0.
        {"L":{}} => rejected @2: `NewImage`: attribute `by`: invalid type: map, expected a list of values
        {"L":[null]} => rejected @2: `NewImage`: attribute `by`: invalid type: null, expected a value with its type, such as {"S": "text"}
        {"M":[]} => rejected @2: `NewImage`: attribute `by`: invalid type: sequence, expected a map of attributes in DynamoDB's JSON
        {"M":{"a":"b"}} => rejected @2: `NewImage`: attribute `by`: attribute `a`: invalid type: string "b", expected a value with its type, such as {"S": "text"}
        nothing => nothing to find
    "#]].assert_eq(&results_with("/dynamodb/NewImage/by", &values));
}

#[test]
fn nesting_deeper_than_32_levels_is_rejected() {
    let nested = |levels: usize| {
        let value = (1..levels).fold(json!({"S": "x"}), |inner, _| json!({"L": [inner]}));
        let mut record = record("m", "2");
        record["dynamodb"]["NewImage"]["by"] = value;
        result_of(&record.to_string())
    };
    expect!["nothing to find"].assert_eq(&nested(32));
    expect![
        "rejected @2: `NewImage`: attribute `by`: the item nests deeper than DynamoDB's limit of 32 levels"
    ]
    .assert_eq(&nested(33));
}

/// Nesting beyond the limit is never walked recursively, however deep it is.
#[test]
fn very_deep_nesting_does_not_overflow_the_stack() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    for place in ["/dynamodb/NewImage/by", "/dynamodb/NewImage/other", "/userIdentity", "/more"] {
        let mut bad = record("m", "2");
        let (parent, field) = place.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[field] = json!("DEEP");
        result_of(&bad.to_string().replace("\"DEEP\"", &deep));
    }
}

/// An attribute that no rule uses cannot make a record malformed.
#[test]
fn an_attribute_that_no_rule_uses_is_not_read() {
    let values = [json!(null), json!({"Q": "?"}), json!(5)];
    expect![[r#"
        null => processed
        {"Q":"?"} => processed
        5 => processed
        nothing => processed
    "#]]
    .assert_eq(&results_with("/dynamodb/NewImage/other", &values));
}

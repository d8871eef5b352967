//! Streams that the rules do not mean: every batch of such a stream is refused as a whole.

use expect_test::expect;
use kit::history::load;
use referee::engine::{Engine, Home};
use serde_json::{Value as Json, json};

use super::malformed::{RULES, record};

/// A problem that affects all records of a stream is reported before any record is rejected.
#[test]
fn a_stream_that_does_not_fit_the_rules_is_refused() {
    let engine = Engine::new(load(RULES));
    let checked = |change: &dyn Fn(&mut Json)| {
        let mut records_of = ["1", "2"].map(|sequence| record("a", sequence));
        records_of.iter_mut().for_each(change);
        // The first record does not identify its stream, but the second one does.
        let event = json!({ "Records": [json!(5), records_of[0], records_of[1]] }).to_string();
        match engine.decode(&event) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let set = |place: &'static str, value: Json| {
        checked(&|record: &mut Json| {
            let (parent, field) = place.rsplit_once('/').unwrap();
            record.pointer_mut(parent).unwrap()[field] = value.clone();
        })
    };
    let text = [
        checked(&|_| {}),
        checked(&|record| *record = json!({ "pk": 1 })),
        checked(&|record| *record = json!({ "EventSource": "aws:sns", "Sns": {} })),
        set("/eventSource", json!("aws:sqs")),
        set("/eventSourceARN", json!("arn:aws:dynamodb:eu-west-1:1:table/other/stream/1")),
        set("/eventSourceARN", json!("nonsense")),
        set("/dynamodb/StreamViewType", json!("KEYS_ONLY")),
        set("/dynamodb/StreamViewType", json!("NEW_AND_OLD_IMAGES")),
        set("/dynamodb/Keys", json!({ "id": { "S": "a" } })),
        set("/dynamodb/Keys", json!({ "pk": { "N": "1" } })),
        set("/dynamodb/Keys", json!({ "pk": { "S": "" } })),
        set("/dynamodb/Keys", json!(null)),
        set("/dynamodb", json!(null)),
    ];
    expect![[r"
        fine
        fine
        the record comes from `aws:sns`, not from a DynamoDB stream
        the record comes from `aws:sqs`, not from a DynamoDB stream
        table `other` is not in the rule file, which declares `app`
        `eventSourceARN` is `nonsense`, which does not name a table
        the stream's view type is KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES. The view type of a stream cannot be changed: turn the stream off, and on again with that type
        fine
        the key of table `app` differs from the rule file: key attribute `pk` is missing
        help: correct the table's `key` in the rule file
        the key of table `app` differs from the rule file: key attribute `pk` has type N, but the table's key has type S
        help: correct the table's `key` in the rule file
        fine
        fine
        fine"]].assert_eq(&text.join("\n"));
}

/// A table of the same name in another account or Region is another table.
#[test]
fn a_stream_of_another_account_or_region_is_refused_unless_the_rules_name_it() {
    let function = Home::of_function("arn:aws:lambda:eu-west-1:111111111111:function:referee:live");
    let stream = |region: &str, account: &str| {
        let mut record = record("a", "1");
        let arn = format!("arn:aws:dynamodb:{region}:{account}:table/app/stream/1");
        record["eventSourceARN"] = json!(arn);
        json!({ "Records": [record] }).to_string()
    };
    let checked = |rules: &str, home: &Home, event: &str| match Engine::new(load(rules))
        .decode_at(home, event)
    {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.to_string(),
    };
    let declared = RULES.replace("[pk]", "[pk], region: us-east-1, account: '222222222222'");
    let (own, other) = (stream("eu-west-1", "111111111111"), stream("us-east-1", "222222222222"));
    let text = [
        checked(RULES, &function, &own),
        checked(RULES, &function, &other),
        checked(RULES, &function, &stream("eu-west-1", "222222222222")),
        checked(&declared, &function, &other),
        checked(&declared, &function, &own),
        checked(RULES, &Home::of_function("nonsense"), &other),
        checked(RULES, &function, &stream("ddblocal", "000000000000")),
    ];
    expect![[r#"
        fine
        the stream is of table `app` in Region us-east-1, but the function runs in Region eu-west-1
        help: remove the event source mapping, or write `region: "us-east-1"` for the table in the rule file if this stream is meant
        the stream is of table `app` in account 222222222222, but the function runs in account 111111111111
        help: remove the event source mapping, or write `account: "222222222222"` for the table in the rule file if this stream is meant
        fine
        the stream is of table `app` in Region eu-west-1, but the rule file declares Region us-east-1
        help: remove the event source mapping, or write `region: "eu-west-1"` for the table in the rule file if this stream is meant
        fine
        fine"#]].assert_eq(&text.join("\n"));
}

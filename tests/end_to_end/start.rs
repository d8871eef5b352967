//! Tests how the function reports an invalid configuration and unexpected events.

use std::fs;

use aws_sdk_dynamodb::types::StreamViewType;
use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use crate::rules;
use crate::stage::{Environment, Stage};
use kit::runtime_api::{FunctionError, Invoked};
use kit::stream_setting::set_stream;

pub(crate) async fn bad_rules(environment: Environment) {
    let mut rules = rules::company("app");
    rules["references"]["member_user"]["to"] = "usr".into();
    rules["mirrors"]["membership"]["on_mirror_edit"] = "restrict".into();
    let stage = Stage::without_tables(environment, &rules).await;
    check_init(&stage, &expect![[r#"
        Runtime.ExitError: exit status: 1
        E013: `on_mirror_edit` of mirror `membership` cannot be `restrict`
          REFEREE_RULES_JSON:1:418: `…:"member_of","on_mirror_edit":"restrict","source":"member"}},"references":{"memb…`: unknown word
        help: write one of `overwrite`, `report`
        E020: there is no entity `usr`
          REFEREE_RULES_JSON:1:580: `…ership"},"from":"member","to":"usr"}},"tables":{"app":{"key":["pk","sk"],"name":…`: not declared
        help: did you mean `user`?
    "#]]).await;
    // With correct rules, the function starts at the next invocation.
    stage.create(&stage.table()).await;
    stage.lambda.set_env("REFEREE_RULES_JSON", &rules::company(&stage.table()).to_string());
    let answer = stage.lambda.invoke(r#"{"Records":[]}"#.to_owned()).await;
    assert_eq!(answer, Invoked::Answer(r#"{"batchItemFailures":[]}"#.into()));
}

pub(crate) async fn tables_that_differ(environment: Environment) {
    let stage = Stage::new(environment, |_| rules::company("not-there")).await;
    check_init(&stage, &expect![[r#"
        Runtime.ExitError: exit status: 1
        `BatchGetItem` on `not-there`: ResourceNotFoundException: Cannot do operations on a non-existent table
        help: check the table's `name` and its indexes in the rule file, the account and the Region
    "#]]).await;
    let mut rules = rules::company(&stage.table());
    let text = rules.to_string().replace(r#""sk""#, r#""sort""#);
    rules = serde_json::from_str(&text).unwrap();
    stage.lambda.set_env("REFEREE_RULES_JSON", &rules.to_string());
    check_init(
        &stage,
        &expect![[r#"
        Runtime.ExitError: exit status: 1
        `BatchGetItem` on `app`: ValidationException: One of the required keys was not given a value
        help: the key of the table in the rule file is [pk:S, sort:S]
    "#]],
    )
    .await;
}

/// Asserts that the function fails to start with this error.
async fn check_init(stage: &Stage, expected: &Expect) {
    let before = stage.errors().len();
    let invoked = stage.lambda.invoke(r#"{"Records":[]}"#.to_owned()).await;
    let Invoked::InitFailed(FunctionError { kind, message }) = invoked else {
        panic!("{invoked:?}");
    };
    let _ = stage.lambda.log.line(|line| line.contains("ERROR")).await;
    let error_text = stage.errors()[before..].join("\n").replace(&stage.table(), "app");
    expected.assert_eq(&format!("{kind}: {message}\n{error_text}\n"));
}

pub(crate) async fn keys_only(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.put(&[("pk", "company#acme"), ("sk", "user#ada"), ("role", "boss")]).await;
    for view in [None, Some(StreamViewType::KeysOnly)] {
        set_stream(&stage.client, &stage.table(), view).await;
    }
    stage.put(&[("pk", "company#acme"), ("sk", "user#bob"), ("role", "staff")]).await;
    let mut mapping = stage.mapping().await;
    while mapping.counts.failures < 2 {
        mapping.round().await;
    }
    let Some(Invoked::FunctionError(error)) = mapping.last_failure.take() else {
        panic!("it is refused");
    };
    expect!["Fatal: the stream's view type is KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES. The view type of a stream cannot be changed: turn the stream off, and on again with that type"].assert_eq(&error_text(&stage, &error));
    assert!(stage.rows().await.iter().all(|row| !row.is_marked));
}

pub(crate) async fn other_events(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    let kinesis = json!({
        "Records": [{
            "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
            "eventName": "aws:kinesis:record",
            "kinesis": { "partitionKey": "1", "data": "SGVsbG8=" },
            "eventSource": "aws:kinesis",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/my-stream",
            "awsRegion": "us-east-2",
        }],
    });
    // The test event of the AWS console.
    let hello = json!({ "key1": "value1", "key2": "value2", "key3": "value3" });
    let text = fs::read_to_string("events/company-user/stream/01-members-join.json").unwrap();
    let other_table: Json = serde_json::from_str(&text).unwrap();
    let mut answers = String::new();
    for event in [kinesis, hello, json!({}), json!([]), json!("hello"), Json::Null, other_table] {
        let invoked = stage.lambda.invoke(event.to_string()).await;
        let Invoked::FunctionError(error) = invoked else { panic!("{invoked:?}") };
        answers.push_str(&error_text(&stage, &error));
        answers.push('\n');
    }
    expect![[r#"
        Fatal: the record comes from `aws:kinesis`, not from a DynamoDB stream
        Fatal: the event has no list of `Records`, which every stream event has: missing field `Records` at line 1 column 49
        Fatal: the event has no list of `Records`, which every stream event has: missing field `Records` at line 1 column 2
        Fatal: the event has no list of `Records`, which every stream event has: invalid length 0, expected an object with `Records` at line 1 column 2
        Fatal: the event has no list of `Records`, which every stream event has: invalid type: string "hello", expected an object with `Records` at line 1 column 7
        Fatal: the event has no list of `Records`, which every stream event has: invalid type: null, expected an object with `Records` at line 1 column 4
        Fatal: table `app` is not in the rule file, which declares `mine`
    "#]].assert_eq(&answers);
    // No event crashed the process.
    assert_eq!(stage.lambda.inits(), 1);
}

fn error_text(stage: &Stage, FunctionError { kind, message }: &FunctionError) -> String {
    format!("{kind}: {}", message.replace(&stage.table(), "mine"))
}

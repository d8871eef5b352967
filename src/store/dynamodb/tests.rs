//! Behaviour that no emulator can produce: throttling, conflicts, lost answers, timeouts.
//!
//! A scripted server answers in place of DynamoDB, over a real connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use expect_test::expect;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::*;
use crate::aws::configure;
use crate::data::{JsonItem, into_owned};
use crate::store::{Action, CancellationReason, Condition, Units};

/// A scripted answer: its status and body.
type Scripted = (u16, &'static str);

const THROTTLED: Scripted =
    (400, r#"{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#);
const BROKEN: Scripted =
    (500, r#"{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}"#);
const DONE: Scripted = (200, "{}");

/// Returns a store whose requests are answered from the script, and the bodies of those requests.
/// After the last scripted answer, requests get no answer.
async fn scripted(script: Vec<Scripted>) -> (DynamoDb, Receiver<Json>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        let mut script = script.into_iter();
        // Each answer closes its connection, so that the next request opens a new one.
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
            let Some((status, body)) = script.next() else {
                thread::park_timeout(Duration::MAX);
                return;
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            reader.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = configure(Some(&endpoint)).await.into_builder();
    let config = config
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    (DynamoDb::new(&config), requests)
}

fn item(json: &str) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
}

fn put(pk: &str) -> Write {
    let item = item(&format!(r#"{{"pk": {{"S": "{pk}"}}}}"#));
    Write { table: "app".to_owned(), action: Action::Put(item), condition: None }
}

fn read(pk: &str, attribute: &str) -> Read {
    let key = item(&format!(r#"{{"pk": {{"S": "{pk}"}}}}"#));
    Read { table: "app".to_owned(), key, attributes: Some(vec![attribute.to_owned()]) }
}

#[tokio::test]
async fn throttled_requests_are_retried() {
    let (store, requests) = scripted(vec![THROTTLED, BROKEN, DONE]).await;
    assert_eq!(store.write(put("1")).await.unwrap().value, Written::Applied);
    assert_eq!(requests.try_iter().count(), 3);
}

#[tokio::test]
async fn denied_requests_are_not_retried() {
    let denied =
        (400, r#"{"__type": "x#AccessDeniedException", "Message": "User: u is not authorized"}"#);
    let (store, requests) = scripted(vec![denied]).await;
    let error = store.write(put("1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Fatal(_)), "{error:?}");
    assert!(error.to_string().contains("User: u is not authorized"), "{error}");
    assert_eq!(requests.try_iter().count(), 1);
}

#[tokio::test]
async fn unprocessed_keys_are_requested_again() {
    let first = (
        200,
        r#"{"Responses": {"app": [{"pk": {"S": "2"}, "x": {"N": "2"}, "y": {"N": "0"}}]},
            "UnprocessedKeys": {"app": {"Keys": [{"pk": {"S": "1"}}], "ConsistentRead": true}},
            "ConsumedCapacity": [{"TableName": "app", "CapacityUnits": 1.0}]}"#,
    );
    let second = (
        200,
        r#"{"Responses": {"app": [{"pk": {"S": "1"}, "y": {"N": "1"}}]}, "UnprocessedKeys": {},
            "ConsumedCapacity": [{"TableName": "app", "CapacityUnits": 2.0}]}"#,
    );
    let (store, requests) = scripted(vec![first, second]).await;
    let answer = store.batch_get(vec![read("1", "y"), read("2", "x"), read("3", "x")]).await;
    let expected =
        vec![Some(item(r#"{"y": {"N": "1"}}"#)), Some(item(r#"{"x": {"N": "2"}}"#)), None];
    let units = Units { read: 3.0, write: 0.0 };
    assert_eq!(answer, Ok(Answer { value: expected, units }));
    let asked: Vec<_> = requests
        .try_iter()
        .map(|request| request["RequestItems"]["app"]["Keys"].as_array().unwrap().len())
        .collect();
    assert_eq!(asked, [3, 1]);
}

/// A retry after a lost answer reuses the token. A new attempt after a conflict has a new token.
#[tokio::test]
async fn a_transaction_is_not_applied_twice() {
    let conflict = (
        400,
        r#"{"__type": "x#TransactionCanceledException", "CancellationReasons":
            [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "ongoing"}]}"#,
    );
    let (store, requests) = scripted(vec![BROKEN, conflict, BROKEN, DONE]).await;
    let answer = store.transact(vec![put("1"), put("2")]).await.unwrap();
    assert_eq!(answer.value, Transacted::Applied);
    let tokens: Vec<_> =
        requests.try_iter().map(|request| request["ClientRequestToken"].clone()).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2]);
    assert_eq!(tokens[2], tokens[3]);
}

/// A transaction with a failed condition is not retried, whatever the other reasons are.
#[tokio::test]
async fn all_cancellation_reasons_of_a_large_transaction_are_returned() {
    let puts: Vec<_> = (0..100).map(|number| put(&number.to_string())).collect();
    let (code, expected): (Vec<_>, Vec<_>) = (0..100)
        .map(|number| match number % 4 {
            0 => (r#"{"Code": "None"}"#, CancellationReason::None),
            1 => (r#"{"Code": "TransactionConflict"}"#, CancellationReason::Conflict),
            2 => (
                r#"{"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "1"}}}"#,
                CancellationReason::ConditionFailed(Some(item(r#"{"pk": {"S": "1"}}"#))),
            ),
            _ => (r#"{"Code": "ProvisionedThroughputExceeded"}"#, CancellationReason::Throttled),
        })
        .unzip();
    let body = format!(
        r#"{{"__type": "x#TransactionCanceledException", "CancellationReasons": [{}]}}"#,
        code.join(", ")
    );
    let (store, requests) = scripted(vec![(400, body.leak())]).await;
    let answer = store.transact(puts).await.unwrap();
    assert_eq!(answer.value, Transacted::Canceled(expected));
    assert_eq!(requests.try_iter().count(), 1);
}

/// Failed conditions and invalid values are permanent.
#[tokio::test]
async fn only_transient_cancellations_are_retried() {
    let canceled = |codes: [&str; 2]| -> Scripted {
        let [one, other] = codes;
        let body = format!(
            r#"{{"__type": "x#TransactionCanceledException",
                "CancellationReasons": [{{"Code": "{one}"}}, {{"Code": "{other}"}}]}}"#
        );
        (400, body.leak())
    };
    for (codes, is_transient) in [
        (["None", "TransactionConflict"], true),
        (["ThrottlingError", "TransactionConflict"], true),
        (["ProvisionedThroughputExceeded", "None"], true),
        (["ConditionalCheckFailed", "TransactionConflict"], false),
        (["TransactionConflict", "ValidationError"], false),
        (["ThrottlingError", "ItemCollectionSizeLimitExceeded"], false),
    ] {
        let (store, requests) = scripted(vec![canceled(codes), DONE]).await;
        let answer = store.transact(vec![put("1"), put("2")]).await.unwrap();
        assert_eq!(answer.value == Transacted::Applied, is_transient, "{codes:?}");
        assert_eq!(requests.try_iter().count(), 1 + usize::from(is_transient), "{codes:?}");
    }
}

#[tokio::test]
async fn cancellation_reasons_match_the_actions_or_are_not_returned() {
    let reasons = (
        400,
        r#"{"__type": "x#TransactionCanceledException", "CancellationReasons":
            [{"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "1"}}},
             {"Code": "ThrottlingError"}, {"Code": "ValidationError", "Message": "too large"}]}"#,
    );
    let (store, _requests) = scripted(vec![reasons, reasons]).await;
    let answer = store.transact(vec![put("1"), put("2"), put("3")]).await.unwrap();
    let expected = vec![
        CancellationReason::ConditionFailed(Some(item(r#"{"pk": {"S": "1"}}"#))),
        CancellationReason::Throttled,
        CancellationReason::Invalid("too large".to_owned()),
    ];
    assert_eq!(answer.value, Transacted::Canceled(expected));
    // The message contains no item, because it is logged.
    expect![[r#"
        Err(
            Rejected(
                "`TransactWriteItems` on `app`: the transaction was cancelled: ConditionalCheckFailed, ThrottlingError, too large",
            ),
        )
    "#]]
    .assert_debug_eq(&store.transact(vec![put("1"), put("2")]).await);
}

#[tokio::test]
async fn a_failed_condition_returns_the_item_and_its_cost() {
    let refused =
        (400, r#"{"__type": "x#ConditionalCheckFailedException", "Item": {"pk": {"S": "1"}}}"#);
    let (store, _requests) = scripted(vec![refused]).await;
    let condition = Condition::NotExists(crate::data::Path::attribute("pk"));
    let answer = store.write(Write { condition: Some(condition), ..put("1") }).await.unwrap();
    assert_eq!(answer.value, Written::ConditionFailed(Some(item(r#"{"pk": {"S": "1"}}"#))));
    assert_eq!(answer.units, Units { read: 0.0, write: 1.0 });
}

#[tokio::test]
async fn a_request_does_not_wait_beyond_the_deadline() {
    let (store, _requests) = scripted(Vec::new()).await;
    let started = Instant::now();
    let store = store.until(started + Duration::from_millis(50));
    let error = store.write(put("1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Retry(_)), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

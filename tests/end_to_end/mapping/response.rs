//! Interprets a function's response to a mapping with `ReportBatchItemFailures`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use referee::streams::StreamRecord;
use serde_json::Value as Json;

/// The result of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// The batch's records from this index on are not done.
    From(usize),
    Failed,
}

/// Returns the result of a batch according to a response.
///
/// "Lambda treats a batch as a complete success if you return: an empty `batchItemFailure` list, a
/// null `batchItemFailure` list, an empty `EventResponse`, a null `EventResponse`"; "as a complete
/// failure if you return: an empty string `itemIdentifier`, a null `itemIdentifier`, an
/// `itemIdentifier` with a bad key name". So a response with a different outer key counts as empty.
/// A response that AWS does not document fails the batch.
pub(super) fn read(body: &[u8], batch: &[StreamRecord]) -> Verdict {
    if body.trim_ascii().is_empty() {
        return Verdict::Done;
    }
    let Ok(response) = serde_json::from_slice::<Json>(body) else { return Verdict::Failed };
    let failures = match response.get("batchItemFailures") {
        None | Some(Json::Null) if response.is_object() || response.is_null() => {
            return Verdict::Done;
        }
        Some(Json::Array(failures)) => failures,
        _ => return Verdict::Failed,
    };
    let place = |failure: &Json| {
        let identifier = failure.get("itemIdentifier")?.as_str()?;
        batch.iter().position(|record| record.sequence.as_str() == identifier)
    };
    let places: Option<Vec<usize>> = failures.iter().map(place).collect();
    match places {
        None => Verdict::Failed,
        // AWS uses the lowest sequence number as the checkpoint. The records of a batch are sorted
        // by number, so the lowest index has the lowest number.
        Some(places) => places.into_iter().min().map_or(Verdict::Done, Verdict::From),
    }
}

pub(super) const TESTS: &[(&str, fn())] = &[
    ("an_empty_or_null_response_is_success", success),
    ("a_bad_identifier_fails_the_batch", failure),
    ("the_lowest_sequence_number_is_the_checkpoint", checkpoint),
];

fn verdict(body: &str) -> Verdict {
    read(body.as_bytes(), &super::lane::records(&[100, 200, 300]))
}

fn success() {
    for body in [
        "",
        " ",
        "null",
        "{}",
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
        // If one letter of the key is missing, as here, AWS treats the batch as done.
        r#"{"batchItemFailure":[{"itemIdentifier":"000000000000000000100"}]}"#,
    ] {
        assert_eq!(verdict(body), Verdict::Done, "{body}");
    }
}

fn failure() {
    for body in [
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifer":"000000000000000000100"}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"000000000000000000150"}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"000000000000000000200"},{}]}"#,
        r#"{"batchItemFailures":"000000000000000000100"}"#,
        r#""done""#,
        "{",
    ] {
        assert_eq!(verdict(body), Verdict::Failed, "{body}");
    }
}

fn checkpoint() {
    let body = r#"{"batchItemFailures":[{"itemIdentifier":"000000000000000000300"},
        {"itemIdentifier":"000000000000000000200"}]}"#;
    assert_eq!(verdict(body), Verdict::From(1));
}

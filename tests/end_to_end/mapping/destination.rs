//! Creates the invocation record of a batch that was given up, as the on-failure destination
//! receives it.
//!
//! "For Amazon S3 destinations, Lambda sends the entire invocation record along with the metadata".
//! Queues and topics receive only the metadata.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use referee::streams::StreamRecord;
use serde_json::{Value as Json, json};

/// A batch that the mapping has given up.
#[derive(Debug)]
pub(super) struct Discarded {
    pub(super) records: Vec<StreamRecord>,
    pub(super) condition: Condition,
    /// The number of times the function was invoked with the batch.
    pub(super) invocations: u32,
}

/// Why the mapping gave up a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// Returns the event that a function receives for these records.
pub(super) fn event(records: &[StreamRecord]) -> String {
    let records: Vec<&str> = records.iter().map(|record| record.json.get()).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// Returns the invocation record: metadata, and the complete event as text.
pub(super) fn record(stream: &str, shard: &str, discarded: &Discarded) -> Json {
    let records = &discarded.records;
    let sequence = |record: Option<&StreamRecord>| record.map(|it| it.sequence.as_str().to_owned());
    let condition = format!("{:?}", discarded.condition);
    json!({
        "requestContext": {
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:referee",
            "condition": condition,
            "approximateInvokeCount": discarded.invocations,
        },
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": sequence(records.first()),
            "endSequenceNumber": sequence(records.last()),
            "batchSize": records.len(),
            "streamArn": stream,
        },
        "payload": event(records),
    })
}

pub(super) const TESTS: &[(&str, fn())] =
    &[("a_record_that_is_given_up_keeps_its_payload", payload)];

fn payload() {
    let records = super::lane::records(&[100, 200]);
    let condition = Condition::RetryAttemptsExhausted;
    let written = record("arn", "shard", &Discarded { records, condition, invocations: 3 });
    assert_eq!(written["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(written["requestContext"]["approximateInvokeCount"], 3);
    let info = &written["DDBStreamBatchInfo"];
    assert_eq!(info["startSequenceNumber"], "000000000000000000100");
    assert_eq!(info["endSequenceNumber"], "000000000000000000200");
    assert_eq!(info["batchSize"], 2);
    let payload: Json = serde_json::from_str(written["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"].as_array().unwrap().len(), 2);
}

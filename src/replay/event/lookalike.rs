//! Recognizes files that people pass instead of an event, and says what to do with them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The record of a failed invocation that was sent to a queue or a topic.
pub(super) const NO_PAYLOAD: &str = "\
this is Lambda's record of a failed invocation, without the event itself, which only an S3 bucket as \
the destination keeps
help: read the records of the shard in `DDBStreamBatchInfo` from its `startSequenceNumber` with `aws \
dynamodbstreams get-records`";

/// The fields that identify a format, and what to do with such a file.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &["Items"],
        "this looks like the output of `aws dynamodb scan` or `query`, which are items and not \
         changes\nhelp: pass it with `--seed`, or check it with `referee audit`",
    ),
    (
        &["Item"],
        "this looks like the output of `aws dynamodb get-item`, which is an item and not a change\n\
         help: pass it with `--seed`, or to `referee explain`",
    ),
    (
        &["StreamDescription"],
        "this looks like the output of `aws dynamodbstreams describe-stream`, which has no records\n\
         help: get an iterator for a shard with `get-shard-iterator`, and its records with \
         `get-records`",
    ),
    (
        &["ShardIterator"],
        "this looks like the output of `aws dynamodbstreams get-shard-iterator`, which has no \
         records\nhelp: pass the iterator to `aws dynamodbstreams get-records`",
    ),
    (
        &["Table"],
        "this looks like the output of `aws dynamodb describe-table`, which has no records\n\
         help: `referee check --live` compares the table with the rule file",
    ),
    (
        &["manifestFilesS3Key"],
        "this looks like the manifest of an export\nhelp: pass the export's folder to `referee audit`",
    ),
    (
        &["detail", "detail-type"],
        "this is an event of an EventBridge bus, which carries no records of DynamoDB streams\n\
         help: replay what a pipe, a function or `aws dynamodbstreams get-records` received",
    ),
];

/// What a file without records looks like, and what to do; `None` if that is unknown.
pub(super) fn help(part: &RawValue) -> Option<&'static str> {
    let found = fields(part);
    let has = |name: &&str| found.iter().any(|field| field == name);
    if has(&"Records") {
        return None;
    }
    KNOWN.iter().find(|(names, _)| names.iter().all(has)).map(|(_, help)| *help)
}

/// The names of an object's fields; empty if it is not an object.
fn fields(part: &RawValue) -> Vec<String> {
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(part.get()).unwrap_or_default();
    object.into_keys().collect()
}

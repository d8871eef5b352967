//! The batch that the benchmarks share: 1,000 records of items with 15 attributes and two images,
//! 5.9 MB, close to Lambda's maximum of 6 MB.

use serde_json::{Value, json};

/// The number of records.
pub(crate) const RECORDS: usize = 1_000;

/// The number of attributes of an item.
const ATTRIBUTES: usize = 15;

/// The total size of the attributes that no rule uses.
const FILLER_BYTES: usize = 2_340;

/// Creates an item's image: its key, the attributes that matter, and filler attributes up to the
/// total number.
pub(crate) fn image(key: [&str; 2], matter: &[(&str, &str)]) -> Value {
    let [pk, sk] = key;
    let mut image = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    for (name, value) in matter {
        image[*name] = json!({ "S": value });
    }
    let fillers = ATTRIBUTES - 2 - matter.len();
    for filler in 0..fillers {
        image[format!("attribute_{filler}")] = json!({ "S": "x".repeat(FILLER_BYTES / fillers) });
    }
    image
}

/// Creates a record of a change from one image to another.
pub(crate) fn record(index: usize, before: &Value, after: &Value) -> Value {
    json!({
        "eventID": format!("{index:032x}"),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_763_625_600,
            "Keys": { "pk": after["pk"], "sk": after["sk"] },
            "NewImage": after,
            "OldImage": before,
            "SequenceNumber": format!("{}", 170_000_000_000_000_000_000_000_u128 + index as u128),
            "SizeBytes": 5_000,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN":
            "arn:aws:dynamodb:us-east-1:000000000000:table/app/stream/2026-11-20T08:00:00.000",
    })
}

/// Creates an event with these records.
pub(crate) fn event(records: impl Iterator<Item = Value>) -> String {
    json!({ "Records": records.collect::<Vec<_>>() }).to_string()
}

//! The stream of the store's own writes, in the format that Lambda delivers.

use serde::ser::{Serialize, Serializer};

use crate::data::{Item, Key, SequenceNumber, item_bytes};

/// The Region in the records.
const REGION: &str = "us-east-1";
/// The label that distinguishes a table's streams. A table in memory has only one stream.
const STREAM_LABEL: &str = "1970-01-01T00:00:00.000";

/// A change of one item, with both images.
///
/// Its JSON is that of an element of `Records` in Lambda's event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// The table's name.
    pub table: String,
    /// The item's key.
    pub key: Key<'static>,
    /// The key as attributes.
    pub key_attributes: Item<'static>,
    /// The item before the change, if it existed.
    pub before: Option<Item<'static>>,
    /// The item after the change, if it exists.
    pub after: Option<Item<'static>>,
    /// The sequence number, which orders the changes of an item.
    pub sequence: SequenceNumber<'static>,
    /// The time of the change, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// The record's number among all records of the store.
    pub number: u64,
}

impl StreamRecord {
    fn event_name(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
        }
    }

    /// The sizes of the key and of both images, as DynamoDB counts them.
    fn size_bytes(&self) -> usize {
        let images = [&self.before, &self.after].into_iter().flatten();
        item_bytes(&self.key_attributes) + images.map(item_bytes).sum::<usize>()
    }
}

impl Serialize for StreamRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let envelope = Envelope {
            event_id: format!("{:032x}", self.number),
            event_name: self.event_name(),
            event_version: "1.1",
            event_source: "aws:dynamodb",
            aws_region: REGION,
            dynamodb: Body {
                // DynamoDB rounds down to the second.
                approximate_creation_date_time: self.created_at_ms / 1000,
                keys: &self.key_attributes,
                new_image: self.after.as_ref(),
                old_image: self.before.as_ref(),
                sequence_number: self.sequence.as_str(),
                size_bytes: self.size_bytes(),
                stream_view_type: "NEW_AND_OLD_IMAGES",
            },
            event_source_arn: format!(
                "arn:aws:dynamodb:{REGION}:000000000000:table/{}/stream/{STREAM_LABEL}",
                self.table
            ),
        };
        envelope.serialize(serializer)
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'r> {
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    event_version: &'static str,
    event_source: &'static str,
    aws_region: &'static str,
    dynamodb: Body<'r>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'r> {
    approximate_creation_date_time: u64,
    keys: &'r Item<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<&'r Item<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<&'r Item<'static>>,
    sequence_number: &'r str,
    size_bytes: usize,
    stream_view_type: &'static str,
}

#[cfg(test)]
mod tests {
    use super::super::tests::{memory, put};
    use crate::store::Store as _;
    use expect_test::expect;
    use futures_util::FutureExt as _;

    #[test]
    fn a_record_has_the_format_that_lambda_delivers() {
        let memory = memory();
        memory.set_now_ms(1_700_000_000_999);
        for text in ["a", "b"] {
            memory.write(put(text)).now_or_never().unwrap().unwrap();
        }
        let record = memory.take_stream().pop().unwrap();
        expect![[r#"
            {
              "eventID": "00000000000000000000000000000002",
              "eventName": "MODIFY",
              "eventVersion": "1.1",
              "eventSource": "aws:dynamodb",
              "awsRegion": "us-east-1",
              "dynamodb": {
                "ApproximateCreationDateTime": 1700000000,
                "Keys": {
                  "pk": {
                    "S": "p"
                  },
                  "sk": {
                    "S": "1"
                  }
                },
                "NewImage": {
                  "pk": {
                    "S": "p"
                  },
                  "sk": {
                    "S": "1"
                  },
                  "x": {
                    "S": "b"
                  }
                },
                "OldImage": {
                  "pk": {
                    "S": "p"
                  },
                  "sk": {
                    "S": "1"
                  },
                  "x": {
                    "S": "a"
                  }
                },
                "SequenceNumber": "000000000000000000002",
                "SizeBytes": 22,
                "StreamViewType": "NEW_AND_OLD_IMAGES"
              },
              "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/app/stream/1970-01-01T00:00:00.000"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record).unwrap());
    }
}

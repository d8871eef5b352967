//! Converts a record of the DynamoDB Streams API to the JSON that Lambda delivers.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodbstreams::primitives::{Blob, DateTime};
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, StreamViewType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::StreamRecord;
use crate::data::SequenceNumber;

/// Converts a record, or returns what is wrong with it.
pub(super) fn convert(stream: &str, record: &Record) -> Result<StreamRecord, &'static str> {
    let body = record.dynamodb.as_ref().ok_or("a record without a body")?;
    let sequence = body.sequence_number.as_deref().ok_or("a record without a sequence number")?;
    let sequence =
        SequenceNumber::parse(sequence).map_err(|_| "a record with an invalid sequence number")?;
    let envelope = Envelope {
        event_id: record.event_id(),
        event_name: record.event_name.as_ref().map(OperationType::as_str),
        event_version: record.event_version(),
        event_source: record.event_source(),
        aws_region: record.aws_region(),
        dynamodb: Body {
            approximate_creation_date_time: body.approximate_creation_date_time.map(Seconds),
            keys: body.keys.as_ref().map(Image),
            new_image: body.new_image.as_ref().map(Image),
            old_image: body.old_image.as_ref().map(Image),
            sequence_number: sequence.as_str(),
            size_bytes: body.size_bytes,
            stream_view_type: body.stream_view_type.as_ref().map(StreamViewType::as_str),
        },
        user_identity: record.user_identity.as_ref().map(|identity| Identity {
            principal_id: identity.principal_id(),
            kind: identity.r#type(),
        }),
        event_source_arn: stream,
    };
    let json = serde_json::value::to_raw_value(&envelope)
        .map_err(|_| "a record that is not valid JSON")?;
    let created_ms = body.approximate_creation_date_time.and_then(|time| time.to_millis().ok());
    Ok(StreamRecord { sequence: sequence.into_owned(), created_ms, json })
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'r> {
    #[serde(rename = "eventID", skip_serializing_if = "Option::is_none")]
    event_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_version: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_region: Option<&'r str>,
    dynamodb: Body<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<Identity<'r>>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'r str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_creation_date_time: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Image<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<Image<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<Image<'r>>,
    sequence_number: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_view_type: Option<&'r str>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<&'r str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'r str>,
}

/// A time in Lambda's format: seconds since 1970, with a fraction only if it is not zero.
struct Seconds(DateTime);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            serializer.serialize_i64(self.0.secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

/// An item, with its attributes in the order of their names.
struct Image<'r>(&'r HashMap<String, AttributeValue>);

impl Serialize for Image<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ordered: BTreeMap<&String, Attribute<'_>> =
            self.0.iter().map(|(name, value)| (name, Attribute(value))).collect();
        serializer.collect_map(ordered)
    }
}

/// A value with its type. DynamoDB limits nesting to 32 levels.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
struct Attribute<'r>(&'r AttributeValue);

impl Serialize for Attribute<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the SDK's variant for types it does not know is private"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let binary = |bytes: &Blob| BASE64.encode(bytes);
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            AttributeValue::S(text) => map.serialize_entry("S", text)?,
            AttributeValue::N(number) => map.serialize_entry("N", number)?,
            AttributeValue::B(bytes) => map.serialize_entry("B", &binary(bytes))?,
            AttributeValue::Bool(flag) => map.serialize_entry("BOOL", flag)?,
            AttributeValue::Null(flag) => map.serialize_entry("NULL", flag)?,
            AttributeValue::Ss(set) => map.serialize_entry("SS", set)?,
            AttributeValue::Ns(set) => map.serialize_entry("NS", set)?,
            AttributeValue::Bs(set) => {
                map.serialize_entry("BS", &set.iter().map(binary).collect::<Vec<_>>())?;
            }
            AttributeValue::L(list) => {
                map.serialize_entry("L", &list.iter().map(Attribute).collect::<Vec<_>>())?;
            }
            AttributeValue::M(item) => map.serialize_entry("M", &Image(item))?,
            // The engine rejects a record with an unknown type.
            _ => map.serialize_entry("unknown", &())?,
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodbstreams::types::{self as sdk, StreamRecord as SdkStreamRecord};
    use expect_test::expect;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn body() -> SdkStreamRecord {
        let blob = |bytes: &[u8]| Blob::new(bytes);
        let key = ("pk".to_owned(), AttributeValue::S("p".to_owned()));
        let nested = HashMap::from([("x".to_owned(), AttributeValue::Null(true))]);
        let image = HashMap::from([
            key.clone(),
            ("b".to_owned(), AttributeValue::B(blob(b"\x00\xff"))),
            ("bs".to_owned(), AttributeValue::Bs(vec![blob(b"a"), blob(b"")])),
            ("n".to_owned(), AttributeValue::N("12345678901234567890123456789012345678".into())),
            ("ns".to_owned(), AttributeValue::Ns(texts(&["1", "2.5"]))),
            ("ss".to_owned(), AttributeValue::Ss(texts(&["a", "\""]))),
            ("t".to_owned(), AttributeValue::Bool(false)),
            ("l".to_owned(), AttributeValue::L(vec![AttributeValue::M(nested)])),
        ]);
        SdkStreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs(1_763_625_600))
            .set_keys(Some(HashMap::from([key])))
            .set_old_image(Some(image))
            .sequence_number("170000000000000000001")
            .size_bytes(99)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
    }

    fn json(record: &Record) -> String {
        convert("arn:aws:dynamodb:eu-west-1:1:table/app/stream/now", record)
            .unwrap()
            .json
            .to_string()
    }

    #[test]
    fn a_record_has_the_format_that_lambda_delivers() {
        let ttl = sdk::Identity::builder()
            .principal_id("dynamodb.amazonaws.com")
            .r#type("Service")
            .build();
        let record = Record::builder()
            .event_id("23a849b26e749912f608671ad5ecfb87")
            .event_name(OperationType::Remove)
            .event_version("1.1")
            .event_source("aws:dynamodb")
            .aws_region("eu-west-1")
            .dynamodb(body())
            .user_identity(ttl)
            .build();
        expect![[r#"{"eventID":"23a849b26e749912f608671ad5ecfb87","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1763625600,"Keys":{"pk":{"S":"p"}},"OldImage":{"b":{"B":"AP8="},"bs":{"BS":["YQ==",""]},"l":{"L":[{"M":{"x":{"NULL":true}}}]},"n":{"N":"12345678901234567890123456789012345678"},"ns":{"NS":["1","2.5"]},"pk":{"S":"p"},"ss":{"SS":["a","\""]},"t":{"BOOL":false}},"SequenceNumber":"170000000000000000001","SizeBytes":99,"StreamViewType":"NEW_AND_OLD_IMAGES"},"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},"eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/app/stream/now"}"#]].assert_eq(&json(&record));
    }

    #[test]
    fn a_time_has_a_fraction_only_if_it_is_not_zero() {
        for (millis, expected) in [(1_763_625_600_000, "1763625600,"), (1_500, "1.5,")] {
            let mut body = body();
            body.approximate_creation_date_time = Some(DateTime::from_millis(millis));
            let record = Record::builder().dynamodb(body).build();
            let expected = format!("\"ApproximateCreationDateTime\":{expected}");
            assert!(json(&record).contains(&expected), "{}", json(&record));
        }
    }

    #[test]
    fn a_record_without_a_sequence_number_is_rejected() {
        assert!(convert("arn", &Record::builder().build()).is_err());
        let record = Record::builder().dynamodb(SdkStreamRecord::builder().build()).build();
        assert!(convert("arn", &record).is_err());
    }
}

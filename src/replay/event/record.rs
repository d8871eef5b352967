//! Translates the records of other sources to those of Lambda's input.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};

use super::BatchError;
use crate::data::Timestamp;

/// Translates those records that are not in Lambda's format. One that cannot be translated stays as
/// it is, and is rejected when it is decoded.
///
/// Records from Kinesis come in no particular order and repeatedly: they are sorted by their times,
/// and repetitions are left out.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html>
pub(super) fn normalize(
    records: Vec<Box<RawValue>>,
    table: Option<&str>,
) -> Result<Vec<Box<RawValue>>, BatchError> {
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(records.len());
    for record in records {
        match Probe::of(&record).kind() {
            Kind::Lambda => all.push(Read::Done(record)),
            Kind::Cli => {
                let table = table.ok_or(BatchError::NoTable)?;
                all.push(Read::Done(of_cli(&record, table).unwrap_or(record)));
            }
            Kind::Kinesis => match kinesis(&record) {
                Some((Some(id), _)) if !seen.insert(id.clone()) => {}
                Some((_, timed)) => all.push(Read::Timed(timed)),
                None => all.push(Read::Done(record)),
            },
        }
    }
    if all.iter().all(|read| matches!(read, Read::Timed(_))) {
        all.sort_by_key(|read| match read {
            Read::Timed(timed) => timed.micros,
            Read::Done(_) => 0,
        });
    }
    let finish = |(position, read)| match read {
        Read::Done(record) => Some(record),
        Read::Timed(timed) => timed.numbered(position),
    };
    Ok(all.into_iter().enumerate().filter_map(finish).collect())
}

/// A record that was read.
enum Read {
    Done(Box<RawValue>),
    Timed(Timed),
}

/// A record of Kinesis, which has a time instead of a sequence number.
struct Timed {
    /// Microseconds since 1970.
    micros: i64,
    json: Map<String, Json>,
}

impl Timed {
    /// Gives the record a sequence number: its time, and its position among records of the same
    /// time.
    fn numbered(mut self, position: usize) -> Option<Box<RawValue>> {
        let sequence = format!("{}{position:09}", self.micros);
        let stream = self.json.get_mut("dynamodb")?.as_object_mut()?;
        stream.insert("SequenceNumber".to_owned(), sequence.into());
        to_raw_value(&self.json).ok()
    }
}

/// What distinguishes the formats.
#[derive(Deserialize, Default)]
struct Probe<'a> {
    #[serde(borrow, rename = "eventSourceARN")]
    arn: Option<&'a RawValue>,
    #[serde(borrow, rename = "tableName")]
    table: Option<&'a RawValue>,
    #[serde(borrow)]
    kinesis: Option<&'a RawValue>,
    #[serde(borrow)]
    dynamodb: Option<&'a RawValue>,
    #[serde(borrow, rename = "Data")]
    data: Option<&'a RawValue>,
}

enum Kind {
    Lambda,
    /// `aws dynamodbstreams get-records`: without an ARN, and times can be texts.
    Cli,
    /// Kinesis Data Streams for DynamoDB: as Lambda or `aws kinesis get-records` deliver it, or
    /// decoded.
    Kinesis,
}

impl<'a> Probe<'a> {
    fn of(record: &'a RawValue) -> Self {
        serde_json::from_str(record.get()).unwrap_or_default()
    }

    const fn kind(&self) -> Kind {
        if self.kinesis.is_some() || self.data.is_some() || self.table.is_some() {
            Kind::Kinesis
        } else if self.arn.is_none() && self.dynamodb.is_some() {
            Kind::Cli
        } else {
            Kind::Lambda
        }
    }
}

/// A record of the AWS CLI as one of Lambda's.
fn of_cli(record: &RawValue, table: &str) -> Option<Box<RawValue>> {
    let mut json: Map<String, Json> = serde_json::from_str(record.get()).ok()?;
    name_table(&mut json, table);
    let time = json.get_mut("dynamodb")?.get_mut("ApproximateCreationDateTime");
    if let Some(time) = time
        && let Some(text) = time.as_str()
    {
        *time = seconds(Timestamp::parse(text)?.ms() * 1_000);
    }
    to_raw_value(&json).ok()
}

/// A record of Kinesis as one of Lambda's, and its id.
fn kinesis(record: &RawValue) -> Option<(Option<String>, Timed)> {
    let decoded = decoded(record)?;
    let mut json: Map<String, Json> = serde_json::from_str(&decoded).ok()?;
    let id = json.get("eventID").and_then(Json::as_str).map(ToOwned::to_owned);
    let table = json.remove("tableName")?;
    name_table(&mut json, table.as_str()?);
    let stream = json.get_mut("dynamodb")?.as_object_mut()?;
    let precision = stream.get("ApproximateCreationDateTimePrecision").and_then(Json::as_str);
    let micros_each = if precision == Some("MICROSECOND") { 1 } else { 1_000 };
    let time = stream.get_mut("ApproximateCreationDateTime")?;
    let micros = time.as_i64()?.checked_mul(micros_each)?;
    *time = seconds(micros);
    Some((id, Timed { micros, json }))
}

/// The JSON that a record of Kinesis carries, in base64 unless it is decoded already.
fn decoded(record: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Carrier {
        #[serde(alias = "Data")]
        data: String,
    }
    #[derive(Deserialize)]
    struct Delivered {
        kinesis: Carrier,
    }
    let data = serde_json::from_str::<Delivered>(record.get())
        .map(|delivered| delivered.kinesis.data)
        .or_else(|_| serde_json::from_str::<Carrier>(record.get()).map(|carrier| carrier.data));
    match data {
        Ok(data) => String::from_utf8(BASE64_STANDARD.decode(data).ok()?).ok().map(Cow::Owned),
        Err(_) => Some(Cow::Borrowed(record.get())),
    }
}

/// A stream's ARN in which only the table has a meaning: the record names no account, and the rules
/// may expect one of their own.
fn name_table(json: &mut Map<String, Json>, table: &str) {
    let arn = format!("arn:aws:dynamodb:ddblocal:000000000000:table/{table}/stream/recorded");
    json.insert("eventSourceARN".to_owned(), arn.into());
}

/// The seconds since 1970, as in Lambda's input.
#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit in 53 bits until 2255")]
fn seconds(micros: i64) -> Json {
    (micros as f64 / 1e6).into()
}

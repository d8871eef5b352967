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
    let mut all: Vec<(Option<i64>, Box<RawValue>)> = Vec::with_capacity(records.len());
    for record in records {
        match Probe::of(&record).kind() {
            Kind::Lambda => all.push((None, record)),
            Kind::Cli => {
                let table = table.ok_or(BatchError::NoTable)?;
                all.push((None, translated(&record, |json| of_cli(json, table))));
            }
            Kind::Kinesis => match kinesis(&record) {
                Some((id, _, _)) if id.as_ref().is_some_and(|id| !seen.insert(id.clone())) => {}
                Some((_, micros, json)) => all.push((Some(micros), json)),
                None => all.push((None, record)),
            },
        }
    }
    if all.iter().all(|(micros, _)| micros.is_some()) {
        all.sort_by_key(|(micros, _)| *micros);
    }
    let number = |(position, (micros, record)): (usize, (Option<i64>, Box<RawValue>))| match micros
    {
        Some(micros) => translated(&record, |json| set_sequence(json, micros, position)),
        None => record,
    };
    Ok(all.into_iter().enumerate().map(number).collect())
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

/// Changes a record; one that cannot be changed stays as it is.
fn translated(
    record: &RawValue,
    change: impl FnOnce(&mut Map<String, Json>) -> Option<()>,
) -> Box<RawValue> {
    serde_json::from_str::<Map<String, Json>>(record.get())
        .ok()
        .and_then(|mut json| change(&mut json).and_then(|()| to_raw_value(&json).ok()))
        .unwrap_or_else(|| record.to_owned())
}

fn of_cli(json: &mut Map<String, Json>, table: &str) -> Option<()> {
    name_table(json, table);
    let time = json.get_mut("dynamodb")?.get_mut("ApproximateCreationDateTime");
    if let Some(time) = time
        && let Some(text) = time.as_str()
    {
        *time = seconds(Timestamp::parse(text)?.ms() * 1_000);
    }
    Some(())
}

/// A record of Kinesis as one of Lambda's, with its id and its time in microseconds.
fn kinesis(record: &RawValue) -> Option<(Option<String>, i64, Box<RawValue>)> {
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
    Some((id, micros, to_raw_value(&json).ok()?))
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

/// Gives a record a sequence number: its time, and its position among records of the same time.
fn set_sequence(json: &mut Map<String, Json>, micros: i64, position: usize) -> Option<()> {
    let sequence = format!("{micros}{position:09}");
    json.get_mut("dynamodb")?.as_object_mut()?.insert("SequenceNumber".to_owned(), sequence.into());
    Some(())
}

/// The seconds since 1970, as in Lambda's input.
#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit in 53 bits until 2255")]
fn seconds(micros: i64) -> Json {
    (micros as f64 / 1e6).into()
}

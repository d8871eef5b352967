//! Finds the records in a file.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BatchError, lookalike};
use crate::engine::{EventError, records as records_of_event};

/// How many containers can be inside each other: the record of a failed invocation in a message in
/// an event of a queue has three.
const DEPTH_MAX: usize = 4;

/// The records of a text: an event, an array of records, or one of either in each line.
pub(super) fn records(text: &str) -> Result<Vec<Box<RawValue>>, BatchError> {
    let parts: Result<Vec<&RawValue>, _> =
        serde_json::Deserializer::from_str(text).into_iter().collect();
    match parts {
        Ok(parts) if !parts.is_empty() => {
            let mut records = Vec::new();
            for part in parts {
                collect(part, 0, &mut records)?;
            }
            Ok(records)
        }
        // The error of a whole event is the clearer one.
        Ok(_) | Err(_) => Ok(owned(records_of_event(text)?)),
    }
}

fn collect(
    part: &RawValue,
    depth: usize,
    records: &mut Vec<Box<RawValue>>,
) -> Result<(), BatchError> {
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(part.get()) {
        // Pipes delivers an array of records.
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
        if list.iter().all(|record| is_record(record)) && !list.is_empty() {
            records.extend(owned(list));
            return Ok(());
        }
    }
    if is_record(part) {
        records.push(part.to_owned());
        return Ok(());
    }
    if depth < DEPTH_MAX && Container::of(part).unpack(depth, records)? {
        return Ok(());
    }
    if let Some(help) = lookalike::help(part) {
        return Err(BatchError::Lookalike(help));
    }
    for record in records_of_event(part.get())? {
        // A message that contains no event stays a record, which decoding rejects with its reason.
        let inner = Message::of(record).and_then(|message| message.body);
        let mut unpacked = Vec::new();
        let is_unpacked = depth < DEPTH_MAX
            && inner.is_some_and(|body| {
                let body = RawValue::from_string(body).ok();
                body.is_some_and(|body| collect(&body, depth + 1, &mut unpacked).is_ok())
            });
        if is_unpacked {
            records.append(&mut unpacked);
        } else {
            records.push(record.to_owned());
        }
    }
    Ok(())
}

/// Whether this is the record of a change, rather than something that contains records.
fn is_record(part: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, rename = "dynamodb")]
        _dynamodb: &'a RawValue,
    }
    serde_json::from_str::<Probe<'_>>(part.get()).is_ok()
}

/// What contains events as texts.
#[derive(Deserialize, Default)]
struct Container<'a> {
    /// The output of `aws sqs receive-message`.
    #[serde(rename = "Messages")]
    messages: Option<Vec<Message>>,
    /// Lambda's record of a failed invocation, with the whole event if it was sent to S3.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
    #[serde(borrow, rename = "DDBStreamBatchInfo")]
    failed_batch: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// A message of SQS, as its CLI prints it or as Lambda delivers it.
#[derive(Deserialize)]
struct Message {
    #[serde(alias = "Body")]
    body: Option<String>,
}

impl Message {
    fn of(record: &RawValue) -> Option<Self> {
        serde_json::from_str(record.get()).ok()
    }
}

impl<'a> Container<'a> {
    fn of(part: &'a RawValue) -> Self {
        serde_json::from_str(part.get()).unwrap_or_default()
    }

    /// Adds the contained records; `false` if this is not a container.
    fn unpack(self, depth: usize, records: &mut Vec<Box<RawValue>>) -> Result<bool, BatchError> {
        if let Some(messages) = self.messages {
            for body in messages.into_iter().filter_map(|message| message.body) {
                collect(&parsed(body)?, depth + 1, records)?;
            }
            return Ok(true);
        }
        if self.failed_batch.is_none() {
            return Ok(false);
        }
        let payload = self.payload.ok_or(BatchError::Lookalike(lookalike::NO_PAYLOAD))?;
        match serde_json::from_str::<String>(payload.get()) {
            Ok(text) => collect(&parsed(text)?, depth + 1, records)?,
            Err(_) => collect(payload, depth + 1, records)?,
        }
        Ok(true)
    }
}

fn parsed(text: String) -> Result<Box<RawValue>, BatchError> {
    RawValue::from_string(text).map_err(|error| BatchError::Event(EventError::Syntax(error)))
}

fn owned(records: Vec<&RawValue>) -> Vec<Box<RawValue>> {
    records.into_iter().map(ToOwned::to_owned).collect()
}

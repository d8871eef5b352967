//! DynamoDB Streams: the record of every change, kept for a day and read shard by shard.
//!
//! A stream consists of shards, each of which contains records in order. A shard is closed after
//! some hours, or when its partition is split, and its children continue it. A reader that begins a
//! child before the end of its parent may see the changes of an item in the wrong order.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
//!
//! Requests are not retried here. An error that may be temporary is a [`StreamError::Retry`].
//!
//! Invariant: no other module uses the SDK's types of streams.

mod error;
mod record;

use aws_sdk_dynamodbstreams::error::SdkError;
use aws_sdk_dynamodbstreams::types::{self, ShardIteratorType, StreamStatus, StreamViewType};
use aws_sdk_dynamodbstreams::{Client, Error};
use serde_json::value::RawValue;

pub use error::StreamError;

use crate::aws::SdkConfig;
use crate::data::SequenceNumber;
use crate::preflight::{STREAM_VIEW, stream_off_and_on, stream_on};
use error::stream_error;

/// The maximum number of records that one [`Streams::read`] returns.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html>
pub const RECORDS_MAX: usize = 1000;

/// The DynamoDB Streams API, in AWS or behind any endpoint that implements it.
#[derive(Debug, Clone)]
pub struct Streams {
    client: Client,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The stream's ARN, which contains the table's name and the time at which the stream was
    /// enabled.
    pub arn: String,
    /// The table's name.
    pub table: String,
}

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its ID within the stream.
    pub id: String,
    /// The ID of the shard that it continues, which may have been trimmed.
    pub parent: Option<String>,
    /// Whether no more records will be added.
    pub is_closed: bool,
}

/// Where to begin in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record.
    TrimHorizon,
    /// After the newest record: only later records are read.
    Latest,
    /// After this record.
    After(SequenceNumber<'static>),
}

/// Consecutive records of a shard. An empty page does not mean the end of the shard.
#[derive(Debug, Default)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<StreamRecord>,
    /// The iterator of the next page; `None` at the end of a closed shard.
    pub next: Option<String>,
}

/// A stream record.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// Its sequence number.
    pub sequence: SequenceNumber<'static>,
    /// The time of the change, in milliseconds since 1970.
    pub created_ms: Option<i64>,
    /// The whole record, in the format that Lambda delivers.
    pub json: Box<RawValue>,
}

impl Streams {
    /// Accesses the streams of this configuration's account and Region, or of its endpoint.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Finds a table's latest stream, which must be enabled and have new and old images.
    pub async fn latest(&self, table: &str) -> Result<Stream, StreamError> {
        let fatal =
            |what: String, help: String| StreamError::Fatal(format!("{what}\nhelp: {help}"));
        let Some(arn) = self.latest_arn(table).await? else {
            let what = format!("table `{table}` has no stream, or does not exist");
            return Err(fatal(what, stream_on(table)));
        };
        let description = self.describe(&arn, None).await?;
        if matches!(
            description.stream_status,
            Some(StreamStatus::Disabled | StreamStatus::Disabling)
        ) {
            return Err(fatal(
                format!("the stream of table `{table}` is disabled"),
                stream_on(table),
            ));
        }
        match description.stream_view_type {
            Some(StreamViewType::NewAndOldImages) | None => {
                Ok(Stream { arn, table: table.to_owned() })
            }
            Some(other) => {
                let what = format!(
                    "the stream of table `{table}` has the view type {other}; Referee needs \
                     {STREAM_VIEW}"
                );
                Err(fatal(what, stream_off_and_on(table)))
            }
        }
    }

    /// Lists the shards that the stream currently has.
    pub async fn shards(&self, stream: &str) -> Result<Vec<Shard>, StreamError> {
        let mut shards = Vec::new();
        let mut start = None;
        loop {
            let page = self.describe(stream, start).await?;
            shards.extend(page.shards.into_iter().flatten().filter_map(shard));
            start = page.last_evaluated_shard_id;
            if start.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Opens an iterator at a position in a shard. It expires after 15 minutes.
    pub async fn open(
        &self,
        stream: &str,
        shard: &str,
        position: &Position,
    ) -> Result<String, StreamError> {
        const OPERATION: &str = "GetShardIterator";
        let (kind, after) = match position {
            Position::TrimHorizon => (ShardIteratorType::TrimHorizon, None),
            Position::Latest => (ShardIteratorType::Latest, None),
            Position::After(sequence) => {
                (ShardIteratorType::AfterSequenceNumber, Some(sequence.as_str().to_owned()))
            }
        };
        let request = self
            .client
            .get_shard_iterator()
            .stream_arn(stream)
            .shard_id(shard)
            .shard_iterator_type(kind)
            .set_sequence_number(after);
        let output = request.send().await.map_err(|error| failed(OPERATION, stream, error))?;
        output.shard_iterator.ok_or_else(|| unexpected(OPERATION, stream, "no iterator"))
    }

    /// Reads the next records of a shard, at most this many.
    pub async fn read(
        &self,
        stream: &str,
        iterator: &str,
        records_max: usize,
    ) -> Result<RecordPage, StreamError> {
        const OPERATION: &str = "GetRecords";
        let request = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(i32::try_from(records_max.min(RECORDS_MAX)).unwrap_or(1));
        let output = request.send().await.map_err(|error| failed(OPERATION, stream, error))?;
        let records = output.records.unwrap_or_default();
        let records = records.into_iter().map(|record| {
            record::convert(stream, &record).map_err(|what| unexpected(OPERATION, stream, what))
        });
        Ok(RecordPage {
            records: records.collect::<Result<_, _>>()?,
            next: output.next_shard_iterator,
        })
    }

    /// Finds the ARN of a table's most recently enabled stream. Earlier streams remain for a day.
    async fn latest_arn(&self, table: &str) -> Result<Option<String>, StreamError> {
        const OPERATION: &str = "ListStreams";
        let mut latest: Option<types::Stream> = None;
        let mut start = None;
        loop {
            let request =
                self.client.list_streams().table_name(table).set_exclusive_start_stream_arn(start);
            let answered = request.send().await;
            let page = match answered.map_err(|error| failed(OPERATION, table, error)) {
                Ok(page) => page,
                // A table that does not exist has no streams.
                Err(StreamError::Gone(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            for stream in page.streams.into_iter().flatten() {
                // The label is the time at which the stream was enabled, in ISO 8601.
                if latest.as_ref().is_none_or(|known| stream.stream_label > known.stream_label) {
                    latest = Some(stream);
                }
            }
            start = page.last_evaluated_stream_arn;
            if start.is_none() {
                return Ok(latest.and_then(|stream| stream.stream_arn));
            }
        }
    }

    async fn describe(
        &self,
        stream: &str,
        start: Option<String>,
    ) -> Result<types::StreamDescription, StreamError> {
        const OPERATION: &str = "DescribeStream";
        let request =
            self.client.describe_stream().stream_arn(stream).set_exclusive_start_shard_id(start);
        let output = request.send().await.map_err(|error| failed(OPERATION, stream, error))?;
        output.stream_description.ok_or_else(|| unexpected(OPERATION, stream, "no description"))
    }
}

/// Converts the SDK's description of a shard.
fn shard(shard: types::Shard) -> Option<Shard> {
    Some(Shard {
        id: shard.shard_id?,
        parent: shard.parent_shard_id,
        is_closed: shard
            .sequence_number_range
            .is_some_and(|range| range.ending_sequence_number.is_some()),
    })
}

fn failed<E>(operation: &str, subject: &str, error: SdkError<E>) -> StreamError
where
    Error: From<E>,
{
    stream_error(operation, subject, &error.map_service_error(Error::from))
}

/// The error for an answer that breaks what the API documents.
fn unexpected(operation: &str, subject: &str, what: &str) -> StreamError {
    StreamError::Retry(format!("`{operation}` on `{subject}`: the answer has {what}"))
}

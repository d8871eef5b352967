//! The interface to a source of records.

use std::future::Future;

use crate::streams::{Position, RecordPage, Shard, Stream, StreamError, Streams};

/// The part of the DynamoDB Streams API that a watcher needs. Requests are not retried.
pub trait RecordSource {
    /// Lists the shards that the stream currently has.
    fn shards(&self, stream: &Stream) -> impl Future<Output = Result<Vec<Shard>, StreamError>>;

    /// Opens an iterator at a position in a shard.
    fn open(
        &self,
        stream: &Stream,
        shard: &str,
        position: &Position,
    ) -> impl Future<Output = Result<String, StreamError>>;

    /// Reads the next records of a shard, at most this many.
    fn read(
        &self,
        stream: &Stream,
        iterator: &str,
        records_max: usize,
    ) -> impl Future<Output = Result<RecordPage, StreamError>>;
}

impl RecordSource for Streams {
    async fn shards(&self, stream: &Stream) -> Result<Vec<Shard>, StreamError> {
        self.shards(&stream.arn).await
    }

    async fn open(
        &self,
        stream: &Stream,
        shard: &str,
        position: &Position,
    ) -> Result<String, StreamError> {
        self.open(&stream.arn, shard, position).await
    }

    async fn read(
        &self,
        stream: &Stream,
        iterator: &str,
        records_max: usize,
    ) -> Result<RecordPage, StreamError> {
        self.read(&stream.arn, iterator, records_max).await
    }
}

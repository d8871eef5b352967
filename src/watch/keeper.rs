//! The interface to a store of progress.

use std::future::Future;

use super::progress::{Checkpoint, Progress};
use crate::streams::Stream;

/// A store of progress.
pub trait Keeper {
    /// Loads the progress of a stream, and what is known of earlier streams of the same table.
    fn load(&self, stream: &Stream) -> impl Future<Output = Result<Known, KeepError>>;

    /// Saves a shard's checkpoint, or forgets the shard.
    fn save(
        &self,
        stream: &Stream,
        shard: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> impl Future<Output = Result<(), KeepError>>;

    /// Renews the lease that keeps other watchers from following these streams. Call it
    /// periodically.
    fn renew(&self) -> impl Future<Output = Result<(), KeepError>> {
        std::future::ready(Ok(()))
    }

    /// Releases the lease, so that another watcher may follow these streams.
    fn release(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// What a keeper knows about a table's streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The progress of the stream, if it was followed before.
    pub progress: Option<Progress>,
    /// Whether an earlier stream of the table was followed, but not to the end of each of its known
    /// shards. The progress of that stream is forgotten.
    pub has_unread_ancestor: bool,
}

impl Known {
    /// Derives what is known about a stream from the progress of all streams of its table, by ARN.
    pub(super) fn of(stream: &Stream, mut streams: Vec<(String, Progress)>) -> Self {
        let mut known = Self::default();
        for (arn, progress) in streams.drain(..) {
            if arn == stream.arn {
                known.progress = Some(progress);
            } else {
                known.has_unread_ancestor |=
                    progress.values().any(|checkpoint| *checkpoint != Checkpoint::Drained);
            }
        }
        known
    }
}

/// Why progress could not be saved or loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// A later attempt may succeed.
    #[error("{0}")]
    Retry(String),
    /// An operator must act first.
    #[error("{0}")]
    Fatal(String),
}

/// Saves nothing: every watcher begins at the start given in its options.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeeper;

impl Keeper for NoKeeper {
    async fn load(&self, _: &Stream) -> Result<Known, KeepError> {
        Ok(Known::default())
    }

    async fn save(&self, _: &Stream, _: &str, _: Option<&Checkpoint>) -> Result<(), KeepError> {
        Ok(())
    }
}

/// The table's ARN, which begins the ARNs of all its streams.
pub(super) fn table_of(arn: &str) -> &str {
    arn.split_once("/stream/").map_or(arn, |(table, _)| table)
}

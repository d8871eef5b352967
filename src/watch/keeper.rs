//! Where progress is kept.

use std::future::Future;

use super::progress::{Mark, Progress};
use crate::streams::Stream;

/// A keeper of progress.
pub trait Keeper {
    /// What is known of a stream, and of earlier streams of the same table.
    fn load(&self, stream: &Stream) -> impl Future<Output = Result<Known, KeepError>>;

    /// Keeps a shard's mark, or forgets the shard.
    fn save(
        &self,
        stream: &Stream,
        shard: &str,
        mark: Option<&Mark>,
    ) -> impl Future<Output = Result<(), KeepError>>;

    /// Sees to it that nobody else follows these streams: to be called again and again.
    fn renew(&self) -> impl Future<Output = Result<(), KeepError>> {
        std::future::ready(Ok(()))
    }

    /// Lets others follow these streams.
    fn release(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// What a keeper knows of a table's streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// How far the stream was read, if it was ever begun.
    pub progress: Option<Progress>,
    /// Whether an earlier stream of the table was followed, and not to the end of each shard that
    /// is known of it. It is forgotten.
    pub has_unread_ancestor: bool,
}

impl Known {
    /// What is to be known of a stream, of all the progress of a table's streams, by their names.
    pub(super) fn of(stream: &Stream, mut streams: Vec<(String, Progress)>) -> Self {
        let mut known = Self::default();
        for (arn, progress) in streams.drain(..) {
            if arn == stream.arn {
                known.progress = Some(progress);
            } else {
                known.has_unread_ancestor |= progress.values().any(|mark| *mark != Mark::Drained);
            }
        }
        known
    }
}

/// Why progress could not be kept or loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// It may be possible later.
    #[error("{0}")]
    Retry(String),
    /// Someone must act first.
    #[error("{0}")]
    Fatal(String),
}

/// Keeps nothing: whoever begins again, begins where they say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Keeper for Nothing {
    async fn load(&self, _: &Stream) -> Result<Known, KeepError> {
        Ok(Known::default())
    }

    async fn save(&self, _: &Stream, _: &str, _: Option<&Mark>) -> Result<(), KeepError> {
        Ok(())
    }
}

/// The part of a stream's name that all streams of its table share.
pub(super) fn table_of(arn: &str) -> &str {
    arn.split_once("/stream/").map_or(arn, |(table, _)| table)
}

//! Reading one shard, from where it was left to its end.

use super::Told;
use super::delivery::{Delivery, Next};
use super::follow::{Follower, Watcher};
use super::keeper::Keeper;
use super::lineage::Ready;
use super::progress::Mark;
use super::source::Source;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::store::Store;
use crate::streams::{Page, Position, Stream, StreamError, StreamRecord};

/// How long to wait after a read that brought nothing: Lambda, too, reads four times a second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
const READ_PAUSE_MS: i64 = 250;
/// How much too old a record may be stamped: DynamoDB rounds down to the second, its emulator to
/// the minute, and clocks differ.
const STAMP_SLACK_MS: i64 = 60_000;

/// Where in a shard its reader is.
struct Cursor {
    ready: Ready,
    /// What leads on; nothing if that is to be asked for.
    iterator: Option<String>,
    /// How many requests in a row have failed.
    failures: u32,
}

impl<S: Source, D: Store, K: Keeper, C: Clock> Follower<'_, S, D, K, C> {
    /// Reads a shard: true at its end, false if a stop was asked for before.
    pub(super) async fn read_shard(&self, stream: &Stream, ready: Ready) -> Result<bool, Fatal> {
        let mut cursor = Cursor { ready, iterator: None, failures: 0 };
        while !self.watcher.stop.is_set() {
            let is_over = match self.page(stream, &mut cursor).await {
                Ok(page) => {
                    cursor.failures = 0;
                    let is_over = page.next.is_none();
                    cursor.iterator = page.next;
                    if page.records.is_empty() {
                        // At its end, its children may have something.
                        if !is_over {
                            self.nothing_came(stream, &cursor.ready.shard).await;
                        }
                    } else if !self.deliver(stream, &mut cursor.ready, page.records).await? {
                        return Ok(false);
                    }
                    is_over
                }
                Err(error) => self.recover(stream, &mut cursor, error).await?,
            };
            if is_over {
                self.save(stream, &cursor.ready.shard, Some(&Mark::Drained)).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next records of a shard.
    async fn page(&self, stream: &Stream, cursor: &mut Cursor) -> Result<Page, StreamError> {
        let Watcher { source, options, .. } = &self.watcher;
        let Ready { shard, mark, is_from_latest } = &mut cursor.ready;
        let iterator = if let Some(iterator) = cursor.iterator.take() {
            iterator
        } else {
            let position = match mark {
                _ if *is_from_latest => Position::Latest,
                Some(Mark::After(sequence)) => Position::After(sequence.clone()),
                Some(Mark::Since(_) | Mark::Drained) | None => Position::TrimHorizon,
            };
            let opened = source.open(stream, shard, &position).await?;
            // What is written from now on is wanted, should it be opened again.
            *is_from_latest = false;
            opened
        };
        let page = source.read(stream, &iterator, options.batch_records_max).await;
        if let Err(StreamError::Retry(_)) = &page {
            cursor.iterator = Some(iterator);
        }
        page
    }

    /// Does what an error asks for: true if the shard is over with that.
    async fn recover(
        &self,
        stream: &Stream,
        cursor: &mut Cursor,
        error: StreamError,
    ) -> Result<bool, Fatal> {
        let Ready { shard, mark, .. } = &mut cursor.ready;
        match error {
            StreamError::Fatal(what) => return Err(Fatal(what)),
            StreamError::Retry(what) => {
                self.delay(stream, &what, cursor.failures).await;
                cursor.failures += 1;
            }
            StreamError::ExpiredIterator(_) => {}
            StreamError::Trimmed(_) => {
                // Whoever begins with the oldest record has it by definition; and the emulator
                // says this of every shard whose first record comes after it was opened.
                if matches!(mark, Some(Mark::After(_))) {
                    self.lost(stream, &format!("records of shard `{shard}` were trimmed unread"));
                    *mark = None;
                }
                self.rest(READ_PAUSE_MS, || false).await;
            }
            StreamError::Gone(_) => {
                let what = "was trimmed before it was read to its end";
                self.lost(stream, &format!("shard `{shard}` {what}"));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits where a shard has nothing at this moment.
    async fn nothing_came(&self, stream: &Stream, shard: &str) {
        self.quiet.borrow_mut().nothing_came(&stream.arn, shard);
        self.stop_if_done();
        self.rest(READ_PAUSE_MS, || false).await;
    }

    /// Delivers a batch until nothing of it is handed back, and keeps how far that got: false if a
    /// stop was asked for before.
    async fn deliver(
        &self,
        stream: &Stream,
        Ready { shard, mark, .. }: &mut Ready,
        records: Vec<StreamRecord>,
    ) -> Result<bool, Fatal> {
        let wanted = wanted(&records, mark.as_ref());
        let mut delivery = Delivery::new(wanted.len());
        loop {
            let rest = wanted.get(delivery.done()..).unwrap_or_default();
            let raw: Vec<_> = rest.iter().map(|record| &*record.json).collect();
            let watcher = &self.watcher;
            let mut outcome = watcher.engine.process(&raw, watcher.store, watcher.clock).await?;
            // Before what was told already is left out: metrics count what is before the checkpoint.
            let now_ms = watcher.clock.now_ms();
            let published = watcher.metrics.publish(watcher.engine.rules(), &outcome, now_ms).await;
            let next = delivery.settle(watcher.engine.rules(), &mut outcome);
            (self.tell)(Told::Delivered { outcome: &outcome, records: rest });
            if let Err(what) = published {
                (self.tell)(Told::MetricsLost { what: &what });
            }
            self.quiet.borrow_mut().something_came();
            // What is done is kept before anything is waited for.
            let done = match &next {
                Next::Done => records.last(),
                Next::Again { .. } => {
                    delivery.done().checked_sub(1).and_then(|last| wanted.get(last))
                }
            };
            if let Some(done) = done {
                *mark = Some(Mark::After(done.sequence.clone()));
                self.save(stream, shard, mark.as_ref()).await?;
            }
            match next {
                Next::Done => return Ok(true),
                Next::Again { reason, pause_ms } => {
                    (self.tell)(Told::HandedBack { stream, reason: &reason, pause_ms });
                    self.rest(pause_ms, || false).await;
                    if watcher.stop.is_set() {
                        return Ok(false);
                    }
                }
            }
        }
    }
}

/// The records that are not older than what is wanted of their shard.
fn wanted<'r>(records: &'r [StreamRecord], mark: Option<&Mark>) -> &'r [StreamRecord] {
    let Some(Mark::Since(time_ms)) = mark else { return records };
    let is_old = |record: &StreamRecord| {
        record.created_ms.is_some_and(|created_ms| created_ms < time_ms - STAMP_SLACK_MS)
    };
    // Records come in order, but stamps need not.
    let first = records.iter().position(|record| !is_old(record)).unwrap_or(records.len());
    records.get(first..).unwrap_or_default()
}

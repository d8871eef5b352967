//! Reads one shard, from its saved progress to its end.

use std::cell::RefCell;

use super::Notice;
use super::delivery::{Delivery, Next};
use super::follow::{Follower, Watcher};
use super::keeper::Keeper;
use super::lineage::Ready;
use super::pause::Pauses;
use super::progress::Checkpoint;
use super::source::RecordSource;
use crate::engine::Services;
use crate::metrics::{measure, measure_started};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::repair_log::{RepairLog, StartedRepair};
use crate::store::Store;
use crate::streams::{Position, RecordPage, Stream, StreamError, StreamRecord};

/// The wait after an empty page. Lambda also reads four times a second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
const READ_PAUSE_MS: i64 = 250;
/// How far a record's creation time may precede its change: DynamoDB rounds it down to the second,
/// an emulator to the minute, and clocks differ.
const CREATED_SLACK_MS: i64 = 60_000;

/// The position of a shard's reader.
struct Cursor {
    ready: Ready,
    /// The iterator of the next page; `None` if a new one is needed.
    iterator: Option<String>,
    /// The waits after failed requests.
    pauses: Pauses,
}

impl<S: RecordSource, D: Store, K: Keeper, C: Clock> Follower<'_, S, D, K, C> {
    /// Reads a shard. Returns true at its end, and false if a stop was requested first.
    pub(super) async fn read_shard(&self, stream: &Stream, ready: Ready) -> Result<bool, Fatal> {
        let mut cursor = Cursor { ready, iterator: None, pauses: Pauses::new() };
        while !self.watcher.stop.is_set() {
            let is_at_end = match self.page(stream, &mut cursor).await {
                Ok(page) => {
                    self.recovered(stream, &cursor.pauses);
                    cursor.pauses = Pauses::new();
                    let is_at_end = page.next.is_none();
                    cursor.iterator = page.next;
                    if page.records.is_empty() {
                        // No wait at the end of a shard: its children may already have records.
                        if !is_at_end {
                            self.wait_after_empty_page(stream, &cursor.ready.shard).await;
                        }
                    } else if !self.deliver(stream, &mut cursor.ready, page.records).await? {
                        return Ok(false);
                    }
                    is_at_end
                }
                Err(error) => self.recover(stream, &mut cursor, error).await?,
            };
            if is_at_end {
                self.save(stream, &cursor.ready.shard, Some(&Checkpoint::Drained)).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the next records of a shard.
    async fn page(&self, stream: &Stream, cursor: &mut Cursor) -> Result<RecordPage, StreamError> {
        let Watcher { source, options, .. } = &self.watcher;
        let Ready { shard, checkpoint, is_from_latest } = &mut cursor.ready;
        let iterator = if let Some(iterator) = cursor.iterator.take() {
            iterator
        } else {
            let position = match checkpoint {
                _ if *is_from_latest => Position::Latest,
                Some(Checkpoint::After(sequence)) => Position::After(sequence.clone()),
                Some(Checkpoint::Since(_) | Checkpoint::Drained) | None => Position::TrimHorizon,
            };
            let opened = source.open(stream, shard, &position).await?;
            // If the shard is opened again, later records must not be skipped.
            *is_from_latest = false;
            opened
        };
        let page = source.read(stream, &iterator, options.batch_records_max).await;
        if let Err(StreamError::Retry(_)) = &page {
            cursor.iterator = Some(iterator);
        }
        page
    }

    /// Handles an error. Returns true if the rest of the shard cannot be read.
    async fn recover(
        &self,
        stream: &Stream,
        cursor: &mut Cursor,
        error: StreamError,
    ) -> Result<bool, Fatal> {
        let Ready { shard, checkpoint, .. } = &mut cursor.ready;
        match error {
            StreamError::Fatal(what) => return Err(Fatal(what)),
            StreamError::Retry(error) => self.delay(stream, &error, &mut cursor.pauses).await,
            StreamError::ExpiredIterator(_) => {}
            StreamError::Trimmed(_) => {
                // Without a checkpoint, reading begins with the oldest record and loses nothing.
                // The emulator returns this error for a shard that was opened before its first
                // record.
                if matches!(checkpoint, Some(Checkpoint::After(_))) {
                    self.lost(stream, &format!("records of shard `{shard}` were trimmed unread"));
                    *checkpoint = None;
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

    /// Waits before the next page of a shard that has no records now.
    async fn wait_after_empty_page(&self, stream: &Stream, shard: &str) {
        self.quiet.borrow_mut().add_empty_page(&stream.arn, shard, READ_PAUSE_MS);
        self.stop_if_done();
        self.rest(READ_PAUSE_MS, || false).await;
    }

    /// Delivers a batch until every record is done, and saves the progress. Returns false if a stop
    /// was requested first.
    async fn deliver(
        &self,
        stream: &Stream,
        Ready { shard, checkpoint, .. }: &mut Ready,
        records: Vec<StreamRecord>,
    ) -> Result<bool, Fatal> {
        let selected = selected(&records, checkpoint.as_ref());
        let mut delivery = Delivery::new(selected.len());
        let mut is_repeated = false;
        loop {
            let rest = selected.get(delivery.done()..).unwrap_or_default();
            let raw: Vec<_> = rest.iter().map(|record| &*record.json).collect();
            let watcher = &self.watcher;
            let batch = watcher.engine.decode_records(&raw);
            let started = Started { notify: self.notify, repairs: RefCell::default() };
            let services =
                Services { repairs: &started, ..Services::new(watcher.store, watcher.clock) };
            let mut outcome = watcher.engine.process_with(batch, services).await?;
            // Metrics are published before `advance` removes the findings that were already
            // reported. Metrics count only the findings before the outcome's checkpoint, and some
            // of these were reported by an earlier delivery, which did not count them.
            let now_ms = watcher.clock.now_ms();
            let rules = watcher.engine.rules();
            let mut data = measure_started(&started.repairs.take());
            data.extend(measure(rules, &outcome, now_ms));
            let published = watcher.metrics.publish(&data, now_ms).await;
            let next = delivery.advance(rules, &mut outcome);
            (self.notify)(Notice::Delivered { outcome: &outcome, records: rest });
            if let Err(error) = published {
                (self.notify)(Notice::MetricsLost { error: &error });
            }
            self.quiet.borrow_mut().reset();
            // Progress is saved before any wait.
            let done = match &next {
                Next::Done => records.last(),
                Next::Again { .. } => {
                    delivery.done().checked_sub(1).and_then(|last| selected.get(last))
                }
            };
            if let Some(done) = done {
                *checkpoint = Some(Checkpoint::After(done.sequence.clone()));
                self.save(stream, shard, checkpoint.as_ref()).await?;
            }
            match next {
                Next::Done => {
                    if is_repeated {
                        (self.notify)(Notice::Recovered { stream });
                    }
                    return Ok(true);
                }
                Next::Again { reason, pause_ms } => {
                    is_repeated = true;
                    (self.notify)(Notice::Redelivering { stream, reason: &reason, pause_ms });
                    self.rest(pause_ms, || false).await;
                    if watcher.stop.is_set() {
                        return Ok(false);
                    }
                }
            }
        }
    }
}

/// Reports repairs before they are made, and keeps them for the metrics of the delivery.
struct Started<'f> {
    notify: &'f dyn Fn(Notice<'_>),
    repairs: RefCell<Vec<StartedRepair>>,
}

impl RepairLog for Started<'_> {
    fn started(&self, repairs: &[StartedRepair]) {
        (self.notify)(Notice::RepairsStarted { repairs });
        self.repairs.borrow_mut().extend_from_slice(repairs);
    }
}

/// The records that are not older than the shard's checkpoint.
fn selected<'r>(
    records: &'r [StreamRecord],
    checkpoint: Option<&Checkpoint>,
) -> &'r [StreamRecord] {
    let Some(Checkpoint::Since(time_ms)) = checkpoint else { return records };
    let is_old = |record: &StreamRecord| {
        record.created_ms.is_some_and(|created_ms| created_ms < time_ms - CREATED_SLACK_MS)
    };
    // Records are in order, but their creation times may not be.
    let first = records.iter().position(|record| !is_old(record)).unwrap_or(records.len());
    records.get(first..).unwrap_or_default()
}

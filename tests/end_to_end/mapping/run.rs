//! Runs a mapping: reads a real stream and invokes the function.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use referee::runtime::clock::Clock as _;
use referee::runtime::system_clock::SystemClock;
use referee::streams::{Position, StreamError, StreamRecord, Streams};
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::{Instant, sleep};

use kit::filter::Filters;

use super::Settings;
use super::destination::{self, Discarded, event};
use super::lane::{Batch, Lane, Step, lane_of};
use super::lineage::readable;
use super::response::{self, Verdict};
use crate::lambda::Lambda;
use kit::runtime_api::Invoked;

/// The maximum time until nothing more is written to the stream.
const REST_MS_MAX: u64 = 900_000;
/// The time to wait after a round that had nothing to do, or in which an invocation failed.
const PAUSE_MS: u64 = 100;

/// The totals of a mapping.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Records read from the stream that passed the filters.
    pub(crate) records: usize,
    pub(crate) filtered_out: usize,
    pub(crate) invocations: usize,
    /// Invocations that ended with an error, without an answer, or with reported failures.
    pub(crate) failures: usize,
    /// Records delivered again.
    pub(crate) redelivered: usize,
    pub(crate) discarded: usize,
}

/// A mapping from a stream to a function. It starts at the trim horizon.
pub(crate) struct Mapping {
    settings: Settings,
    filters: Filters,
    streams: Streams,
    stream: String,
    function: Rc<Lambda>,
    shards: BTreeMap<String, Reading>,
    finished: BTreeSet<String>,
    /// Whether every shard that may be read is open.
    are_open: bool,
    /// The probability that an answer is lost and its batch redelivered.
    lost_answers: Option<(fastrand::Rng, f64)>,
    /// Whether records get the time at which they are read.
    is_dating: bool,
    /// Every record that was read.
    pub(crate) records: Vec<Box<RawValue>>,
    /// The result of the last failed invocation.
    pub(crate) last_failure: Option<Invoked>,
    /// The on-failure destination: the invocation records of batches that were given up.
    pub(crate) destination: Vec<Json>,
    pub(crate) counts: Counts,
}

/// A shard that is being read.
struct Reading {
    /// The next iterator, or `None` at the end of the shard.
    iterator: Option<String>,
    /// The position of the last record read.
    read: Position,
    lanes: Vec<Lane>,
}

/// The result of one step of a lane.
enum Stepped {
    Idle,
    Delivered { invoked: Invoked, again: usize, discarded: Option<Discarded>, is_done: bool },
    GivenUp(Discarded),
}

impl Mapping {
    pub(crate) fn new(
        streams: Streams,
        stream: String,
        function: Rc<Lambda>,
        settings: Settings,
    ) -> Self {
        let filters = Filters::read(&settings.filters).unwrap();
        Self {
            settings,
            filters,
            streams,
            stream,
            function,
            shards: BTreeMap::new(),
            finished: BTreeSet::new(),
            are_open: false,
            lost_answers: None,
            is_dating: false,
            records: Vec::new(),
            last_failure: None,
            destination: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Loses each answer with this probability, so that some records are delivered several times.
    pub(crate) fn losing_answers(mut self, seed: u64, chance: f64) -> Self {
        self.lost_answers = Some((fastrand::Rng::with_seed(seed), chance));
        self
    }

    /// Gives each record the time at which it is read. DynamoDB Local rounds the time of a record
    /// down to the minute, so that its grace period would be over.
    pub(crate) const fn dating_records(mut self) -> Self {
        self.is_dating = true;
        self
    }

    /// Runs until nothing is left to deliver and the function writes nothing more.
    pub(crate) async fn drain(&mut self) {
        self.drain_while(|| false).await;
    }

    /// Like [`Self::drain`], but does not stop while `goes_on` returns true.
    pub(crate) async fn drain_while(&mut self, goes_on: impl Fn() -> bool) {
        let limit = Instant::now() + Duration::from_millis(REST_MS_MAX);
        // The function's last writes may appear only in the next round.
        let mut quiet_rounds = 0;
        while quiet_rounds < 2 {
            let went_on = goes_on();
            quiet_rounds = if self.round().await || went_on { 0 } else { quiet_rounds + 1 };
            assert!(Instant::now() < limit, "the stream does not come to rest: {}", self.state());
        }
    }

    /// Returns details for the error message about a stream that does not come to rest.
    fn state(&self) -> String {
        let log = self.function.log.lines();
        let tail = log.iter().skip(log.len().saturating_sub(5)).cloned().collect::<Vec<_>>();
        format!("{:?}\n{:?}\n{}", self.last_failure, self.counts, tail.join("\n"))
    }

    /// Reads the next page of every shard, and delivers a batch of each lane. Returns whether there
    /// was anything to do.
    pub(crate) async fn round(&mut self) -> bool {
        self.read().await;
        let (function, settings) = (&self.function, &self.settings);
        let mut steps = Vec::new();
        for (shard, reading) in &mut self.shards {
            for lane in &mut reading.lanes {
                let is_forgotten = self
                    .lost_answers
                    .as_mut()
                    .is_some_and(|(random, chance)| random.f64() < *chance);
                steps.push(async move {
                    (shard.clone(), step(lane, function, settings, is_forgotten).await)
                });
            }
        }
        let (mut has_work, mut has_failed) = (false, false);
        for (shard, stepped) in join_all(steps).await {
            has_work |= !matches!(stepped, Stepped::Idle);
            has_failed |= matches!(stepped, Stepped::Delivered { is_done: false, .. });
            self.record(&shard, stepped);
        }
        if has_failed || !has_work {
            sleep(Duration::from_millis(PAUSE_MS)).await;
        }
        has_work
    }

    fn record(&mut self, shard: &str, stepped: Stepped) {
        let discarded = match stepped {
            Stepped::Idle => None,
            Stepped::GivenUp(discarded) => Some(discarded),
            Stepped::Delivered { invoked, again, discarded, is_done } => {
                self.counts.invocations += 1;
                self.counts.redelivered += again;
                if !is_done {
                    self.counts.failures += 1;
                    self.last_failure = Some(invoked);
                }
                discarded
            }
        };
        if let Some(discarded) = discarded {
            self.counts.discarded += discarded.records.len();
            self.destination.push(destination::record(&self.stream, shard, &discarded));
        }
    }

    /// Reads the next page of every shard that may be read.
    async fn read(&mut self) {
        self.open_shards().await;
        let shards: Vec<String> = self.shards.keys().cloned().collect();
        for shard in shards {
            self.read_page(&shard).await;
        }
    }

    /// Opens the shards that may be read. They change only when a shard has been processed to its end.
    async fn open_shards(&mut self) {
        if self.are_open {
            return;
        }
        let Some(shards) = done(self.streams.shards(&self.stream).await) else { return };
        self.are_open = true;
        for shard in readable(&shards, &self.finished) {
            if self.shards.contains_key(&shard.id) {
                continue;
            }
            let opened = self.streams.open(&self.stream, &shard.id, &Position::TrimHorizon).await;
            let Some(iterator) = done(opened) else {
                self.are_open = false;
                continue;
            };
            let lanes = 0..self.settings.parallelization_factor;
            let lanes = lanes.map(|_| Lane::new(self.settings.clone())).collect();
            let reading = Reading { iterator: Some(iterator), read: Position::TrimHorizon, lanes };
            self.shards.insert(shard.id.clone(), reading);
        }
    }

    async fn read_page(&mut self, shard: &str) {
        let reading = self.shards.get_mut(shard).unwrap();
        let now_ms = SystemClock.now_ms();
        let Some(iterator) = &reading.iterator else {
            // A child may be read once all records of its parent are processed.
            if reading.lanes.iter().all(Lane::is_idle) {
                self.finished.insert(shard.to_owned());
                self.shards.remove(shard);
                self.are_open = false;
            }
            return;
        };
        let wanted = self.settings.batch_size * self.settings.parallelization_factor;
        let page = self.streams.read(&self.stream, iterator, wanted).await;
        if let Err(StreamError::Trimmed(_)) = page {
            // DynamoDB Local sometimes returns this error for new records while several tables are
            // written to. If a record were lost, the scenario's audit would notice.
            if let Some(iterator) =
                done(self.streams.open(&self.stream, shard, &reading.read).await)
            {
                reading.iterator = Some(iterator);
            }
            return;
        }
        let Some(page) = done(page) else { return };
        reading.iterator = page.next;
        if let Some(last) = page.records.last() {
            reading.read = Position::After(last.sequence.clone());
        }
        for mut record in page.records.into_iter().filter(is_of_a_change) {
            if self.is_dating {
                record.json = dated(&record.json, now_ms);
            }
            self.records.push(record.json.clone());
            if self.filters.pass(record.json.get()) {
                self.counts.records += 1;
                let lane = lane_of(&record, reading.lanes.len());
                reading.lanes[lane].push(record, now_ms);
            } else {
                self.counts.filtered_out += 1;
            }
        }
    }
}

/// Whether AWS would also create this record. If two clients delete an item at the same time,
/// DynamoDB Local sometimes creates a second `REMOVE` record, without an image. In AWS, a write
/// that changes nothing creates no record.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
fn is_of_a_change(record: &StreamRecord) -> bool {
    let has = |text: &str| record.json.get().contains(text);
    !(has(r#""eventName":"REMOVE""#)
        && has(r#""StreamViewType":"NEW_AND_OLD_IMAGES""#)
        && !has(r#""OldImage":"#))
}

/// Returns a record with this time.
fn dated(record: &RawValue, now_ms: i64) -> Box<RawValue> {
    let mut record: Json = serde_json::from_str(record.get()).unwrap();
    record["dynamodb"]["ApproximateCreationDateTime"] = (now_ms / 1_000).into();
    to_raw_value(&record).unwrap()
}

/// Returns the result of a read, or `None` if the read must be retried.
fn done<T>(read: Result<T, StreamError>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(StreamError::Retry(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn step(
    lane: &mut Lane,
    function: &Lambda,
    settings: &Settings,
    is_forgotten: bool,
) -> Stepped {
    let batch = match lane.next(SystemClock.now_ms()) {
        Step::Deliver(batch) => batch,
        Step::GiveUp(discarded) => return Stepped::GivenUp(discarded),
        Step::Wait | Step::Idle => return Stepped::Idle,
    };
    let invoked = function.invoke(event(&batch.records)).await;
    let verdict = match &invoked {
        Invoked::Answer(_) if is_forgotten => Verdict::Failed,
        Invoked::Answer(body) if settings.reports_batch_item_failures => {
            response::read(body, &batch.records)
        }
        Invoked::Answer(_) => Verdict::Done,
        Invoked::FunctionError(_)
        | Invoked::InitFailed(_)
        | Invoked::TimedOut
        | Invoked::Crashed(_) => Verdict::Failed,
    };
    let again = redelivered(&batch);
    let discarded = lane.finish(batch, verdict);
    Stepped::Delivered { invoked, again, discarded, is_done: verdict == Verdict::Done }
}

fn redelivered(batch: &Batch) -> usize {
    if batch.invocations > 0 { batch.records.len() } else { 0 }
}

//! Forms batches from ordered records, and decides what happens to a batch after a failure.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use referee::data::SequenceNumber;
use referee::streams::StreamRecord;
use serde_json::Value as Json;

use super::Settings;
use super::destination::{Condition, Discarded};
use super::response::Verdict;

/// The maximum size of an invocation's payload: "6 MB for requests and responses".
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const PAYLOAD_BYTES_MAX: usize = 6 << 20;
/// The size of an event without its records.
const ENVELOPE_BYTES: usize = r#"{"Records":[]}"#.len();

/// Delivers the records of a shard, or of a part of it, strictly in order, one batch at a time.
#[derive(Debug)]
pub(super) struct Lane {
    settings: Settings,
    /// Failed batches, which are delivered first.
    again: VecDeque<Batch>,
    /// Records that have not been delivered yet, with the time when each was read, in milliseconds
    /// since 1970.
    buffer: VecDeque<(StreamRecord, i64)>,
}

/// Records that are delivered together.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) records: Vec<StreamRecord>,
    pub(super) invocations: u32,
    retries: u32,
}

/// What a lane does next.
#[derive(Debug)]
pub(super) enum Step {
    Deliver(Batch),
    GiveUp(Discarded),
    /// The batching window is still open.
    Wait,
    Idle,
}

impl Lane {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, again: VecDeque::new(), buffer: VecDeque::new() }
    }

    pub(super) fn push(&mut self, record: StreamRecord, now_ms: i64) {
        self.buffer.push_back((record, now_ms));
    }

    /// Whether nothing is left to deliver.
    pub(super) fn is_idle(&self) -> bool {
        self.again.is_empty() && self.buffer.is_empty()
    }

    /// Returns the next step. If it is a batch, pass its result to [`finish`](Self::finish) before
    /// the next call.
    pub(super) fn next(&mut self, now_ms: i64) -> Step {
        let Some(mut batch) = self.again.pop_front().or_else(|| self.cut(now_ms)) else {
            return if self.buffer.is_empty() { Step::Idle } else { Step::Wait };
        };
        let is_kept = |record: &StreamRecord| !self.is_too_old(record, now_ms);
        let kept = batch.records.iter().position(is_kept).unwrap_or(batch.records.len());
        if kept == 0 {
            return Step::Deliver(batch);
        }
        let records = batch.records.split_off(kept);
        if !records.is_empty() {
            self.again.push_front(Batch { records, ..batch });
        }
        Step::GiveUp(batch.discarded(Condition::RecordAgeExceeded))
    }

    /// Records the result of a batch. Returns the batch if it is given up.
    pub(super) fn finish(&mut self, mut batch: Batch, verdict: Verdict) -> Option<Discarded> {
        batch.invocations += 1;
        match verdict {
            Verdict::Done => return None,
            // "Lambda retries only the remaining records." AWS does not document whether their
            // count of retries starts again at zero. Continuing the count is the stricter
            // assumption.
            Verdict::From(first) => drop(batch.records.drain(..first)),
            Verdict::Failed => {
                if self.settings.bisect_batch_on_function_error && batch.records.len() > 1 {
                    self.bisect(batch);
                    return None;
                }
            }
        }
        batch.retries += 1;
        if self.settings.maximum_retry_attempts.is_some_and(|max| batch.retries > max) {
            return Some(batch.discarded(Condition::RetryAttemptsExhausted));
        }
        self.again.push_front(batch);
        None
    }

    /// "Splitting a batch does not count toward the retry quota."
    fn bisect(&mut self, mut batch: Batch) {
        let second = batch.records.split_off(batch.records.len() / 2);
        let (invocations, retries) = (batch.invocations, batch.retries);
        self.again.push_front(Batch { records: second, invocations, retries });
        self.again.push_front(batch);
    }

    /// "Lambda invokes your function when one of the following three criteria is met: the batching
    /// window reaches its maximum value, the batch size is met, the payload size reaches 6 MB."
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>
    fn cut(&mut self, now_ms: i64) -> Option<Batch> {
        let (_, first_ms) = self.buffer.front()?;
        let window_ms = i64::from(self.settings.maximum_batching_window_seconds) * 1_000;
        let mut bytes = ENVELOPE_BYTES;
        let fits = self.buffer.iter().take(self.settings.batch_size).take_while(|(record, _)| {
            bytes += record.json.get().len() + 1;
            bytes <= PAYLOAD_BYTES_MAX + 1
        });
        let count = fits.count().max(1);
        let is_full = count == self.settings.batch_size || count < self.buffer.len();
        (is_full || now_ms - first_ms >= window_ms).then(|| {
            let records = self.buffer.drain(..count).map(|(record, _)| record).collect();
            Batch { records, invocations: 0, retries: 0 }
        })
    }

    fn is_too_old(&self, record: &StreamRecord, now_ms: i64) -> bool {
        let age_ms = record.created_ms.map_or(0, |created_ms| now_ms - created_ms);
        self.settings.maximum_record_age_seconds.is_some_and(|max| age_ms > i64::from(max) * 1_000)
    }
}

impl Batch {
    fn discarded(self, condition: Condition) -> Discarded {
        Discarded { records: self.records, condition, invocations: self.invocations }
    }
}

/// Returns the lane, out of this many, that a record belongs to. "Lambda still ensures in-order
/// processing at the item (partition and sort key) level."
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
pub(super) fn lane_of(record: &StreamRecord, lanes: usize) -> usize {
    if lanes == 1 {
        return 0;
    }
    let json: Json = serde_json::from_str(record.json.get()).unwrap();
    let mut hasher = DefaultHasher::new();
    json["dynamodb"]["Keys"].to_string().hash(&mut hasher);
    usize::try_from(hasher.finish() % lanes as u64).unwrap()
}

/// Creates records with these sequence numbers. Each number is also the time at which its record
/// was created, in seconds since 1970.
pub(super) fn records(numbers: &[u32]) -> Vec<StreamRecord> {
    numbers.iter().map(|&number| record(number, 0)).collect()
}

fn record(number: u32, bytes: usize) -> StreamRecord {
    let padding = "x".repeat(bytes);
    let json = format!(r#"{{"dynamodb":{{"Keys":{{"n":{{"N":"{number}"}}}},"x":"{padding}"}}}}"#);
    StreamRecord {
        sequence: SequenceNumber::parse(format!("{number:021}")).unwrap(),
        created_ms: Some(i64::from(number) * 1_000),
        json: serde_json::value::RawValue::from_string(json).unwrap(),
    }
}

pub(super) const TESTS: &[(&str, fn())] = &[
    ("batches_are_limited_by_record_count", batch_size),
    ("batches_are_limited_by_payload_size", payload_limit),
    ("a_batching_window_gathers_records", batching_window),
    ("a_failed_batch_blocks_its_shard", blocks),
    ("a_batch_is_given_up_after_its_last_retry", retry_attempts),
    ("only_records_from_the_checkpoint_on_are_retried", checkpoint),
    ("bisecting_isolates_the_poison_record", bisecting),
    ("a_partial_response_is_split_at_its_checkpoint", bisecting_partial),
    ("old_records_are_given_up", record_age),
    ("records_of_one_item_share_a_lane", records_of_one_item_share_a_lane),
];

/// Pushes these records into a lane, runs the lane with this function until it is idle, and returns
/// its steps as text.
fn deliveries(
    settings: &Settings,
    numbers: &[u32],
    now_ms: i64,
    mut function: impl FnMut(&[u32]) -> Verdict,
) -> String {
    let mut lane = Lane::new(settings.clone());
    for record in records(numbers) {
        lane.push(record, now_ms);
    }
    let mut steps = Vec::new();
    let mut add = |what: &str, numbers: &[u32]| steps.push(format!("{what}{numbers:?}"));
    for _ in 0..30 {
        let discarded = match lane.next(now_ms) {
            Step::Deliver(batch) => {
                let numbers = numbers_of(&batch.records);
                add("", &numbers);
                lane.finish(batch, function(&numbers))
            }
            Step::GiveUp(discarded) => Some(discarded),
            Step::Wait | Step::Idle => break,
        };
        if let Some(Discarded { records, condition, invocations }) = discarded {
            add(&format!("{condition:?} after {invocations}: "), &numbers_of(&records));
        }
    }
    steps.join("\n")
}

fn numbers_of(records: &[StreamRecord]) -> Vec<u32> {
    records.iter().map(|record| record.sequence.as_str().parse().unwrap()).collect()
}

fn fails_on(poison: u32) -> impl FnMut(&[u32]) -> Verdict {
    move |batch| if batch.contains(&poison) { Verdict::Failed } else { Verdict::Done }
}

fn batch_size() {
    let settings = Settings { batch_size: 2, ..Settings::default() };
    let steps = deliveries(&settings, &[1, 2, 3, 4, 5], 0, |_| Verdict::Done);
    assert_eq!(steps, "[1, 2]\n[3, 4]\n[5]");
}

fn payload_limit() {
    let settings = Settings { batch_size: 10_000, ..Settings::default() };
    let mut lane = Lane::new(settings);
    (0..20).for_each(|number| lane.push(record(number, 400 << 10), 0));
    let Step::Deliver(batch) = lane.next(0) else { panic!("it is full") };
    let bytes = super::destination::event(&batch.records).len();
    assert_eq!(batch.records.len(), 15);
    assert!(bytes <= PAYLOAD_BYTES_MAX && bytes + (400 << 10) > PAYLOAD_BYTES_MAX);
}

fn batching_window() {
    let settings =
        Settings { batch_size: 3, maximum_batching_window_seconds: 5, ..Settings::default() };
    let mut lane = Lane::new(settings);
    let push = |lane: &mut Lane, number, now_ms| lane.push(record(number, 0), now_ms);
    let delivered = |lane: &mut Lane, now_ms| match lane.next(now_ms) {
        Step::Deliver(batch) => numbers_of(&batch.records),
        Step::GiveUp(_) | Step::Wait | Step::Idle => Vec::new(),
    };
    push(&mut lane, 1, 0);
    push(&mut lane, 2, 4_000);
    assert!(delivered(&mut lane, 4_999).is_empty());
    assert_eq!(delivered(&mut lane, 5_000), [1, 2]);
    (3..=6).for_each(|number| push(&mut lane, number, 6_000));
    assert_eq!(delivered(&mut lane, 6_000), [3, 4, 5]);
    assert!(delivered(&mut lane, 6_000).is_empty());
    assert_eq!(delivered(&mut lane, 11_000), [6]);
}

fn blocks() {
    let settings = Settings { batch_size: 1, ..Settings::default() };
    let mut failures = 2;
    let steps = deliveries(&settings, &[1, 2], 0, |_| {
        if failures == 0 {
            return Verdict::Done;
        }
        failures -= 1;
        Verdict::Failed
    });
    assert_eq!(steps, "[1]\n[1]\n[1]\n[2]");
}

fn retry_attempts() {
    let settings =
        Settings { batch_size: 2, maximum_retry_attempts: Some(2), ..Settings::default() };
    let steps = deliveries(&settings, &[1, 2, 3], 0, fails_on(2));
    let expected = "[1, 2]\n[1, 2]\n[1, 2]\nRetryAttemptsExhausted after 3: [1, 2]\n[3]";
    assert_eq!(steps, expected);
    let settings = Settings { maximum_retry_attempts: Some(0), ..settings };
    let steps = deliveries(&settings, &[1, 2, 3], 0, fails_on(2));
    assert_eq!(steps, "[1, 2]\nRetryAttemptsExhausted after 1: [1, 2]\n[3]");
}

fn checkpoint() {
    let settings = Settings { batch_size: 4, ..Settings::default() };
    let steps = deliveries(&settings, &[1, 2, 3, 4, 5], 0, |batch| match batch {
        [1, ..] => Verdict::From(2),
        _ => Verdict::Done,
    });
    assert_eq!(steps, "[1, 2, 3, 4]\n[3, 4]\n[5]");
}

fn bisecting() {
    let settings = Settings {
        batch_size: 5,
        bisect_batch_on_function_error: true,
        maximum_retry_attempts: Some(1),
        ..Settings::default()
    };
    let steps = deliveries(&settings, &[1, 2, 3, 4, 5, 6], 0, fails_on(3));
    let expected = "[1, 2, 3, 4, 5]\n[1, 2]\n[3, 4, 5]\n[3]\n[3]\n\
                    RetryAttemptsExhausted after 4: [3]\n[4, 5]\n[6]";
    assert_eq!(steps, expected);
}

/// "If you turn on both, the batch is bisected at the returned sequence number, and Lambda retries
/// only the remaining records."
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
fn bisecting_partial() {
    let settings = Settings { bisect_batch_on_function_error: true, ..Settings::default() };
    let mut is_first = true;
    let steps = deliveries(&settings, &[1, 2, 3, 4], 0, |_| {
        if std::mem::take(&mut is_first) { Verdict::From(1) } else { Verdict::Done }
    });
    assert_eq!(steps, "[1, 2, 3, 4]\n[2, 3, 4]");
}

fn record_age() {
    let settings = Settings { maximum_record_age_seconds: Some(60), ..Settings::default() };
    let steps = deliveries(&settings, &[1, 2, 50], 100_000, |_| Verdict::Done);
    assert_eq!(steps, "RecordAgeExceeded after 0: [1, 2]\n[50]");
    let steps = deliveries(&settings, &[1, 2], 100_000, |_| Verdict::Done);
    assert_eq!(steps, "RecordAgeExceeded after 0: [1, 2]");
}

fn records_of_one_item_share_a_lane() {
    let lanes: Vec<usize> = (0..100).map(|number| lane_of(&record(number, 0), 4)).collect();
    assert!((0..4).all(|lane| lanes.contains(&lane)));
    let again = |number| lane_of(&record(number, 7), 4);
    assert!((0..100).zip(&lanes).all(|(number, lane)| again(number) == *lane));
}

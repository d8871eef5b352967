//! The tables' streams, and an event source mapping that delivers them: shards and their splits,
//! batches, redelivery, bisecting, and discarded records.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use fastrand::Rng;
use referee::store::memory::StreamRecord;
use serde_json::value::RawValue;

use crate::model::Name;
use crate::scenario::Mapping;

/// A record to be delivered.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The item; `None` for an unreadable record.
    pub(crate) name: Option<Name>,
    pub(crate) created_ms: i64,
    /// Whether it may be rejected, because a mirror's key cannot contain one of its values.
    pub(crate) is_impossible: bool,
    pub(crate) json: Box<RawValue>,
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// The function asks for redelivery from this record on.
    From(usize),
    /// The function gave no answer.
    Failed,
}

/// Records that are delivered together.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Its shard and lane.
    pub(crate) of: (usize, usize),
    range: Range<usize>,
    retries: u32,
}

/// The shards of all tables.
#[derive(Debug)]
pub(crate) struct Streams {
    mapping: Mapping,
    shards: Vec<Shard>,
}

/// A shard, which contains the records of a range of a table's keys.
#[derive(Debug)]
struct Shard {
    table: usize,
    keys: Range<u32>,
    parent: Option<usize>,
    is_closed: bool,
    lanes: Vec<Lane>,
}

/// A sequence of records that is delivered strictly in order, one batch at a time.
#[derive(Debug, Default)]
struct Lane {
    log: Vec<Rc<Delivery>>,
    /// The first record that may be delivered again.
    floor: usize,
    /// The end of the last batch.
    cut: usize,
    /// Failed batches, which are delivered first.
    again: VecDeque<Batch>,
    is_busy: bool,
}

impl Streams {
    /// Two tables, each of one shard.
    pub(crate) fn new(mapping: Mapping) -> Self {
        let mut streams = Self { mapping, shards: Vec::new() };
        (0..2).for_each(|table| streams.open(table, 0..1 << 16, None));
        streams
    }

    fn open(&mut self, table: usize, keys: Range<u32>, parent: Option<usize>) {
        let lanes = (0..self.mapping.lanes).map(|_| Lane::default()).collect();
        self.shards.push(Shard { table, keys, parent, is_closed: false, lanes });
    }

    /// Puts a record at the end of its shard.
    pub(crate) fn push(&mut self, table: usize, name: &Name, delivery: Delivery) {
        let hash = hash(&name.0) >> 16;
        let takes = |shard: &&mut Shard| {
            shard.table == table && !shard.is_closed && shard.keys.contains(&hash)
        };
        let shard = self.shards.iter_mut().find(takes).unwrap();
        let lane = (hash ^ self::hash(&name.1)) as usize % shard.lanes.len();
        shard.lanes[lane].log.push(Rc::new(delivery));
    }

    /// Delivers discarded records again, in order, and discards no record from now on.
    pub(crate) fn replay(&mut self, records: Vec<Rc<Delivery>>) {
        self.mapping = Mapping { retries_max: None, age_ms_max: None, ..self.mapping };
        let lanes = vec![Lane { log: records, ..Lane::default() }];
        self.shards.push(Shard { table: 0, keys: 0..0, parent: None, is_closed: true, lanes });
    }

    /// Splits a shard: new records go to its children, which wait until it is processed. Returns
    /// whether it could be split.
    pub(crate) fn split(&mut self, rng: &mut Rng) -> bool {
        let parent = rng.usize(..self.shards.len());
        let Shard { table, keys, is_closed, .. } = &self.shards[parent];
        if *is_closed || keys.len() < 2 {
            return false;
        }
        let (table, middle) = (*table, keys.start.midpoint(keys.end));
        let halves = [keys.start..middle, middle..keys.end];
        self.shards[parent].is_closed = true;
        for half in halves {
            self.open(table, half, Some(parent));
        }
        true
    }

    /// Forgets part of a lane's progress: "Lambda processes each batch at least once". Returns
    /// whether anything is delivered again.
    pub(crate) fn rewind(&mut self, rng: &mut Rng) -> bool {
        let place = rng.usize(..self.shards.len());
        let has_begun = |lane: &Lane| lane.cut > 0 || lane.is_busy;
        let mut children = self.shards.iter().filter(|it| it.parent == Some(place));
        if children.any(|child| child.lanes.iter().any(has_begun)) {
            return false;
        }
        let lane = rng.choice(&mut self.shards[place].lanes).unwrap();
        if lane.is_busy || !lane.again.is_empty() {
            return false;
        }
        let was = lane.cut;
        lane.cut = rng.usize(lane.floor..=was);
        lane.cut < was
    }

    /// Prevents redelivery of the records delivered so far.
    pub(crate) fn forget(&mut self) {
        let lanes = self.shards.iter_mut().flat_map(|shard| &mut shard.lanes);
        lanes.for_each(|lane| lane.floor = lane.cut);
    }

    /// Returns the lanes that have records to deliver.
    pub(crate) fn ready(&self) -> Vec<(usize, usize)> {
        let mut ready = Vec::new();
        for (place, shard) in self.shards.iter().enumerate() {
            if shard.parent.is_some_and(|parent| !self.is_done(parent)) {
                continue;
            }
            let lanes = shard.lanes.iter().enumerate();
            let lanes = lanes.filter(|(_, lane)| !lane.is_busy && lane.is_waiting());
            ready.extend(lanes.map(|(lane, _)| (place, lane)));
        }
        ready
    }

    fn is_done(&self, place: usize) -> bool {
        let shard = &self.shards[place];
        shard.lanes.iter().all(|lane| !lane.is_busy && !lane.is_waiting())
            && shard.parent.is_none_or(|parent| self.is_done(parent))
    }

    /// Returns a lane's next batch, which must be passed to [`finish`](Self::finish), and the
    /// records that are too old to be delivered.
    pub(crate) fn next(
        &mut self,
        of: (usize, usize),
        now_ms: i64,
        rng: &mut Rng,
    ) -> (Option<Batch>, Vec<Rc<Delivery>>) {
        let size = self.mapping.batch_size;
        let lane = &mut self.shards[of.0].lanes[of.1];
        let mut batch = lane.again.pop_front().unwrap_or_else(|| {
            let size = rng.usize(1..=size.min(lane.log.len() - lane.cut));
            let range = lane.cut..lane.cut + size;
            lane.cut = range.end;
            Batch { of, range, retries: 0 }
        });
        let age_ms_max = self.mapping.age_ms_max.unwrap_or(i64::MAX);
        let mut old = Vec::new();
        while let Some(first) = lane.log[batch.range.clone()].first() {
            if now_ms - first.created_ms <= age_ms_max {
                break;
            }
            old.push(Rc::clone(first));
            batch.range.start += 1;
        }
        lane.is_busy = !batch.range.is_empty();
        (lane.is_busy.then_some(batch), old)
    }

    pub(crate) fn records(&self, batch: &Batch) -> &[Rc<Delivery>] {
        &self.shards[batch.of.0].lanes[batch.of.1].log[batch.range.clone()]
    }

    /// Records the result of a batch, and returns the records that are discarded.
    pub(crate) fn finish(&mut self, mut batch: Batch, verdict: Verdict) -> Vec<Rc<Delivery>> {
        let lane = &mut self.shards[batch.of.0].lanes[batch.of.1];
        lane.is_busy = false;
        match verdict {
            Verdict::Done => return Vec::new(),
            Verdict::From(first) => batch.range.start += first,
            Verdict::Failed if self.mapping.bisects && batch.range.len() > 1 => {
                // "Splitting a batch does not count toward the retry quota."
                let middle = batch.range.start.midpoint(batch.range.end);
                let second = Batch { range: middle..batch.range.end, ..batch.clone() };
                lane.again.push_front(second);
                lane.again.push_front(Batch { range: batch.range.start..middle, ..batch });
                return Vec::new();
            }
            Verdict::Failed => {}
        }
        batch.retries += 1;
        if self.mapping.retries_max.is_some_and(|max| batch.retries > max) {
            return lane.log[batch.range].to_vec();
        }
        lane.again.push_front(batch);
        Vec::new()
    }
}

impl Lane {
    fn is_waiting(&self) -> bool {
        !self.again.is_empty() || self.cut < self.log.len()
    }
}

/// FNV-1a, of 32 bits.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Returns a record as Lambda receives it.
pub(crate) fn json(record: &StreamRecord, expired: bool) -> Box<RawValue> {
    if !expired {
        return serde_json::value::to_raw_value(record).unwrap();
    }
    let mut json = serde_json::to_value(record).unwrap();
    json["userIdentity"] = serde_json::json!({
        "type": "Service", "principalId": "dynamodb.amazonaws.com",
    });
    serde_json::value::to_raw_value(&json).unwrap()
}

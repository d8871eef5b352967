//! A simulation of watching: shards close while they are read, requests fail, the watcher is
//! killed at any moment and restarted, and an application keeps writing.

#![cfg(feature = "cli")]
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll};

use fastrand::Rng;
use futures_util::future::poll_fn;
use futures_util::task::noop_waker_ref;
use proptest::prelude::*;

use super::*;
use crate::data::{Item, JsonItem, SequenceNumber, Value, into_owned};
use crate::engine::Engine;
use crate::metrics::{Metrics, Sink};
use crate::rules::{RuleSource, load};
use crate::runtime::clock::Clock;
use crate::store::memory::Fault;
use crate::store::{Action, Memory, Store as _, StoreError, Write};
use crate::streams::{Position, RecordPage, Shard, StreamError};

const RULES: &str = include_str!("../../events/company-user/referee.yaml");
/// The number of changes that the application makes.
const CHANGES: u32 = 12;
/// The maximum number of shards.
const SHARDS_MAX: usize = 6;

/// One table, its stream and a clock. The seed determines the faults.
struct World {
    memory: Memory,
    /// Each shard is the parent of the next; the last one is open.
    shards: RefCell<Vec<Vec<StreamRecord>>>,
    /// The saved progress.
    checkpoints: RefCell<Progress>,
    random: RefCell<Rng>,
    changes_left: Cell<u32>,
    /// Whether the last page was empty although more records follow. Real streams return such pages
    /// too. There is at most one in a row, because after several the watcher would assume that it
    /// has read all records.
    was_empty: Cell<bool>,
    now_ms: Cell<i64>,
    /// The sequence numbers of the delivered records.
    delivered: RefCell<Vec<SequenceNumber<'static>>>,
}

impl World {
    fn new(engine: &Engine, seed: u64) -> Self {
        let memory = Memory::new(crate::replay::schemas(engine.rules()));
        let mut faults = Rng::with_seed(seed);
        memory.set_faults(Box::new(move |_| match faults.u32(..20) {
            0 => Fault::Fail(StoreError::Retry("throttled".to_owned())),
            1 => Fault::Lost(StoreError::Retry("timed out".to_owned())),
            _ => Fault::None,
        }));
        Self {
            memory,
            shards: RefCell::new(vec![Vec::new()]),
            checkpoints: RefCell::default(),
            random: RefCell::new(Rng::with_seed(seed)),
            changes_left: Cell::new(CHANGES),
            was_empty: Cell::new(false),
            now_ms: Cell::new(0),
            delivered: RefCell::default(),
        }
    }

    fn one_in(&self, count: u32) -> bool {
        self.random.borrow_mut().u32(..count) == 0
    }

    /// Creates, changes or deletes a membership.
    fn change(&self) {
        self.changes_left.set(self.changes_left.get().saturating_sub(1));
        let user = self.random.borrow_mut().u32(..3);
        let key = format!(r#""pk": {{"S": "company#acme"}}, "sk": {{"S": "user#{user}"}}"#);
        let action = if self.one_in(3) {
            Action::Delete(item(&format!("{{{key}}}")))
        } else {
            let role = self.changes_left.get();
            Action::Put(item(&format!(r#"{{{key}, "role": {{"S": "{role}"}}}}"#)))
        };
        // The write may fail, like any request of an application.
        let write = Write { table: "app".to_owned(), action, condition: None };
        let _ = poll_once(self.memory.write(write));
    }

    /// Adds the new records to the stream.
    fn catch_up(&self) {
        if self.changes_left.get() > 0 && self.one_in(3) {
            self.change();
        }
        let mut shards = self.shards.borrow_mut();
        for record in self.memory.take_stream() {
            if shards.len() < SHARDS_MAX && self.one_in(6) {
                shards.push(Vec::new());
            }
            let json = serde_json::value::to_raw_value(&record).unwrap();
            let sequence = record.sequence;
            shards.last_mut().unwrap().push(StreamRecord { sequence, created_ms: None, json });
        }
    }

    fn may_fail(&self) -> Result<(), StreamError> {
        if self.one_in(10) { Err(StreamError::Retry("throttled".to_owned())) } else { Ok(()) }
    }
}

impl Clock for World {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let mut has_slept = false;
        poll_fn(|context| {
            if has_slept {
                return Poll::Ready(());
            }
            has_slept = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.now_ms.set(self.now_ms.get().max(time_ms));
    }
}

impl RecordSource for World {
    async fn shards(&self, _: &Stream) -> Result<Vec<Shard>, StreamError> {
        self.may_fail()?;
        let count = self.shards.borrow().len();
        let shard = |number: usize| Shard {
            id: number.to_string(),
            parent: number.checked_sub(1).map(|parent| parent.to_string()),
            is_closed: number + 1 < count,
        };
        Ok((0..count).map(shard).collect())
    }

    async fn open(&self, _: &Stream, shard: &str, at: &Position) -> Result<String, StreamError> {
        self.may_fail()?;
        let shards = self.shards.borrow();
        let records = &shards[shard.parse::<usize>().unwrap()];
        let offset = match at {
            Position::TrimHorizon => 0,
            Position::Latest => records.len(),
            Position::After(checkpoint) => {
                records.iter().filter(|record| record.sequence <= *checkpoint).count()
            }
        };
        Ok(format!("{shard}/{offset}"))
    }

    async fn read(
        &self,
        _: &Stream,
        iterator: &str,
        max: usize,
    ) -> Result<RecordPage, StreamError> {
        self.may_fail()?;
        if self.one_in(20) {
            return Err(StreamError::ExpiredIterator("expired".to_owned()));
        }
        self.catch_up();
        let (shard, offset) = iterator.split_once('/').unwrap();
        let [shard, offset] = [shard, offset].map(|number| number.parse::<usize>().unwrap());
        let shards = self.shards.borrow();
        let rest = &shards[shard][offset..];
        let least = usize::from(self.was_empty.get());
        let count = self.random.borrow_mut().usize(least..=max).min(rest.len());
        self.was_empty.set(count == 0 && !rest.is_empty());
        let is_at_end = shard + 1 < shards.len() && count == rest.len();
        let next = (!is_at_end).then(|| format!("{shard}/{}", offset + count));
        Ok(RecordPage { records: rest[..count].to_vec(), next })
    }
}

impl Keeper for World {
    async fn load(&self, _: &Stream) -> Result<Known, KeepError> {
        let checkpoints = self.checkpoints.borrow().clone();
        let progress = (!checkpoints.is_empty()).then_some(checkpoints);
        Ok(Known { progress, has_unread_ancestor: false })
    }

    async fn save(
        &self,
        _: &Stream,
        shard: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), KeepError> {
        if self.one_in(10) {
            return Err(KeepError::Retry("throttled".to_owned()));
        }
        match checkpoint {
            Some(checkpoint) => {
                self.checkpoints.borrow_mut().insert(shard.to_owned(), checkpoint.clone())
            }
            None => self.checkpoints.borrow_mut().remove(shard),
        };
        Ok(())
    }
}

fn item(json: &str) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(noop_waker_ref()))
}

fn engine() -> Engine {
    let source = RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() };
    Engine::new(load(&source, &|_| None).rules.unwrap())
}

/// Watches until all records are read, or kills the watcher after this many polls.
fn watch(engine: &Engine, world: &World, polls_max: u32) -> Poll<()> {
    let streams = [Stream { arn: "stream".to_owned(), table: "app".to_owned() }];
    let metrics = Metrics { sink: Sink::Nowhere, namespace: String::new() };
    let stop = Stop::default();
    let watcher = Watcher {
        engine,
        source: world,
        store: &world.memory,
        keeper: world,
        metrics: &metrics,
        clock: world,
        options: Options { start: Start::TrimHorizon, batch_records_max: 3, once: true },
        stop: &stop,
    };
    let notify = |notice: Notice<'_>| match notice {
        Notice::Delivered { records, .. } => {
            let sequences = records.iter().map(|record| record.sequence.clone());
            world.delivered.borrow_mut().extend(sequences);
        }
        Notice::RecordsLost { what, .. } => panic!("{what}"),
        Notice::Started { .. }
        | Notice::Redelivering { .. }
        | Notice::Retrying { .. }
        | Notice::Recovered { .. }
        | Notice::RepairsStarted { .. }
        | Notice::MetricsLost { .. } => {}
    };
    let mut followed = pin!(follow(watcher, &streams, &notify));
    let mut context = Context::from_waker(noop_waker_ref());
    for _ in 0..polls_max {
        if let Poll::Ready(ended) = followed.as_mut().poll(&mut context) {
            ended.unwrap();
            return Poll::Ready(());
        }
    }
    Poll::Pending
}

/// The users of a company and their roles, from the source items or from the mirrors.
fn members(world: &World, half: &str) -> BTreeMap<String, Option<Value<'static>>> {
    let text = |item: &Item<'_>, name| match item.get(name) {
        Some(Value::S(text)) => text.to_string(),
        _ => String::new(),
    };
    let items = world.memory.dump().remove("app").unwrap();
    let of_half = items.iter().filter(|item| text(item, "pk").starts_with(half));
    let user = |item: &Item<'_>| {
        [text(item, "pk"), text(item, "sk")].into_iter().find(|it| it.starts_with("user#")).unwrap()
    };
    of_half.map(|item| (user(item), item.get("role").cloned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However often the watcher is killed, every record is delivered, the first time in order,
    /// and the mirrors match their sources.
    #[test]
    fn a_killed_watcher_loses_nothing(seed: u64) {
        let (engine, world) = (engine(), World::new(&engine(), seed));
        let mut kills = 0;
        loop {
            // The watcher is killed at most ten times, and then runs to the end.
            let polls_max = if kills < 10 { world.random.borrow_mut().u32(1..200) } else { u32::MAX };
            // The next watcher reads what is written while this one stops.
            let has_finished_writing = world.changes_left.get() == 0;
            match watch(&engine, &world, polls_max) {
                Poll::Ready(()) if has_finished_writing => break,
                Poll::Ready(()) => {}
                Poll::Pending => kills += 1,
            }
        }
        let mut seen = BTreeSet::new();
        let delivered = world.delivered.borrow();
        let first: Vec<_> =
            delivered.iter().filter(|sequence| seen.insert((*sequence).clone())).cloned().collect();
        let shards = world.shards.borrow();
        let all: Vec<_> =
            shards.iter().flatten().map(|record| record.sequence.clone()).collect();
        prop_assert_eq!(first, all);
        prop_assert_eq!(members(&world, "company#"), members(&world, "user#"));
    }
}

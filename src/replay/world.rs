//! The simulated world: the store, the recorded writes still to come, and time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;

use super::event::Batch;
use crate::data::{Item, Key, into_owned};
use crate::engine::{Clock, Engine, Fatal, Outcome, Rejected, decode_whole};
use crate::rules::model::Rules;
use crate::store::Memory;

/// A record ready to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// The record.
    pub(super) record: Box<RawValue>,
    /// The table that it is of, by its own name.
    pub(super) table: String,
    /// The item that it is of; nothing if that cannot be understood.
    pub(super) key: Option<Key<'static>>,
}

/// A file's records, committed and ready to be delivered.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) file: String,
    pub(super) deliveries: Vec<Delivery>,
}

/// The store, the recorded writes still to come, and time.
pub(super) struct World<'w> {
    rules: &'w Rules,
    store: &'w Memory,
    batches: RefCell<VecDeque<(String, Vec<Recorded>)>>,
    now_ms: Cell<i64>,
    crashed: Cell<bool>,
}

/// A recorded write.
struct Recorded {
    delivery: Delivery,
    effect: Option<Effect>,
    committed: bool,
}

/// What a recorded write did.
struct Effect {
    image: Option<Item<'static>>,
    sequence: String,
    created_ms: Option<i64>,
}

impl<'w> World<'w> {
    /// A world in which none of the batches has happened yet.
    pub(super) fn new(rules: &'w Rules, store: &'w Memory, batches: Vec<Batch>) -> Self {
        let batches = batches
            .into_iter()
            .map(|batch| {
                let recorded = batch.records.into_iter().map(|record| recorded(rules, record));
                (batch.file, recorded.collect())
            })
            .collect();
        Self {
            rules,
            store,
            batches: RefCell::new(batches),
            now_ms: Cell::new(0),
            crashed: Cell::new(false),
        }
    }

    /// Makes the next file's writes happen; nothing if all have.
    pub(super) fn commit_next(&self) -> Option<Committed> {
        let (file, mut recorded) = self.batches.borrow_mut().pop_front()?;
        for record in &mut recorded {
            if let Some(created_ms) = record.effect.as_ref().and_then(|effect| effect.created_ms) {
                self.pass_until(created_ms);
            }
            self.commit(record);
        }
        let deliveries = recorded.into_iter().map(|record| record.delivery).collect();
        Some(Committed { file, deliveries })
    }

    /// Makes the writes of later files happen whose time has come.
    ///
    /// An item's writes happen in order: one whose predecessor is still to come waits for it.
    fn commit_due(&self) {
        let now_ms = self.now_ms.get();
        let mut waiting: Vec<(String, Option<Key<'static>>)> = Vec::new();
        for (_, recorded) in self.batches.borrow_mut().iter_mut() {
            for record in recorded.iter_mut().filter(|record| !record.committed) {
                let item = (record.delivery.table.clone(), record.delivery.key.clone());
                let created_ms = record.effect.as_ref().and_then(|effect| effect.created_ms);
                let is_due = created_ms.is_some_and(|created_ms| created_ms < now_ms);
                if is_due && !waiting.contains(&item) {
                    self.commit(record);
                } else {
                    waiting.push(item);
                }
            }
        }
    }

    fn commit(&self, record: &mut Recorded) {
        let Some(effect) = record.effect.take() else { return };
        let Some(key) = &record.delivery.key else { return };
        record.committed = true;
        let committed =
            self.store.commit(&record.delivery.table, key, effect.image, &effect.sequence);
        if let Some(number) = committed.filter(|number| number.as_str() != effect.sequence) {
            record.delivery.record = renumbered(&record.delivery.record, number.as_str());
        }
    }

    /// The records of Referee's own writes since the last time.
    pub(super) fn take_own(&self) -> Vec<Delivery> {
        let records = self.store.take_stream();
        records
            .into_iter()
            .map(|record| Delivery { record: record.json, table: record.table, key: Some(record.key) })
            .collect()
    }

    /// Processes a batch: nothing if the worker crashed over it.
    pub(super) fn process(
        &self,
        engine: &Engine,
        deliveries: &[Delivery],
    ) -> Result<Option<Outcome>, Fatal> {
        self.crashed.set(false);
        let records: Vec<&RawValue> =
            deliveries.iter().map(|delivery| &*delivery.record).collect();
        let mut processing = pin!(engine.process(&records, self.store, self));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match processing.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => return outcome.map(Some),
                Poll::Pending if self.crashed.get() => return Ok(None),
                // The embedded store answers at once: only the fairness of streams yields.
                Poll::Pending => {}
            }
        }
    }

    fn pass_until(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
        self.store.set_now_ms(self.now_ms.get());
    }
}

impl Clock for World<'_> {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.pass_until(time_ms);
        self.commit_due();
    }
}

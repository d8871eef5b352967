//! The simulated world: the store, the recorded writes still to come, and time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use serde_json::value::RawValue;

use super::event::Batch;
use crate::data::{Item, Key, SequenceNumber, into_owned};
use crate::engine::{Engine, Outcome, Rejected, decode_whole};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::store::Memory;

/// A record ready to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// The record.
    pub(super) record: Box<RawValue>,
    /// The table that it is of, by its own name.
    pub(super) table: String,
    /// The key of the item that it is of.
    pub(super) key: Key<'static>,
    /// Where it was recorded; nothing for Referee's own writes.
    pub(super) place: Option<Place>,
}

/// Where a record was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The record's place in it, from 0.
    pub record: usize,
}

/// A file's records, committed and ready to be delivered, and the ones that cannot be understood.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) rejected: Vec<(Place, Rejected)>,
}

/// The store, the recorded writes still to come, and time.
pub(super) struct World<'w> {
    store: &'w Memory,
    batches: RefCell<VecDeque<RecordedBatch>>,
    now_ms: Cell<i64>,
}

/// A file's recorded writes.
#[derive(Default)]
struct RecordedBatch {
    writes: Vec<RecordedWrite>,
    rejected: Vec<(Place, Rejected)>,
}

/// A recorded write.
struct RecordedWrite {
    delivery: Delivery,
    image: Option<Item<'static>>,
    sequence: SequenceNumber<'static>,
    created_ms: Option<i64>,
    /// Whether it has happened in this world, and if not, why it cannot.
    committed: Option<Result<(), Rejected>>,
}

impl<'w> World<'w> {
    /// A world in which none of the batches has happened yet.
    pub(super) fn new(rules: &'w Rules, store: &'w Memory, batches: Vec<Batch>) -> Self {
        let batches = batches.into_iter().map(|batch| read(rules, batch)).collect();
        Self { store, batches: RefCell::new(batches), now_ms: Cell::new(0) }
    }

    /// Makes the next file's writes happen; nothing if all have.
    pub(super) fn commit_next(&self) -> Option<Committed> {
        let mut batch = self.batches.borrow_mut().pop_front()?;
        let mut deliveries = Vec::with_capacity(batch.writes.len());
        for mut write in batch.writes {
            if let Some(created_ms) = write.created_ms {
                self.pass_until(created_ms);
            }
            self.commit(&mut write);
            match (write.committed, &write.delivery.place) {
                (Some(Err(rejected)), Some(place)) => {
                    batch.rejected.push((place.clone(), rejected));
                }
                _ => deliveries.push(write.delivery),
            }
        }
        Some(Committed { deliveries, rejected: batch.rejected })
    }

    /// Makes the writes of later files happen whose time has come.
    ///
    /// An item's writes happen in order: one whose predecessor is still to come waits for it.
    fn commit_due(&self) {
        let mut waiting: BTreeSet<(String, Key<'static>)> = BTreeSet::new();
        for batch in self.batches.borrow_mut().iter_mut() {
            for write in batch.writes.iter_mut().filter(|write| write.committed.is_none()) {
                let item = (write.delivery.table.clone(), write.delivery.key.clone());
                let is_due = write.created_ms.is_some_and(|created_ms| created_ms < self.now_ms());
                if is_due && !waiting.contains(&item) {
                    self.commit(write);
                } else {
                    waiting.insert(item);
                }
            }
        }
    }

    fn commit(&self, write: &mut RecordedWrite) {
        if write.committed.is_some() {
            return;
        }
        let Delivery { table, key, .. } = &write.delivery;
        let committed = self.store.commit(table, key, write.image.take(), &write.sequence);
        write.committed = Some(match committed {
            Ok(committed) => {
                if let Some(number) =
                    committed.sequence().filter(|number| **number != write.sequence)
                {
                    renumber(&mut write.delivery.record, number);
                }
                Ok(())
            }
            Err(error) => Err(Rejected {
                position: 0,
                sequence: Some(write.sequence.to_string()),
                error: error.to_string(),
            }),
        });
    }

    /// The records of Referee's own writes since the last time.
    pub(super) fn take_own(&self) -> Vec<Delivery> {
        let records = self.store.take_stream().into_iter();
        records
            .filter_map(|record| {
                let json = serde_json::value::to_raw_value(&record).ok()?;
                Some(Delivery { record: json, table: record.table, key: record.key, place: None })
            })
            .collect()
    }

    /// The store.
    pub(super) const fn store(&self) -> &'w Memory {
        self.store
    }

    /// Processes a batch: nothing if the worker crashed over it.
    pub(super) fn process(
        &self,
        engine: &Engine,
        deliveries: &[Delivery],
    ) -> Result<Option<Outcome>, Fatal> {
        let records: Vec<&RawValue> = deliveries.iter().map(|delivery| &*delivery.record).collect();
        let mut processing = pin!(engine.process(&records, self.store, self));
        let asked = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&asked));
        let mut context = Context::from_waker(&waker);
        loop {
            match processing.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => return outcome.map(Some),
                // The embedded store answers at once, or never: a stream that yields in fairness
                // has itself woken, and a worker whose answer never comes is dead.
                Poll::Pending if asked.take() => {}
                Poll::Pending => return Ok(None),
            }
        }
    }

    fn pass_until(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
        self.store.set_now_ms(u64::try_from(self.now_ms.get()).unwrap_or(0));
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

/// Whether a future that is not ready asked to be polled again.
#[derive(Default)]
struct Wakes(AtomicBool);

impl Wakes {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads a file's records whole: what they did must happen here too.
fn read(rules: &Rules, batch: Batch) -> RecordedBatch {
    let mut read = RecordedBatch::default();
    for (position, record) in batch.records.into_iter().enumerate() {
        let place = Place { file: batch.file.clone(), record: position };
        match decode_whole(rules, position, &record) {
            Err(rejected) => read.rejected.push((place, rejected)),
            Ok(change) => {
                let write = RecordedWrite {
                    image: change.change.after.map(into_owned),
                    sequence: change.sequence.into_owned(),
                    created_ms: change.created_ms,
                    committed: None,
                    delivery: Delivery {
                        table: rules[change.change.table].name.clone(),
                        key: change.change.key.into_owned(),
                        place: Some(place),
                        record: record.clone(),
                    },
                };
                read.writes.push(write);
            }
        }
    }
    read
}

/// Gives a record the number that its write has in this world, where Referee has written to the
/// same item meanwhile.
fn renumber(record: &mut Box<RawValue>, number: &SequenceNumber<'_>) {
    let renumbered = serde_json::from_str(record.get()).and_then(|mut value: serde_json::Value| {
        if let Some(text) = value.pointer_mut("/dynamodb/SequenceNumber") {
            *text = number.as_str().into();
        }
        serde_json::value::to_raw_value(&value)
    });
    if let Ok(renumbered) = renumbered {
        *record = renumbered;
    }
}

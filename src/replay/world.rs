//! The simulated world: the store, the recorded writes that are not committed yet, and the time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use serde_json::value::RawValue;

use super::Progress;
use super::event::Batch;
use crate::data::{Item, Key, SequenceNumber, into_owned};
use crate::engine::{Engine, Outcome, Rejected, Services, decode_whole};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::repair_log::{RepairLog, StartedRepair};
use crate::store::Memory;

/// A record ready to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// The record.
    pub(super) record: Box<RawValue>,
    /// The name of its table in DynamoDB.
    pub(super) table: String,
    /// The key of its item.
    pub(super) key: Key<'static>,
    /// Where it was recorded; `None` for Referee's own writes.
    pub(super) location: Option<RecordLocation>,
}

/// The location of a recorded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLocation {
    /// The file.
    pub file: String,
    /// The record's index in the file, from 0.
    pub record: usize,
}

/// The records of a file: those whose writes were committed, and those that were rejected.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) rejected: Vec<(RecordLocation, Rejected)>,
}

/// The store, the recorded writes that are not committed yet, and the time.
pub(super) struct World<'w> {
    store: &'w Memory,
    batches: RefCell<VecDeque<RecordedBatch>>,
    now_ms: Cell<i64>,
}

/// The recorded writes of a file.
#[derive(Default)]
struct RecordedBatch {
    writes: Vec<RecordedWrite>,
    rejected: Vec<(RecordLocation, Rejected)>,
}

/// A recorded write.
struct RecordedWrite {
    delivery: Delivery,
    image: Option<Item<'static>>,
    sequence: SequenceNumber<'static>,
    created_ms: Option<i64>,
    /// Whether the write was committed in this world, or why it cannot be committed.
    committed: Option<Result<(), Rejected>>,
}

impl<'w> World<'w> {
    /// Creates a world in which no batch is committed yet.
    pub(super) fn new(rules: &'w Rules, store: &'w Memory, batches: Vec<Batch>) -> Self {
        let batches = batches.into_iter().map(|batch| read(rules, batch)).collect();
        Self { store, batches: RefCell::new(batches), now_ms: Cell::new(0) }
    }

    /// Commits the writes of the next file. Returns `None` if there are no more files.
    pub(super) fn commit_next(&self) -> Option<Committed> {
        let mut batch = self.batches.borrow_mut().pop_front()?;
        let mut deliveries = Vec::with_capacity(batch.writes.len());
        for mut write in batch.writes {
            if let Some(created_ms) = write.created_ms {
                self.pass_until(created_ms);
            }
            self.commit(&mut write);
            match (write.committed, &write.delivery.location) {
                (Some(Err(rejected)), Some(location)) => {
                    batch.rejected.push((location.clone(), rejected));
                }
                _ => deliveries.push(write.delivery),
            }
        }
        Some(Committed { deliveries, rejected: batch.rejected })
    }

    /// Commits those writes of later files that were made before the current time.
    ///
    /// The writes of an item are committed in order: a write waits for its predecessor.
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

    /// The records of Referee's own writes since the last call.
    pub(super) fn take_own(&self) -> Vec<Delivery> {
        let records = self.store.take_stream().into_iter();
        records
            .filter_map(|record| {
                let json = serde_json::value::to_raw_value(&record).ok()?;
                Some(Delivery {
                    record: json,
                    table: record.table,
                    key: record.key,
                    location: None,
                })
            })
            .collect()
    }

    /// The store.
    pub(super) const fn store(&self) -> &'w Memory {
        self.store
    }

    /// Processes a batch. Returns `None` if the worker crashed. If anything is left to do, the repairs
    /// that were started are reported: some may have been made and appear in no violation.
    pub(super) fn process(
        &self,
        engine: &Engine,
        deliveries: &[Delivery],
        report: &mut impl FnMut(Progress),
    ) -> Result<Option<Outcome>, Fatal> {
        let records: Vec<&RawValue> = deliveries.iter().map(|delivery| &*delivery.record).collect();
        let started = Started::default();
        let services = Services { repairs: &started, ..Services::new(self.store, self) };
        let batch = engine.decode_records(&records);
        let mut processing = pin!(engine.process_with(batch, services));
        let requests = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&requests));
        let mut context = Context::from_waker(&waker);
        loop {
            match processing.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => {
                    let outcome = outcome?;
                    if outcome.checkpoint().is_some() {
                        started.report(report);
                    }
                    return Ok(Some(outcome));
                }
                // The in-memory store answers at once or never. If the future woke itself, it only
                // yielded. Otherwise its answer never comes, which simulates a crash.
                Poll::Pending if requests.take() => {}
                Poll::Pending => {
                    started.report(report);
                    return Ok(None);
                }
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

/// The repairs that a worker has started.
#[derive(Default)]
struct Started(RefCell<Vec<StartedRepair>>);

impl Started {
    fn report(&self, report: &mut impl FnMut(Progress)) {
        let repairs = self.0.take();
        if !repairs.is_empty() {
            report(Progress::RepairsStarted(repairs));
        }
    }
}

impl RepairLog for Started {
    fn started(&self, repairs: &[StartedRepair]) {
        self.0.borrow_mut().extend_from_slice(repairs);
    }
}

/// Whether a pending future asked to be polled again.
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

/// Decodes the records of a file completely, because their writes are repeated here.
fn read(rules: &Rules, batch: Batch) -> RecordedBatch {
    let mut read = RecordedBatch::default();
    for (position, record) in batch.records.into_iter().enumerate() {
        let location = RecordLocation { file: batch.file.clone(), record: position };
        match decode_whole(rules, position, &record) {
            Err(rejected) => read.rejected.push((location, rejected)),
            Ok(change) => {
                let write = RecordedWrite {
                    image: change.change.after.map(into_owned),
                    sequence: change.sequence.into_owned(),
                    created_ms: change.created_ms,
                    committed: None,
                    delivery: Delivery {
                        table: rules[change.change.table].name.clone(),
                        key: change.change.key.into_owned(),
                        location: Some(location),
                        record: record.clone(),
                    },
                };
                read.writes.push(write);
            }
        }
    }
    read
}

/// Gives a record the sequence number that its write has in this world. This number is higher than
/// the recorded one if Referee has written to the same item.
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

//! A fixture's history, delivered as an event source mapping does: what fails is tried again, and
//! what fails too often is put aside, for an operator to deliver once the fault is mended.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use referee::data::{Item, Key, SequenceNumber, into_owned};
use referee::engine::{Engine, Origin, Outcome, Response, Violation, decode_whole};
use referee::replay::Batch;
use referee::rules::Rules;
use referee::runtime::clock::Clock;
use serde_json::value::RawValue;

use crate::network::Network;

/// How often a batch is delivered before it is put aside.
const ATTEMPTS_MAX: usize = 3;
/// How many times Referee's own records are delivered between two files while a fault lasts.
const ROUNDS_WHILE_ILL: usize = 3;
/// How many times they may be before the world must be at rest.
const ROUNDS_MAX: usize = 200;

/// A record, and the table whose stream it is in.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    table: String,
    record: Box<RawValue>,
}

/// What became of a delivery.
pub(crate) enum Answer {
    Outcome(Outcome),
    Fatal,
    /// The worker died.
    Nothing,
}

/// A write that the application made.
struct Made {
    table: String,
    key: Key<'static>,
    image: Option<Item<'static>>,
    sequence: SequenceNumber<'static>,
    at_ms: i64,
    origin: Origin,
    record: Box<RawValue>,
    is_committed: bool,
}

/// The application, the streams, and Lambda.
pub(crate) struct Lambda<'l> {
    engine: &'l Engine,
    network: &'l Network<'l>,
    files: RefCell<Vec<Vec<Made>>>,
    now_ms: Cell<i64>,
    /// Of the items that are gone, by whom they were deleted last.
    pub(crate) gone: RefCell<BTreeMap<(String, Key<'static>), Origin>>,
    /// What is wrong, as far as anyone was told.
    pub(crate) told: Vec<Violation>,
    /// What was put aside, or was told to be impossible.
    aside: Vec<Delivery>,
}

impl<'l> Lambda<'l> {
    pub(crate) fn new(engine: &'l Engine, network: &'l Network<'l>, batches: &[Batch]) -> Self {
        let files = batches.iter().map(|batch| read(engine.rules(), batch)).collect();
        Self {
            engine,
            network,
            files: RefCell::new(files),
            now_ms: Cell::new(0),
            gone: RefCell::default(),
            told: Vec::new(),
            aside: Vec::new(),
        }
    }

    /// Lets everything happen, then lifts the fault and delivers what was put aside. Each answer
    /// is shown, with how many requests had gone wrong before.
    pub(crate) fn run(&mut self, mut show: impl FnMut(&Answer, usize)) {
        let files = self.files.borrow().len();
        let mut own = Vec::new();
        for file in 0..files {
            let batch = self.commit_file(file);
            self.deliver_all(batch, &mut show);
            own.append(&mut self.take_own());
            for _ in 0..ROUNDS_WHILE_ILL {
                self.deliver_all(std::mem::take(&mut own), &mut show);
                own = self.take_own();
            }
        }
        self.network.lift();
        self.network.store().clear_faults();
        self.network.store().land_all();
        own.append(&mut self.take_own());
        let aside = std::mem::take(&mut self.aside);
        self.deliver_all(aside, &mut show);
        own.append(&mut self.take_own());
        for _ in 0..ROUNDS_MAX {
            if own.is_empty() {
                assert!(self.aside.is_empty(), "put aside without a fault: {:?}", self.aside);
                return;
            }
            self.deliver_all(std::mem::take(&mut own), &mut show);
            own = self.take_own();
        }
        panic!("it never comes to rest");
    }

    /// Makes a file's writes, and those of others whose time has come.
    fn commit_file(&self, file: usize) -> Vec<Delivery> {
        let mut files = self.files.borrow_mut();
        for made in &mut files[file] {
            self.pass_until(made.at_ms);
            self.commit(made);
        }
        let deliveries = files[file].iter();
        deliveries
            .map(|made| Delivery { table: made.table.clone(), record: made.record.clone() })
            .collect()
    }

    /// Makes the writes whose time has come, but none before an earlier one of its item.
    fn commit_due(&self) {
        let mut waiting = Vec::new();
        for made in self.files.borrow_mut().iter_mut().flatten().filter(|made| !made.is_committed) {
            let item = (made.table.clone(), made.key.clone());
            if made.at_ms < self.now_ms.get() && !waiting.contains(&item) {
                self.commit(made);
            } else {
                waiting.push(item);
            }
        }
    }

    fn commit(&self, made: &mut Made) {
        if std::mem::replace(&mut made.is_committed, true) {
            return;
        }
        let item = (made.table.clone(), made.key.clone());
        match &made.image {
            Some(_) => self.gone.borrow_mut().remove(&item),
            None => self.gone.borrow_mut().insert(item, made.origin),
        };
        let store = self.network.store();
        let committed = store.commit(&made.table, &made.key, made.image.take(), &made.sequence);
        if let Some(number) = committed.unwrap().sequence() {
            let mut record: serde_json::Value = serde_json::from_str(made.record.get()).unwrap();
            record["dynamodb"]["SequenceNumber"] = number.as_str().into();
            made.record = serde_json::value::to_raw_value(&record).unwrap();
        }
    }

    /// The records of Referee's own writes since the last time, and of those of others who met it.
    fn take_own(&self) -> Vec<Delivery> {
        let records = self.network.store().take_stream().into_iter();
        records
            .map(|made| {
                let record = serde_json::value::to_raw_value(&made).unwrap();
                let item = (made.table.clone(), made.key);
                match made.after {
                    Some(_) => self.gone.borrow_mut().remove(&item),
                    None => self.gone.borrow_mut().insert(item, Origin::Client),
                };
                Delivery { table: made.table, record }
            })
            .collect()
    }

    /// Delivers records, those of each table as a batch.
    fn deliver_all(&mut self, deliveries: Vec<Delivery>, show: &mut impl FnMut(&Answer, usize)) {
        let mut of_tables: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in deliveries {
            of_tables.entry(delivery.table.clone()).or_default().push(delivery);
        }
        for batch in of_tables.into_values() {
            self.deliver(&batch, show);
        }
    }

    fn deliver(&mut self, batch: &[Delivery], show: &mut impl FnMut(&Answer, usize)) {
        let mut rest = batch;
        for _ in 0..ATTEMPTS_MAX {
            let struck = self.network.struck();
            let answer = self.process(rest);
            show(&answer, struck);
            let Answer::Outcome(outcome) = answer else { continue };
            if self.network.struck() > struck {
                let failed = outcome
                    .violations
                    .iter()
                    .filter(|it| it.resolution.response == Response::Failed);
                let rejected = outcome.rejected.iter().map(|rejected| rejected.position);
                let positions =
                    rejected.chain(failed.map(|violation| violation.occurrence.position));
                self.aside.extend(positions.map(|position| rest[position].clone()));
            }
            let checkpoint = outcome.checkpoint().map(|from| from.position);
            self.told.extend(outcome.violations);
            match checkpoint {
                None => return,
                Some(from) => rest = &rest[from..],
            }
        }
        self.aside.extend_from_slice(rest);
    }

    fn process(&self, batch: &[Delivery]) -> Answer {
        let records: Vec<&RawValue> = batch.iter().map(|delivery| &*delivery.record).collect();
        let mut processing = pin!(self.engine.process(&records, self.network, self));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match processing.as_mut().poll(&mut context) {
                Poll::Ready(Ok(outcome)) => return Answer::Outcome(outcome),
                Poll::Ready(Err(_)) => return Answer::Fatal,
                // A stream that yields in fairness is polled again; the dead are not.
                Poll::Pending if !self.network.take_death() => {}
                Poll::Pending => return Answer::Nothing,
            }
        }
    }

    fn pass_until(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
        self.network.store().set_now_ms(self.now_ms.get().unsigned_abs());
    }
}

impl Clock for Lambda<'_> {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.pass_until(time_ms);
        self.commit_due();
    }
}

/// The writes that a file tells of; what cannot be understood did not happen.
fn read(rules: &Rules, batch: &Batch) -> Vec<Made> {
    let changes = batch.records.iter().enumerate().filter_map(|(position, record)| {
        let change = decode_whole(rules, position, record).ok()?;
        Some(Made {
            table: rules[change.change.table].name.clone(),
            key: change.change.key.into_owned(),
            image: change.change.after.map(into_owned),
            sequence: change.sequence.into_owned(),
            at_ms: change.created_ms.unwrap_or(0),
            origin: change.origin,
            record: record.clone(),
            is_committed: false,
        })
    });
    changes.collect()
}

//! A fixture's history, delivered as by an event source mapping: failed batches are retried, and
//! records that fail too often are set aside until an operator delivers them after the fault is
//! fixed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use kit::oracle::{DeletedBy, Deletes};
use referee::data::{Item, Key, SequenceNumber, into_owned};
use referee::engine::{Engine, Origin, Outcome, Response, Violation, decode_whole};
use referee::replay::Batch;
use referee::rules::Rules;
use referee::runtime::clock::Clock;
use referee::store::memory::StreamRecord;
use serde_json::value::RawValue;

use crate::sweep::network::Network;
use crate::sweep::recorded::Recordings;

/// How often a batch is delivered before it is set aside.
const ATTEMPTS_MAX: usize = 3;
/// How many rounds of Referee's own records are delivered between two files while a fault lasts.
const ROUNDS_DURING_FAULT: usize = 3;
/// After how many rounds the world must be at rest.
const ROUNDS_MAX: usize = 200;

/// A record, and the table whose stream it is in.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    table: String,
    record: Box<RawValue>,
}

/// The result of a delivery.
#[derive(Clone)]
pub(crate) enum Answer {
    Outcome(Rc<Outcome>),
    Fatal,
    /// The worker died.
    Nothing,
}

/// What the runs of a history have in common, so that it is computed only once.
#[derive(Default)]
pub(crate) struct Shared {
    /// The records of Referee's writes in JSON, by their numbers.
    own: RefCell<BTreeMap<u64, Vec<OwnRecord>>>,
    /// The records of the application's writes with other sequence numbers, by record and number.
    renumbered: RefCell<BTreeMap<(String, String), Box<RawValue>>>,
    recordings: Recordings,
}

/// A record, and its JSON.
type OwnRecord = (StreamRecord, Box<RawValue>);

impl Shared {
    /// Returns a record in JSON.
    fn json_of(&self, record: &StreamRecord) -> Box<RawValue> {
        let mut own = self.own.borrow_mut();
        let alike = own.entry(record.number).or_default();
        if let Some((_, json)) = alike.iter().find(|(known, _)| known == record) {
            return json.clone();
        }
        let json = serde_json::value::to_raw_value(record).unwrap();
        alike.push((record.clone(), json.clone()));
        json
    }

    /// Returns a record with this sequence number.
    fn renumber(&self, record: &RawValue, number: &str) -> Box<RawValue> {
        let key = (record.get().to_owned(), number.to_owned());
        let mut renumbered = self.renumbered.borrow_mut();
        let json = renumbered.entry(key).or_insert_with(|| {
            let mut record: serde_json::Value = serde_json::from_str(record.get()).unwrap();
            record["dynamodb"]["SequenceNumber"] = number.into();
            serde_json::value::to_raw_value(&record).unwrap()
        });
        json.clone()
    }
}

/// A write that the application made.
#[derive(Debug, Clone)]
pub(crate) struct AppWrite {
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
    shared: &'l Shared,
    files: RefCell<Vec<Vec<AppWrite>>>,
    now_ms: Cell<i64>,
    pub(crate) deletes: RefCell<Deletes>,
    /// The reported violations.
    pub(crate) reported: Vec<Violation>,
    /// Records to deliver once the fault is cleared: those that were given up or rejected, and
    /// those whose repair failed.
    set_aside: Vec<Delivery>,
}

impl<'l> Lambda<'l> {
    /// Starts a history with the writes of each of its files.
    pub(crate) fn new(
        engine: &'l Engine,
        network: &'l Network<'l>,
        shared: &'l Shared,
        files: Vec<Vec<AppWrite>>,
    ) -> Self {
        Self {
            engine,
            network,
            shared,
            files: RefCell::new(files),
            now_ms: Cell::new(0),
            deletes: RefCell::default(),
            reported: Vec::new(),
            set_aside: Vec::new(),
        }
    }

    /// Runs the whole history, then clears the fault and delivers the records set aside. Each
    /// answer is passed to `show`, with the number of requests that had failed before.
    pub(crate) fn run(&mut self, mut show: impl FnMut(&Answer, usize)) {
        let files = self.files.borrow().len();
        let mut own = Vec::new();
        for file in 0..files {
            let batch = self.commit_file(file);
            self.deliver_all(batch, &mut show);
            own.append(&mut self.take_own());
            for _ in 0..ROUNDS_DURING_FAULT {
                self.deliver_all(std::mem::take(&mut own), &mut show);
                own = self.take_own();
            }
        }
        self.network.clear_failures();
        self.network.store().clear_faults();
        self.network.store().land_all();
        own.append(&mut self.take_own());
        let set_aside = std::mem::take(&mut self.set_aside);
        self.deliver_all(set_aside, &mut show);
        own.append(&mut self.take_own());
        for _ in 0..ROUNDS_MAX {
            if own.is_empty() {
                assert!(
                    self.set_aside.is_empty(),
                    "set aside without a fault: {:?}",
                    self.set_aside
                );
                return;
            }
            self.deliver_all(std::mem::take(&mut own), &mut show);
            own = self.take_own();
        }
        panic!("it never reaches rest");
    }

    /// Makes a file's writes, and other writes that are due.
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

    /// Makes the writes that are due. Writes of the same item keep their order.
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

    fn commit(&self, made: &mut AppWrite) {
        if std::mem::replace(&mut made.is_committed, true) {
            return;
        }
        let deleted = made.image.is_none().then_some(match made.origin {
            Origin::Client => DeletedBy::Client,
            Origin::Ttl => DeletedBy::Ttl,
        });
        self.deletes.borrow_mut().note(&made.table, &made.key, deleted);
        let store = self.network.store();
        let committed = store.commit(&made.table, &made.key, made.image.take(), &made.sequence);
        if let Some(number) = committed.unwrap().sequence() {
            made.record = self.shared.renumber(&made.record, number.as_str());
        }
    }

    /// Returns the records written since the last call by Referee and by concurrent deletes and
    /// puts.
    fn take_own(&self) -> Vec<Delivery> {
        let records = self.network.store().take_stream().into_iter();
        records
            .map(|made| {
                let record = self.shared.json_of(&made);
                let deleted = made.after.is_none().then_some(DeletedBy::Client);
                self.deletes.borrow_mut().note(&made.table, &made.key, deleted);
                Delivery { table: made.table, record }
            })
            .collect()
    }

    /// Delivers records, one batch for each table.
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
            let failed_requests = self.network.failed_requests();
            let answer = self.process(rest);
            show(&answer, failed_requests);
            let Answer::Outcome(outcome) = answer else { continue };
            if self.network.failed_requests() > failed_requests {
                let failed = outcome
                    .violations
                    .iter()
                    .filter(|it| it.resolution.response == Response::Failed);
                let rejected = outcome.rejected.iter().map(|rejected| rejected.position);
                let positions =
                    rejected.chain(failed.map(|violation| violation.occurrence.position));
                self.set_aside.extend(positions.map(|position| rest[position].clone()));
            }
            let checkpoint = outcome.checkpoint().map(|from| from.position);
            self.reported.extend(outcome.violations.iter().cloned());
            match checkpoint {
                None => return,
                Some(from) => rest = &rest[from..],
            }
        }
        self.set_aside.extend_from_slice(rest);
    }

    fn process(&self, batch: &[Delivery]) -> Answer {
        let records: Vec<&RawValue> = batch.iter().map(|delivery| &*delivery.record).collect();
        self.shared.recordings.process(self.engine, &records, (self.network, self))
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

/// Returns the writes that each file describes.
pub(crate) fn read_all(rules: &Rules, batches: &[Batch]) -> Vec<Vec<AppWrite>> {
    batches.iter().map(|batch| read(rules, batch)).collect()
}

/// Returns the writes that a file describes. A malformed record describes no write.
fn read(rules: &Rules, batch: &Batch) -> Vec<AppWrite> {
    let changes = batch.records.iter().enumerate().filter_map(|(position, record)| {
        let change = decode_whole(rules, position, record).ok()?;
        Some(AppWrite {
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

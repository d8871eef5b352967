//! A case in which Referee runs while the application writes: the store applies the writes of both,
//! and creates the stream records.
//!
//! Events were recorded without Referee. After Referee has written to an item, the item's recorded
//! images differ from its content. Therefore laws about the tables' content hold only in this
//! world, not in a replay.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use pollster::block_on;
use referee::data::{Item, JsonItem, into_owned};
use referee::engine::Engine;
use referee::integrity::mark::MARK;
use referee::replay;
use referee::rules::Rules;
use referee::runtime::clock::Clock;
use referee::store::memory::StreamRecord;
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};

use crate::case::Case;
use kit::marks::forget_records;

/// How often a batch may be returned for redelivery, and how often Referee's own writes may cause
/// others.
const ROUNDS_MAX: usize = 1_000;

/// The tables, and all their stream records.
pub(crate) struct World<'e> {
    engine: &'e Engine,
    store: Memory,
    now_ms: Cell<i64>,
    log: Vec<StreamRecord>,
}

impl<'e> World<'e> {
    /// Creates the initial world of a case; `None` if its seed is invalid.
    pub(crate) fn new(engine: &'e Engine, case: &Case) -> Option<Self> {
        let store = replay::store(engine.rules());
        replay::seed(&store, &case.seed_without_marks()).ok()?;
        Some(Self { engine, store, now_ms: Cell::new(0), log: Vec::new() })
    }

    /// Makes the application's writes, batch by batch, and delivers the records of each batch.
    pub(crate) fn live(&mut self, case: &Case) {
        for batch in case.records.chunk_by(|(one, _), (next, _)| one == next) {
            for (_, record) in batch {
                let time = &record["dynamodb"]["ApproximateCreationDateTime"];
                self.pass_until(ms(time.as_f64().unwrap_or_default()));
                if let Some(write) = write_of(self.engine.rules(), record) {
                    // A write that the table refuses is skipped.
                    let _ = block_on(self.store.write(write));
                }
            }
            let records = self.store.take_stream();
            self.deliver_and_drain(records);
        }
    }

    /// Delivers all records so far again.
    pub(crate) fn live_again(&mut self) {
        let records = std::mem::take(&mut self.log);
        self.deliver_and_drain(records);
    }

    fn deliver_and_drain(&mut self, records: Vec<StreamRecord>) {
        let mut records = records;
        for _ in 0..ROUNDS_MAX {
            if records.is_empty() {
                return;
            }
            let tables: BTreeSet<&str> = records.iter().map(|record| &*record.table).collect();
            for table in tables {
                let of_table = records.iter().filter(|record| record.table == table);
                let of_table: Vec<_> =
                    of_table.map(|record| to_raw_value(record).expect("it has a JSON")).collect();
                self.deliver(&of_table);
            }
            self.log.append(&mut records);
            records = self.store.take_stream();
        }
        panic!("Referee's own writes cause others without end");
    }

    fn deliver(&self, records: &[Box<RawValue>]) {
        let mut rest: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        for _ in 0..ROUNDS_MAX {
            let outcome = block_on(self.engine.process(&rest, &self.store, self));
            match outcome.expect("the tables of the rules exist").checkpoint() {
                None => return,
                Some(from) => drop(rest.drain(..from.position)),
            }
        }
        panic!("a batch is returned for redelivery without end");
    }

    fn pass_until(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
        self.store.set_now_ms(self.now_ms.get().unsigned_abs());
    }

    /// Returns the content of the tables, without the record numbers in the marks of mirrors:
    /// several different numbers can be correct.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<Item<'static>>> {
        let mut tables = self.store.dump();
        tables.values_mut().flatten().for_each(forget_records);
        tables
    }
}

impl Clock for World<'_> {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.pass_until(time_ms);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// Returns the write that a record describes, without marks, because no guarantee covers forged
/// marks.
fn write_of(rules: &Rules, record: &Json) -> Option<Write> {
    let table = record["eventSourceARN"].as_str()?.split('/').nth(1)?.to_owned();
    let item = |name: &str| {
        let text = record["dynamodb"][name].to_string();
        serde_json::from_str::<JsonItem<'_>>(&text).ok().map(|JsonItem(item)| into_owned(item))
    };
    let action = if record["eventName"] == "REMOVE" {
        let (_, schema) = rules.table_named(&table)?;
        Action::Delete(schema.item_of(&schema.key_of(&item("Keys")?).ok()?))
    } else {
        let mut item = item("NewImage")?;
        item.remove(MARK);
        Action::Put(item)
    };
    Some(Write { table, action, condition: None })
}

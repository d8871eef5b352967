//! Writes to a table whose partition has exceeded its capacity.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use kit::clocks::Late;
use kit::history::{item, load};
use referee::data::Item;
use referee::engine::{Engine, Outcome};
use referee::replay;
use referee::store::memory::StreamRecord;
use referee::store::{
    Action, Answer, Memory, Page, Query, Read, Store, StoreError, Transacted, Write, Written,
};
use serde_json::value::{RawValue, to_raw_value};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] }, hot: { key: [pk, sk] }, cold: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  hot_of: { table: hot, key: { pk: "user#{user}", sk: "company#{company}" } }
  cold_of: { table: cold, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  hot: { source: member, mirror: hot_of, copy: none }
  cold: { source: member, mirror: cold_of, copy: none }
"#;

/// A table `hot` that takes this many more writes, and counts those that it gets for each item. Each
/// answer takes a moment, so that several writes are in flight.
struct Hot<'s> {
    store: &'s Memory,
    room: Cell<usize>,
    tries: RefCell<BTreeMap<String, usize>>,
}

impl Store for Hot<'_> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        self.store.batch_get(reads).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        tokio::task::yield_now().await;
        if write.table == "hot" {
            let Action::Put(item) = &write.action else { panic!("{write:?}") };
            *self.tries.borrow_mut().entry(format!("{:?}", item["pk"])).or_default() += 1;
            let Some(room) = self.room.get().checked_sub(1) else {
                return Err(StoreError::Throttled("ThrottlingException".to_owned()));
            };
            self.room.set(room);
        }
        self.store.write(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.store.transact(actions).await
    }
}

fn deliver(engine: &Engine, store: &Hot<'_>, records: &[StreamRecord]) -> Outcome {
    let records: Vec<Box<RawValue>> =
        records.iter().map(|record| to_raw_value(record).unwrap()).collect();
    let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(engine.process(&records, store, &Late)).unwrap()
}

#[test]
fn no_write_is_started_to_a_table_after_it_was_throttled() {
    let engine = Engine::new(load(RULES));
    let memory = replay::store(engine.rules());
    for user in 0..100 {
        let action = Action::Put(item(&format!("pk: company#1, sk: user#{user:03}")));
        let write = Write { table: "app".to_owned(), action, condition: None };
        memory.write(write).now_or_never().unwrap().unwrap();
    }
    let records = memory.take_stream();
    let store = Hot { store: &memory, room: Cell::new(30), tries: RefCell::default() };
    let outcome = deliver(&engine, &store, &records);
    let from = outcome.checkpoint().unwrap().position;
    assert!((15..=30).contains(&from), "{from}");
    // The writes that were in flight with the throttled one are made again, and no others.
    let tried = store.tries.borrow().len();
    assert!(tried < 30 + 16, "{tried} writes");
    // The other table is not concerned.
    let cold = memory.dump().remove("cold").unwrap();
    assert_eq!(cold.len(), 100);

    store.room.set(1_000);
    let redelivered = deliver(&engine, &store, &records[from..]);
    assert_eq!(redelivered.handed_back, []);
    // Each write was made at most once more.
    assert!(store.tries.borrow().values().all(|tries| *tries <= 2), "{:?}", store.tries);
    assert_eq!(memory.dump().remove("hot").unwrap().len(), 100);
}

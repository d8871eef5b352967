//! A large cascade: delivery after delivery until nothing is left, at a price that is known and
//! with memory that does not grow with it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "a run says what it took")]

#[path = "support/history.rs"]
mod history;

use std::cell::Cell;
use std::rc::Rc;

use history::load;
use referee::data::{Item, KeyKind, Value};
use referee::engine::{Clock, Engine, Outcome, records};
use referee::replay;
use referee::store::Memory;
use referee::store::memory::Fault;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: cascade, max_fanout: 1000000 }
"#;

/// Nodes that are found in the partition of their tree: no index is billed for their marks.
const TREE: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  node:
    table: app
    key: { pk: "tree#{tree}", sk: "node#{node}" }
    attributes: { parent: S }
references:
  node_parent:
    from: node
    to: node
    on: { node: "{parent}" }
    on_delete: cascade
    max_fanout: 1000000
"#;

/// When the delete was made, in milliseconds since 1970.
const DELETED_MS: i64 = 1_700_000_000_000;
/// When it is first delivered: its grace is over.
const BEGIN_MS: i64 = DELETED_MS + 60_000;
/// How long a request takes, and a delivery may.
const REQUEST_MS: i64 = 10;
const INVOCATION_MS: i64 = 2_000;
/// How many records a batch of Referee's own has.
const BATCH_RECORDS: usize = 1_000;

/// A clock that goes on with each request.
struct Ticking {
    now_ms: Rc<Cell<i64>>,
    deadline_ms: i64,
}

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
    }

    fn deadline_ms(&self) -> Option<i64> {
        Some(self.deadline_ms)
    }
}

/// A table, and what it took to come to rest.
struct World {
    engine: Engine,
    store: Memory,
    now_ms: Rc<Cell<i64>>,
    deliveries: usize,
    handed_back: usize,
    /// The most bytes that a delivery had allocated at a time.
    bytes_max: u64,
}

impl World {
    fn new(rules: &str) -> Self {
        let engine = Engine::new(load(rules));
        let store = replay::store(engine.rules());
        let now_ms = Rc::new(Cell::new(BEGIN_MS));
        let ticking = Rc::clone(&now_ms);
        store.set_faults(Box::new(move |_| {
            ticking.set(ticking.get() + REQUEST_MS);
            Fault::None
        }));
        Self { engine, store, now_ms, deliveries: 0, handed_back: 0, bytes_max: 0 }
    }

    fn has(&self, attributes: &[(&'static str, String)]) {
        let attributes = attributes.iter().map(|(name, text)| ((*name).into(), text.clone()));
        let item: Item<'static> =
            attributes.map(|(name, text)| (name, Value::S(text.into()))).collect();
        self.store.seed("app", item).unwrap();
    }

    /// Delivers a batch until nothing of it is handed back.
    fn deliver(&mut self, batch: &[Box<RawValue>]) {
        let mut rest = batch;
        loop {
            let outcome = self.process(rest);
            let Some(checkpoint) = outcome.checkpoint() else { return };
            self.handed_back += 1;
            rest = &rest[checkpoint.position..];
        }
    }

    fn process(&mut self, batch: &[Box<RawValue>]) -> Outcome {
        let batch: Vec<&RawValue> = batch.iter().map(AsRef::as_ref).collect();
        let deadline_ms = self.now_ms.get() + INVOCATION_MS;
        let clock = Ticking { now_ms: Rc::clone(&self.now_ms), deadline_ms };
        let mut outcome = None;
        let info = allocation_counter::measure(|| {
            let process = self.engine.process(&batch, &self.store, &clock);
            outcome = Some(pollster::block_on(process).unwrap());
        });
        self.deliveries += 1;
        self.bytes_max = self.bytes_max.max(info.bytes_max);
        outcome.unwrap()
    }

    /// Delivers what its own writes cause.
    fn drain(&mut self) {
        loop {
            let own: Vec<Box<RawValue>> =
                self.store.take_stream().iter().map(|it| to_raw_value(it).unwrap()).collect();
            if own.is_empty() {
                return;
            }
            own.chunks(BATCH_RECORDS).for_each(|batch| self.deliver(batch));
        }
    }
}

/// The record of an item's delete.
fn removed(pk: &str, sk: &str) -> Box<RawValue> {
    let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let record = json!({
        "eventName": "REMOVE",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
        "dynamodb": {
            "ApproximateCreationDateTime": DELETED_MS / 1_000,
            "Keys": key, "OldImage": key, "SequenceNumber": "100000000000000000001",
        },
    });
    to_raw_value(&record).unwrap()
}

fn told(name: &str, items: usize, world: &World) -> f64 {
    let units = world.store.usage().units;
    #[expect(clippy::cast_precision_loss, reason = "there are not that many")]
    let (write, read) = (units.write / items as f64, units.read / items as f64);
    println!(
        "{name}: {items} items, {} deliveries of which {} handed back, {write:.3} write and \
         {read:.3} read units each, {} KB at most",
        world.deliveries,
        world.handed_back,
        world.bytes_max / 1_000,
    );
    write
}

fn cascade(orders: usize) -> World {
    let mut world = World::new(RULES);
    for order in 0..orders {
        world.has(&[("pk", "customer#ann".to_owned()), ("sk", format!("order#{order:06}"))]);
    }
    world.deliver(&[removed("customer#ann", "-")]);
    assert_eq!(world.store.dump()["app"], []);
    world
}

#[test]
fn a_hundred_thousand_items_go_with_one() {
    const ORDERS: usize = 100_000;
    let few = cascade(ORDERS / 10);
    let many = cascade(ORDERS);
    told("a tenth", ORDERS / 10, &few);
    let write_units = told("a cascade", ORDERS, &many);
    assert!(many.handed_back >= 4, "{}", many.handed_back);
    assert!(write_units <= 4.1, "{write_units}");
}

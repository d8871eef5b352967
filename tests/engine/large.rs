//! Large cascades: they take several deliveries, at a known cost and in bounded memory.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "a run prints its costs")]

use std::cell::Cell;
use std::rc::Rc;

use kit::clocks::Jumping;
use kit::history::load;
use referee::data::{Item, Value};
use referee::engine::{Engine, Outcome};
use referee::replay;
use referee::store::Memory;
use referee::store::memory::{Fault, StreamRecord};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: cascade, max_fanout: 1000000 }
"#;

/// A node is in the partition of its parent, and names its grandparent. The referencing items of a
/// node are found by a query of its own partition, and no index is billed for the marks.
const TREE: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  node:
    table: app
    key: { pk: "parent#{parent}", sk: "node#{node}" }
    attributes: { above: S }
references:
  node_parent:
    from: node
    to: node
    on: { node: "{parent}", parent: "{above}" }
    on_delete: cascade
    max_fanout: 1000000
"#;

/// When the delete was made, in milliseconds since 1970.
const DELETED_MS: i64 = 1_700_000_000_000;
/// When the delete's record is first delivered, after the grace period.
const BEGIN_MS: i64 = DELETED_MS + 60_000;
/// How long a request takes.
const REQUEST_MS: i64 = 10;
/// How many of Referee's own records are in a batch.
const BATCH_RECORDS: usize = 1_000;

/// A table, and the costs of processing until no record is left.
struct World {
    engine: Engine,
    store: Memory,
    now_ms: Rc<Cell<i64>>,
    /// How many requests a delivery has time for.
    requests: i64,
    /// The records of Referee's own writes, still to be delivered.
    own: Vec<StreamRecord>,
    handed_back: usize,
    /// The peak of allocated bytes of each delivery.
    bytes_max: Vec<u64>,
}

impl World {
    fn new(rules: &str, requests: i64) -> Self {
        let engine = Engine::new(load(rules));
        let store = replay::store(engine.rules());
        let now_ms = Rc::new(Cell::new(BEGIN_MS));
        let ticking = Rc::clone(&now_ms);
        store.set_faults(Box::new(move |_| {
            ticking.set(ticking.get() + REQUEST_MS);
            Fault::None
        }));
        Self {
            engine,
            store,
            now_ms,
            requests,
            own: Vec::new(),
            handed_back: 0,
            bytes_max: Vec::new(),
        }
    }

    fn has(&self, attributes: &[(&'static str, String)]) {
        let attributes = attributes.iter().map(|(name, text)| ((*name).into(), text.clone()));
        let item: Item<'static> =
            attributes.map(|(name, text)| (name, Value::S(text.into()))).collect();
        self.store.seed("app", item).unwrap();
    }

    /// Delivers a batch until no record is returned for redelivery.
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
        let deadline_ms = self.now_ms.get() + self.requests * REQUEST_MS;
        let clock = Jumping { now_ms: Rc::clone(&self.now_ms), deadline_ms };
        let mut outcome = None;
        let info = allocation_counter::measure(|| {
            let process = self.engine.process(&batch, &self.store, &clock);
            outcome = Some(pollster::block_on(process).unwrap());
        });
        self.own.extend(self.store.take_stream());
        self.bytes_max.push(info.bytes_max);
        outcome.unwrap()
    }

    /// Delivers the records of Referee's own writes.
    fn drain(&mut self) {
        loop {
            let own = std::mem::take(&mut self.own);
            let own: Vec<_> = own.iter().map(|record| to_raw_value(record).unwrap()).collect();
            if own.is_empty() {
                return;
            }
            own.chunks(BATCH_RECORDS).for_each(|batch| self.deliver(batch));
        }
    }
}

/// Returns the record of the delete of the item with this key.
fn removed(key: &Json) -> Box<RawValue> {
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

fn print_costs(name: &str, items: usize, world: &World) -> f64 {
    let units = world.store.usage().units;
    #[expect(clippy::cast_precision_loss, reason = "there are not that many")]
    let (write, read) = (units.write / items as f64, units.read / items as f64);
    println!(
        "{name}: {items} items, {} deliveries of which {} handed back, {write:.3} write and \
         {read:.3} read units each, {} KB at most",
        world.bytes_max.len(),
        world.handed_back,
        world.bytes_max.iter().max().unwrap() / 1_000,
    );
    write
}

fn cascade(orders: usize) -> World {
    let mut world = World::new(RULES, 200);
    for order in 0..orders {
        world.has(&[("pk", "customer#ann".to_owned()), ("sk", format!("order#{order:06}"))]);
    }
    world.deliver(&[removed(&json!({ "pk": { "S": "customer#ann" }, "sk": { "S": "-" } }))]);
    assert_eq!(world.store.dump()["app"], []);
    world
}

fn delete_tree(nodes: usize) -> World {
    let mut world = World::new(TREE, 40);
    for node in 0..nodes {
        let above = ("above", "top".to_owned());
        world.has(&[("pk", "parent#root".to_owned()), ("sk", format!("node#{node:06}")), above]);
    }
    world.deliver(&[removed(&json!({ "pk": { "S": "parent#top" }, "sk": { "S": "node#root" } }))]);
    world.drain();
    assert_eq!(world.store.dump()["app"], []);
    world
}

#[test]
fn a_cascade_deletes_a_hundred_thousand_items_in_bounded_memory() {
    let world = cascade(100_000);
    let write_units = print_costs("a cascade", 100_000, &world);
    assert!(write_units <= 2.1, "{write_units}");
    // The memory of a delivery depends on the items that it deletes, not on the items that remain.
    // The last delivery but one deletes as many items as the first.
    let [first, .., last_but_one, _] = world.bytes_max[..] else {
        panic!("one delivery was enough")
    };
    assert!(first < last_but_one * 5 / 4, "{:?}", world.bytes_max);
}

/// Each node causes two records, which this test delivers like a stream. This takes longer, so the
/// tree has fewer items.
#[test]
fn a_tree_of_four_thousand_nodes_is_marked_and_deleted() {
    let write_units = print_costs("a tree", 4_000, &delete_tree(4_000));
    assert!(write_units <= 4.1, "{write_units}");
}

//! A batch that must be done by a certain time.

use std::cell::Cell;

use expect_test::{Expect, expect};
use referee::data::Item;
use referee::engine::{Clock, Engine, records};
use referee::replay;
use referee::store::{
    Answer, Memory, Page, Query, Read, Store, StoreError, Transacted, Write, Written,
};
use serde_json::json;

use crate::history::load;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S, for: S } }
references:
  at_once: { from: order, to: customer, on: { customer: "{by}" }, find: none, grace: 1s }
  in_time: { from: order, to: customer, on: { customer: "{for}" }, find: none, grace: 1m }
"#;

const WRITTEN_MS: i64 = 1_700_000_000_000;

/// A clock that jumps to the time that is waited for.
struct Until {
    now_ms: Cell<i64>,
    deadline_ms: i64,
}

impl Clock for Until {
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

/// Two orders of customers who do not exist, delivered at some time and to be done by another, in
/// seconds after they were written.
fn check(delivered_seconds: i64, deadline_seconds: i64, expected: &Expect) {
    let record = |order: &str, reference: &str, sequence: &str| {
        let key = json!({ "pk": { "S": format!("order#{order}") } });
        let mut image = key.clone();
        image[reference] = json!({ "S": "ann" });
        json!({
            "eventName": "INSERT",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
            "dynamodb": {
                "ApproximateCreationDateTime": WRITTEN_MS / 1_000,
                "Keys": key, "NewImage": image, "SequenceNumber": sequence,
            },
        })
    };
    let orders = [record("1", "by", "100"), record("2", "for", "200")];
    let engine = Engine::new(load(RULES));
    let store = replay::store(engine.rules());
    let images = orders.each_ref().map(|order| order["dynamodb"]["NewImage"].clone());
    replay::seed(&store, &json!({ "app": images }).to_string()).unwrap();
    let event = json!({ "Records": orders }).to_string();
    let clock = Until {
        now_ms: Cell::new(WRITTEN_MS + delivered_seconds * 1_000),
        deadline_ms: WRITTEN_MS + deadline_seconds * 1_000,
    };
    let outcome =
        pollster::block_on(engine.process(&records(&event).unwrap(), &store, &clock)).unwrap();
    let found = outcome.violations.iter().map(|it| format!("{} {}\n", it.rule, it.sequence));
    let back =
        outcome.handed_back.iter().map(|it| format!("back {}: {}\n", it.sequence, it.reason));
    let ended = format!("at {} s\n", (clock.now_ms.get() - WRITTEN_MS) / 1_000);
    expected.assert_eq(&found.chain(back).chain([ended]).collect::<String>());
}

#[test]
fn a_grace_period_that_outlasts_the_deadline_hands_its_record_back() {
    check(
        0,
        30,
        &expect![[r#"
        at_once 100
        back 200: its grace period is not over before the deadline
        at 30 s
    "#]],
    );
}

#[test]
fn the_last_delivery_finds_that_it_is_over() {
    check(
        30,
        60,
        &expect![[r#"
        at_once 100
        back 200: its grace period is not over before the deadline
        at 60 s
    "#]],
    );
    check(
        60,
        90,
        &expect![[r#"
        at_once 100
        in_time 200
        at 61 s
    "#]],
    );
}

#[test]
fn where_there_is_time_it_is_waited_for() {
    check(
        0,
        900,
        &expect![[r#"
        at_once 100
        in_time 200
        at 61 s
    "#]],
    );
}

#[test]
fn a_deadline_that_is_over_confirms_nothing_that_must_be_waited_for() {
    check(
        0,
        0,
        &expect![[r#"
        back 100: its grace period is not over before the deadline
        back 200: its grace period is not over before the deadline
        at 0 s
    "#]],
    );
}

const MIRRORED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "team#{team}" } }
mirrors:
  membership: { source: member, mirror: member_of }
"#;

/// A store whose every write takes a second.
struct Slow<'s> {
    store: &'s Memory,
    clock: &'s Until,
}

impl Store for Slow<'_> {
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
        self.clock.now_ms.set(self.clock.now_ms() + 1_000);
        self.store.write(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.clock.now_ms.set(self.clock.now_ms() + 1_000);
        self.store.transact(actions).await
    }
}

/// Every delivery writes the mirrors again. If that took all its time, none would ever end.
#[test]
fn mirrors_are_begun_in_the_first_half_of_the_time() {
    let record = |number: i32| {
        let key = json!({ "pk": { "S": "team#a" }, "sk": { "S": format!("user#{number}") } });
        json!({
            "eventName": "INSERT",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
            "dynamodb": { "Keys": key, "NewImage": key, "SequenceNumber": format!("{number}00") },
        })
    };
    let engine = Engine::new(load(MIRRORED));
    let memory = replay::store(engine.rules());
    let event = json!({ "Records": (1..=20).map(record).collect::<Vec<_>>() }).to_string();
    let now_ms = Cell::new(WRITTEN_MS);
    let clock = Until { now_ms, deadline_ms: WRITTEN_MS + 10_000 };
    let store = Slow { store: &memory, clock: &clock };
    let outcome =
        pollster::block_on(engine.process(&records(&event).unwrap(), &store, &clock)).unwrap();
    let first = outcome.checkpoint().unwrap();
    expect!["6 of 20 written; from 700 on: the time was needed for earlier records"].assert_eq(
        &format!(
            "{} of 20 written; from {} on: {}",
            outcome.writes.len(),
            first.sequence,
            first.reason
        ),
    );
}

#[test]
fn no_repair_is_begun_at_the_deadline() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: cascade }
"#;
    let key = |sort: &str| json!({ "pk": { "S": "customer#ann" }, "sk": { "S": sort } });
    let engine = Engine::new(load(rules));
    let memory = replay::store(engine.rules());
    let orders: Vec<_> = (0..250).map(|order| key(&format!("order#{order}"))).collect();
    replay::seed(&memory, &json!({ "app": orders }).to_string()).unwrap();
    let record = json!({
        "eventName": "REMOVE",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1",
        "dynamodb": {
            "ApproximateCreationDateTime": WRITTEN_MS / 1_000 - 60,
            "Keys": key("-"), "OldImage": key("-"), "SequenceNumber": "100",
        },
    });
    let event = json!({ "Records": [record] }).to_string();
    let clock = Until { now_ms: Cell::new(WRITTEN_MS), deadline_ms: WRITTEN_MS + 2_000 };
    let store = Slow { store: &memory, clock: &clock };
    let outcome =
        pollster::block_on(engine.process(&records(&event).unwrap(), &store, &clock)).unwrap();
    let first = outcome.checkpoint().unwrap();
    expect!["198 of 250 deleted; the deadline came before the repairs were done"]
        .assert_eq(&format!("{} of 250 deleted; {}", outcome.writes.len(), first.reason));
}

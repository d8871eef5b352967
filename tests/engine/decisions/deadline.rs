//! Batches with a deadline.

use expect_test::{Expect, expect};
use referee::data::Item;
use referee::store::{
    Answer, Memory, Page, Query, Read, Store, StoreError, Transacted, Write, Written,
};

use crate::decisions::delivery::{clock, deliver, seconds};
use kit::clocks::Jumping;
use kit::history::{History, load};

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

/// Processes two orders whose customers do not exist. The times of delivery and deadline are in
/// seconds after the orders were written.
fn check(delivered: i64, deadline: i64, expected: &Expect) {
    let orders = ["pk: order#1, by: ann", "pk: order#2, for: ann"];
    let history = History::new().has_all(orders.map(str::to_owned));
    let history = orders.into_iter().fold(history, History::insert);
    let (store, clock) = (history.store(&load(RULES)), clock(delivered, deadline));
    let outcome = deliver(RULES, &history, &store, &clock);
    let number = |sequence: &str| sequence.trim_start_matches('0').to_owned();
    let found = outcome.violations.iter().map(|it| {
        format!("{} {}\n", it.finding.rule, number(it.occurrence.sequence.as_deref().unwrap()))
    });
    let back = outcome.handed_back.iter();
    let back = back.map(|it| format!("back {}: {}\n", number(&it.sequence), it.reason));
    let ended = format!("at {} s\n", seconds(&clock));
    expected.assert_eq(&found.chain(back).chain([ended]).collect::<String>());
}

#[test]
fn a_record_whose_grace_period_outlasts_the_deadline_is_returned() {
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
fn a_redelivery_after_the_grace_period_reports_the_violation() {
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
fn a_delivery_waits_for_a_grace_period_that_ends_before_the_deadline() {
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
fn a_delivery_at_the_deadline_does_not_wait() {
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

/// A store in which every write takes a second.
struct Slow<'s> {
    store: &'s Memory,
    clock: &'s Jumping,
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
        self.clock.pass(1_000);
        self.store.write(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.clock.pass(1_000);
        self.store.transact(actions).await
    }
}

/// Every delivery writes the mirrors again. If that took all the time, no delivery would ever
/// finish.
#[test]
fn mirror_writes_start_only_in_the_first_half_of_the_time() {
    let members = (1..=20).map(|user| format!("pk: team#a, sk: user#{user}"));
    let history = members.fold(History::new(), |history, member| history.insert(&member));
    let (memory, clock) = (history.store(&load(MIRRORED)), clock(0, 10));
    let store = Slow { store: &memory, clock: &clock };
    let outcome = deliver(MIRRORED, &history, &store, &clock);
    let first = outcome.checkpoint().unwrap();
    let from = first.sequence.trim_start_matches('0');
    expect!["6 of 20 written; from 700 on: earlier records used all the time"].assert_eq(&format!(
        "{} of 20 written; from {from} on: {}",
        outcome.writes.len(),
        first.reason
    ));
}

#[test]
fn no_repair_starts_at_the_deadline() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: cascade }
"#;
    let orders = (0..250).map(|order| format!("pk: customer#ann, sk: order#{order}"));
    let history = History::new().has_all(orders).remove("pk: customer#ann, sk: '-'");
    let (memory, clock) = (history.store(&load(rules)), clock(60, 62));
    let store = Slow { store: &memory, clock: &clock };
    let outcome = deliver(rules, &history, &store, &clock);
    let first = outcome.checkpoint().unwrap();
    expect!["198 of 250 deleted; the deadline came before the repairs were done"]
        .assert_eq(&format!("{} of 250 deleted; {}", outcome.writes.len(), first.reason));
}

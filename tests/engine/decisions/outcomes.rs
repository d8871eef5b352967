//! What an outcome contains besides violations and writes.

use crate::decisions::delivery::{clock, deliver};
use kit::history::{BEGIN_S, History, load};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  nobody: { table: app, key: { pk: "nobody#{nobody}" } }
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S } }
references:
  order_customer: { from: order, to: customer, on: { customer: "{by}" }, find: none, on_missing: delete }
"#;

#[test]
fn an_outcome_contains_the_oldest_relevant_change_and_the_number_of_read_requests() {
    let orders = ["pk: order#1, by: ann", "pk: order#2, by: ann"];
    let [first, second] = orders;
    let history = History::new().has_all(orders.map(str::to_owned));
    let history =
        history.insert("pk: nobody#1, by: ann").at(20).insert(first).at(10).insert(second);
    let store = history.store(&load(RULES));
    let outcome = deliver(RULES, &history, &store, &clock(100, 1_000));
    assert_eq!(outcome.oldest_ms, Some(i64::try_from(BEGIN_S + 10).unwrap() * 1_000));
    // Two reads of the customer and the orders, and the transaction that deletes the orders.
    assert_eq!((outcome.reads, outcome.requests, outcome.writes.len()), (2, 3, 2));
}

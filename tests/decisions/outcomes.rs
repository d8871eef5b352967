//! What an outcome tells besides what was found and done.

use crate::delivery::{clock, deliver};
use crate::history::{BEGIN_S, History, load};

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
fn the_oldest_change_that_a_rule_looks_at_and_the_requests_that_read() {
    let orders = ["pk: order#1, by: ann", "pk: order#2, by: ann"];
    let [first, second] = orders;
    let history = History::new().has_all(orders.map(str::to_owned));
    let history =
        history.insert("pk: nobody#1, by: ann").at(20).insert(first).at(10).insert(second);
    let store = history.store(&load(RULES));
    let outcome = deliver(RULES, &history, &store, &clock(100, 1_000));
    assert_eq!(outcome.oldest_ms, Some(i64::try_from(BEGIN_S + 10).unwrap() * 1_000));
    // Two looks at the customer and the orders, and the transaction that deletes these.
    assert_eq!((outcome.reads, outcome.requests, outcome.writes.len()), (2, 3, 2));
}

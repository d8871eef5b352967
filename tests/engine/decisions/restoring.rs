//! `on_delete: restore`: deleted items that are restored because others refer to them.

use expect_test::expect;
use referee::rules::model::Mode;
use referee::store::CancellationReason;
use referee::store::memory::CallKind::Transact;
use referee::store::memory::Fault;

use crate::decisions::large;
use kit::history::{History, load, outcome};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer:
    table: app
    key: { pk: "customer#{customer}", sk: "-" }
    attributes: { kind: S }
    where: { kind: Customer }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: restore, on_ttl_delete: report }
"#;

const ANN: &str = "pk: customer#ann, sk: '-', kind: Customer, name: Ann, since: 2020";

fn with_order() -> History {
    History::new().has("pk: customer#ann, sk: order#1")
}

#[test]
fn a_referenced_item_is_restored_as_it_was() {
    with_order().remove(ANN).under(RULES).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 repaired: 1 `order` still refers to the deleted `customer`, which was restored [1]
          order_customer put customer#ann/-
        1 own: 0 requests, 0 read, 0 write
        + customer#ann/- kind: Customer name: Ann since: 2020
    "#]]);
    History::new().remove(ANN).under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
    "#]]);
    with_order().expire(ANN).under(RULES).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
}

#[test]
fn a_target_recreated_by_the_application_is_left_alone() {
    let other = "pk: customer#ann, sk: '-', kind: Customer, name: Anna";
    with_order().remove(ANN).later(1).insert(other).under(RULES).results_in(expect![[r#"
        1 app: 2 requests, 2 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn another_item_at_the_targets_key_is_left_alone() {
    let staff = "pk: customer#ann, sk: '-', kind: Staff";
    with_order().remove(ANN).later(1).insert(staff).under(RULES).results_in(expect![[r#"
        1 app: 5 requests, 4 read, 4 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 reported: 1 `order` still refers to the deleted `customer`; another item is at the deleted item's key [1]
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn observe_mode_reports_what_it_would_restore() {
    let rules = load(RULES).in_mode(Mode::Observe);
    expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 would_repair: 1 `order` still refers to the deleted `customer`, which would be restored [1]
          order_customer would put customer#ann/-
    "#]].assert_eq(&outcome(&rules, &with_order().remove(ANN)));
}

/// DynamoDB refuses one action of the transaction, and would refuse it again on every retry.
#[test]
fn a_restore_that_dynamodb_refuses_is_not_retried() {
    let invalid = || CancellationReason::Invalid("it is too large".to_owned());
    let expected = expect![[r#"
        1 app: 5 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 failed: 1 `order` still refers to the deleted `customer`; it is too large [1]
    "#]];
    for reasons in [[invalid(), CancellationReason::None], [CancellationReason::None, invalid()]] {
        let happens = move |_: &_, (_, kind)| {
            if kind == Transact { Fault::Cancel(reasons.to_vec()) } else { Fault::None }
        };
        with_order().remove(ANN).during(RULES, happens).results_in(&expected);
    }
}

#[test]
fn restore_depends_on_the_next_item_if_the_first_no_longer_refers() {
    let history = with_order().has("pk: customer#ann, sk: order#2").remove(ANN);
    let happens = |_: &_, at| {
        let gone = [CancellationReason::None, CancellationReason::ConditionFailed(None)];
        if at == (1, Transact) { Fault::Cancel(gone.to_vec()) } else { Fault::None }
    };
    history.during(RULES, happens).results_in(expect![[r#"
        1 app: 5 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#2 -> customer#ann/- @100 repaired: 1 `order` still refers to the deleted `customer`, which was restored [1]
          order_customer put customer#ann/-
        1 own: 0 requests, 0 read, 0 write
        + customer#ann/- kind: Customer name: Ann since: 2020
    "#]]);
}

#[test]
fn only_the_first_page_of_referencing_items_is_counted() {
    let orders = (1..=4).map(|order| large(&format!("pk: customer#ann, sk: order#{order}")));
    let history = History::new().has_all(orders).remove(ANN);
    history.under(RULES).reports(expect!["order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 repaired: at least 3 `order` still refer to the deleted `customer`, which was restored [3 and more]"]);
}

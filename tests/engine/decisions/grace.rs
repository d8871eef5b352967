//! The grace period: how long a reference may dangle before it is a violation.

use expect_test::expect;

use kit::history::History;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S } }
references:
  order_customer: { from: order, to: customer, on: { customer: "{by}" }, find: none, grace: GRACE }
"#;

const ORDER: &str = "pk: order#1, by: ann";
const CUSTOMER: &str = "pk: customer#ann";

fn rules(grace: &str) -> String {
    RULES.replace("GRACE", grace)
}

#[test]
fn a_target_written_in_the_same_batch_exists() {
    History::new().insert(ORDER).insert(CUSTOMER).under(&rules("0s")).results_in(expect![[r#"
        2 app: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn a_target_written_within_the_grace_period_is_in_time() {
    let history = |seconds| History::new().insert(ORDER).later(seconds).insert(CUSTOMER);
    history(1).under(&rules("2s")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    history(4).under(&rules("2s")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @100 reported: the referenced `customer` does not exist
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    history(59).under(&rules("1m")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    history(62).under(&rules("1m")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @100 reported: the referenced `customer` does not exist
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

/// A record's time is in whole seconds, so the record may be up to one second newer than its time.
/// The engine waits for that second.
#[test]
fn zero_grace_waits_only_for_the_clocks_resolution() {
    History::new()
        .insert(ORDER)
        .later(1)
        .insert(CUSTOMER)
        .under(&rules("0s"))
        .results_in(expect![[r#"
            1 app: 2 requests, 3 read, 0 write
              order_customer dangling_reference order#1 at by -> customer#ann @100 reported: the referenced `customer` does not exist
            1 app: 0 requests, 0 read, 0 write
        "#]]);
    History::new()
        .insert(ORDER)
        .later(3)
        .insert(CUSTOMER)
        .under(&rules("0s"))
        .results_in(expect![[r#"
            1 app: 2 requests, 3 read, 0 write
              order_customer dangling_reference order#1 at by -> customer#ann @100 reported: the referenced `customer` does not exist
            1 app: 0 requests, 0 read, 0 write
        "#]]);
}

#[test]
fn a_reference_removed_within_the_grace_period_is_no_violation() {
    let history = History::new().insert(ORDER).later(1).change(ORDER, "pk: order#1");
    history.under(&rules("2s")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let gone = History::new().insert(ORDER).later(1).remove(ORDER);
    gone.under(&rules("2s")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let other = History::new().insert(ORDER).later(1).change(ORDER, "pk: order#1, by: bob");
    other.under(&rules("2s")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#bob @200 reported: the referenced `customer` does not exist
    "#]]);
}

#[test]
fn an_old_record_causes_no_wait() {
    let history = History::new().insert("pk: order#2").insert(ORDER).later(600).again(0);
    history.under(&rules("1m")).results_in(expect![[r#"
        2 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @200 reported: the referenced `customer` does not exist
        2 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @200 reported: the referenced `customer` does not exist
    "#]]);
}

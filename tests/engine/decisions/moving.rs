//! Mirrors whose key contains an attribute of the source.

use expect_test::expect;

use kit::history::History;

const ORDERS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  order:
    table: app
    key: { pk: "order#{order}", sk: order }
    attributes: { by: S, status: S }
    where: { draft: absent }
  order_by: { table: app, key: { pk: "customer#{by}", sk: "order#{order}" } }
mirrors:
  orders: { source: order, mirror: order_by, copy: { status: orderStatus } }
"#;

#[test]
fn a_mirror_is_written_at_the_key_that_an_attribute_gives() {
    History::new()
        .insert("pk: order#1, sk: order, by: ann, status: open")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 1 requests, 0 read, 1 write
              orders put customer#ann/order#1
            1 own: 1 requests, 1 read, 0 write
            + customer#ann/order#1 _referee: orders@100 orderStatus: open
        "#]]);
}

#[test]
fn a_changed_attribute_moves_the_mirror() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order, by: bob")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 2 requests, 0 read, 2 write
              orders put customer#bob/order#1
              orders delete customer#ann/order#1
            1 own: 1 requests, 1 read, 0 write
            + customer#bob/order#1 _referee: orders@100
        "#]]);
}

#[test]
fn every_former_mirror_is_deleted_after_several_changes_in_one_batch() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order, by: bob")
        .change("pk: order#1, sk: order, by: bob", "pk: order#1, sk: order, by: eve")
        .under(ORDERS)
        .results_in(expect![[r#"
            2 app: 3 requests, 0 read, 3 write
              orders put customer#eve/order#1
              orders delete customer#ann/order#1
              orders delete customer#bob/order#1
            1 own: 1 requests, 1 read, 0 write
            + customer#eve/order#1 _referee: orders@200
        "#]]);
}

#[test]
fn a_source_that_loses_the_attribute_loses_its_mirror() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 1 requests, 0 read, 1 write
              orders delete customer#ann/order#1
        "#]]);
}

#[test]
fn a_source_that_no_longer_meets_its_where_loses_its_mirror() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order, by: ann, draft: yes")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 1 requests, 0 read, 1 write
              orders delete customer#ann/order#1
        "#]]);
}

#[test]
fn a_source_with_a_number_instead_of_a_text_has_no_mirror() {
    History::new().insert("pk: order#1, sk: order, by: 7").under(ORDERS).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_value_that_no_key_can_contain_is_rejected_and_the_former_mirror_is_deleted() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order, by: a#b")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 1 requests, 0 read, 1 write
              orders delete customer#ann/order#1
              rejected @100: mirror `orders` cannot be written: `a#b` cannot be `{by}` of a key: it contains the table's separator
        "#]]);
}

#[test]
fn a_value_that_no_key_can_contain_is_ignored_in_an_item_that_is_no_source() {
    History::new()
        .change("pk: order#1, sk: order, by: ann", "pk: order#1, sk: order, by: a#b, draft: yes")
        .under(ORDERS)
        .results_in(expect![[r#"
            1 app: 1 requests, 0 read, 1 write
              orders delete customer#ann/order#1
        "#]]);
}

#[test]
fn a_delete_deletes_the_mirror() {
    History::new().remove("pk: order#1, sk: order, by: ann").under(ORDERS).results_in(expect![[
        r#"
            1 app: 1 requests, 0 read, 1 write
              orders delete customer#ann/order#1
        "#
    ]]);
}

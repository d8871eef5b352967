//! Races: writes while a delete is processed, and redelivery after it.
//!
//! In these tests, the content of the tables depends on timing. Cases in which it does not are
//! under `events/`.

use expect_test::expect;
use referee::store::memory::CallKind::Transact;

use crate::decisions::cascades::TREE;
use kit::history::History;
use kit::meanwhile::Other;

const SHOP: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, ACTION }
"#;

const WORK: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  task:
    table: app
    key: { pk: "team#{team}", sk: "task#{task}" }
    attributes: { owner: S }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, on_delete: unset }
"#;

const ANN: &str = "pk: customer#ann, sk: '-'";

fn shop(action: &str) -> String {
    SHOP.replace("ACTION", action)
}

#[test]
fn an_insert_and_a_delete_cannot_miss_each_other() {
    let order = "pk: customer#ann, sk: order#1";
    let report = shop("on_missing: report");
    History::new().insert(order).remove(ANN).under(&report).results_in(expect![[r#"
        2 app: 5 requests, 6 read, 0 write
          order_customer dangling_reference customer#ann/order#1 -> customer#ann/- @100 reported: the referenced `customer` does not exist
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @200 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    History::new().remove(ANN).insert(order).under(&report).results_in(expect![[r#"
        2 app: 5 requests, 6 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 reported: 1 `order` still refers to the deleted `customer` [1]
          order_customer dangling_reference customer#ann/order#1 -> customer#ann/- @200 reported: the referenced `customer` does not exist
    "#]]);
    History::new().insert(order).later(9).remove(ANN).under(&report).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference customer#ann/order#1 -> customer#ann/- @100 reported: the referenced `customer` does not exist
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @200 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    History::new().remove(ANN).later(9).insert(order).under(&report).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference customer#ann/order#1 -> customer#ann/- @200 reported: the referenced `customer` does not exist
    "#]]);
}

#[test]
fn a_target_recreated_just_before_its_restore_is_left_alone() {
    let deleted = History::new()
        .has("pk: customer#ann, sk: order#1")
        .remove("pk: customer#ann, sk: '-', name: Ann");
    let back = Other::Puts("pk: customer#ann, sk: '-', name: Anna");
    let restore = shop("on_delete: restore, on_ttl_delete: report");
    deleted.before(&restore, (1, Transact), [back]).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
        1 own: 0 requests, 0 read, 0 write
        + customer#ann/- name: Anna
    "#]]);
}

#[test]
fn a_redelivered_delete_deletes_the_remaining_orphans_and_no_new_items() {
    let orders = || {
        let orders = (1..=4).map(|order| format!("pk: customer#ann, sk: order#{order}"));
        History::new().has_all(orders)
    };
    let limited = shop("on_delete: cascade, max_fanout: 3");
    orders().remove(ANN).again(0).under(&limited).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 repaired: 3 `order` referred to the deleted `customer` and were deleted [3]
          order_customer fanout_exceeded customer#ann/order#1 -> customer#ann/- @100 reported: more than 3 items refer to the deleted one [3]
          order_customer delete customer#ann/order#1
          order_customer delete customer#ann/order#2
          order_customer delete customer#ann/order#3
        3 own: 0 requests, 0 read, 0 write
        1 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#4 -> customer#ann/- @100 repaired: 1 `order` referred to the deleted `customer` and was deleted [1]
          order_customer delete customer#ann/order#4
        1 own: 0 requests, 0 read, 0 write
        - customer#ann/order#1
        - customer#ann/order#2
        - customer#ann/order#3
        - customer#ann/order#4
    "#]]);
    // Much later, a new customer is written with the same key, and a new order.
    let again = orders().remove(ANN).later(60).insert(ANN);
    let again = again.insert("pk: customer#ann, sk: order#9").again(0);
    again.under(&shop("on_delete: cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 10 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 repaired: 4 `order` referred to the deleted `customer` and were deleted [4]
          order_customer delete customer#ann/order#1
          order_customer delete customer#ann/order#2
          order_customer delete customer#ann/order#3
          order_customer delete customer#ann/order#4
        4 own: 0 requests, 0 read, 0 write
        2 app: 1 requests, 1 read, 0 write
        1 app: 2 requests, 2 read, 0 write
        - customer#ann/order#1
        - customer#ann/order#2
        - customer#ann/order#3
        - customer#ann/order#4
    "#]]);
}

#[test]
fn an_item_deleted_just_before_its_repair_is_not_recreated() {
    let deleted = History::new()
        .has("pk: team#red, sk: task#1, owner: ann")
        .has("pk: team#red, sk: task#2, owner: ann")
        .remove("pk: team#red, sk: user#ann");
    let gone = Other::Deletes("pk: team#red, sk: task#1");
    deleted.before(WORK, (1, Transact), [gone]).results_in(expect![[r#"
        1 app: 5 requests, 3 read, 10 write
          task_owner orphaned team#red/task#2 -> team#red/user#ann @100 repaired: 1 `task` referred to the deleted `user`; its reference was removed [1]
          task_owner update team#red/task#2: REMOVE owner
        2 own: 0 requests, 0 read, 0 write
        - team#red/task#1 owner: ann
        - team#red/task#2 owner: ann
        + team#red/task#2
    "#]]);
}

#[test]
fn one_rule_deletes_an_item_that_another_would_update() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  team: { table: app, key: { pk: "team#{team}", sk: "-" } }
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  task: { table: app, key: { pk: "team#{team}", sk: "task#{task}" }, attributes: { owner: S } }
references:
  task_team: { from: task, to: team, on_delete: cascade }
  task_owner: { from: task, to: user, on: { user: "{owner}" }, on_delete: unset }
"#;
    let task = || History::new().has("pk: team#red, sk: task#1, owner: ann");
    let (team, ann) = ("pk: team#red, sk: '-'", "pk: team#red, sk: user#ann");
    task().remove(team).remove(ann).under(rules).results_in(expect![[r#"
        2 app: 6 requests, 6 read, 4 write
          task_team orphaned team#red/task#1 -> team#red/- @100 repaired: 1 `task` referred to the deleted `team` and was deleted [1]
          task_team delete team#red/task#1
        1 own: 0 requests, 0 read, 0 write
        - team#red/task#1 owner: ann
    "#]]);
    task().remove(ann).remove(team).under(rules).results_in(expect![[r#"
        2 app: 7 requests, 6 read, 8 write
          task_owner orphaned team#red/task#1 -> team#red/user#ann @100 repaired: 1 `task` referred to the deleted `user`; its reference was removed [1]
          task_team orphaned team#red/task#1 -> team#red/- @200 repaired: 1 `task` referred to the deleted `team` and was deleted [1]
          task_owner update team#red/task#1: REMOVE owner
          task_team delete team#red/task#1
        2 own: 0 requests, 0 read, 0 write
        - team#red/task#1 owner: ann
    "#]]);
}

#[test]
fn a_marked_item_is_unmarked_if_its_reference_is_valid_again() {
    let fallen = || {
        History::new()
            .has("pk: node#1, sk: '-', parent: '0'")
            .has("pk: node#2, sk: '-', parent: '1'")
            .has("pk: node#9, sk: '-'")
            .remove("pk: node#0, sk: '-'")
    };
    // The first transaction marks the node, the second deletes it.
    let back = Other::Puts("pk: node#0, sk: '-'");
    fallen().before(TREE, (2, Transact), [back]).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 3 requests, 1 read, 6 write
          node_parent update node#1/-: no longer marked for deletion
        2 own: 0 requests, 0 read, 0 write
        + node#0/-
    "#]]);
    let moved = Other::Puts("pk: node#1, sk: '-', parent: '9'");
    fallen().before(TREE, (2, Transact), [moved]).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 3 requests, 1 read, 5 write
        1 own: 1 requests, 1 read, 0 write
        - node#1/- parent: 0
        + node#1/- parent: 9
    "#]]);
    let moved = "pk: node#1, sk: '-', parent: '9', _referee: {rule: node_parent, depth: 1}";
    fallen().before(TREE, (2, Transact), [Other::Puts(moved)]).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 3 requests, 1 read, 6 write
          node_parent update node#1/-: no longer marked for deletion
        2 own: 1 requests, 1 read, 0 write
        - node#1/- parent: 0
        + node#1/- parent: 9
    "#]]);
}

#[test]
fn a_child_of_a_deleted_node_is_deleted_or_reported() {
    let fallen =
        || History::new().has("pk: node#1, sk: '-', parent: '0'").remove("pk: node#0, sk: '-'");
    let added = Other::Puts("pk: node#2, sk: '-', parent: '1'");
    fallen().before(TREE, (1, Transact), [added]).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        2 own: 2 requests, 2 read, 6 write
          node_parent delete node#1/-
        1 own: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#2/- -> node#1/- @103 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#2/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#2/-
        1 own: 2 requests, 1.5 read, 0 write
        - node#1/- parent: 0
    "#]]);
    fallen().before(TREE, (2, Transact), [added]).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        2 own: 5 requests, 4.5 read, 6 write
          node_parent dangling_reference node#2/- at parent -> node#1/- @102 reported: the referenced `node` does not exist
          node_parent orphaned node#2/- -> node#1/- @103 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#2/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#2/-
        1 own: 2 requests, 1.5 read, 0 write
        - node#1/- parent: 0
    "#]]);
    fallen().later(60).insert("pk: node#2, sk: '-', parent: '1'").under(TREE).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        1 own: 2 requests, 1.5 read, 0 write
        1 app: 2 requests, 3 read, 0 write
          node_parent dangling_reference node#2/- at parent -> node#1/- @200 reported: the referenced `node` does not exist
        - node#1/- parent: 0
    "#]]);
}

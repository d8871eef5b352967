//! Actions on the orphans of a deleted item.

use expect_test::expect;
use referee::store::memory::CallKind;

use kit::history::{History, load, outcome};
use kit::meanwhile::Other;
use referee::rules::model::Mode;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "-" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: ACTION }
"#;

const ANN: &str = "pk: customer#ann, sk: '-'";

fn rules(action: &str) -> String {
    RULES.replace("ACTION", action)
}

fn orders(count: usize) -> History {
    let orders = (0..count).map(|order| format!("pk: customer#ann, sk: order#{order:03}"));
    History::new().has_all(orders)
}

#[test]
fn a_cascade_deletes_page_by_page() {
    orders(2).remove(ANN).under(&rules("cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 6 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 2 `order` referred to the deleted `customer` and were deleted [2]
          order_customer delete customer#ann/order#000
          order_customer delete customer#ann/order#001
        2 own: 0 requests, 0 read, 0 write
        - customer#ann/order#000
        - customer#ann/order#001
    "#]]);
    let many = orders(250).remove(ANN).under(&rules("cascade"));
    many.costs(expect![[r#"
        1 app: 6 requests, 5 read, 506 write
        250 own: 0 requests, 0 read, 0 write"#]]);
    many.reports(expect!["order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 250 `order` referred to the deleted `customer` and were deleted [10]"]);
}

#[test]
fn a_cascade_reads_one_bounded_page_at_a_time() {
    // A query and a read show that there are orphans. Two pages follow, one query each: ten
    // transactions for the first page, one for the second.
    orders(1_000).remove(ANN).under(&rules("cascade")).costs(expect![[r#"
        1 app: 15 requests, 16 read, 2022 write
        1000 own: 0 requests, 0 read, 0 write"#]]);
}

#[test]
fn a_cascade_stops_at_max_fanout() {
    orders(4).remove(ANN).under(&rules("cascade, max_fanout: 3")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 3 `order` referred to the deleted `customer` and were deleted [3]
          order_customer fanout_exceeded customer#ann/order#000 -> customer#ann/- @100 reported: more than 3 items refer to the deleted one [3]
          order_customer delete customer#ann/order#000
          order_customer delete customer#ann/order#001
          order_customer delete customer#ann/order#002
        3 own: 0 requests, 0 read, 0 write
        - customer#ann/order#000
        - customer#ann/order#001
        - customer#ann/order#002
    "#]]);
}

#[test]
fn a_cascade_of_exactly_max_fanout_items_completes() {
    let history = orders(3).remove(ANN);
    history.under(&rules("cascade, max_fanout: 3")).reports(expect!["order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 3 `order` referred to the deleted `customer` and were deleted [3]"]);
}

#[test]
fn items_of_another_kind_are_neither_targets_nor_referencing_items() {
    let of_kinds = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer:
    table: app
    key: { pk: "customer#{customer}", sk: "-" }
    attributes: { kind: S }
    where: { kind: Customer }
  order:
    table: app
    key: { pk: "customer#{customer}", sk: "order#{order}" }
    attributes: { kind: S }
    where: { kind: Order }
references:
  order_customer: { from: order, to: customer, on_delete: cascade }
"#;
    let history = History::new()
        .has("pk: customer#ann, sk: order#1, kind: Order")
        .has("pk: customer#ann, sk: order#2, kind: Draft")
        .remove("pk: customer#ann, sk: '-', kind: Customer")
        .insert("pk: customer#ann, sk: '-', kind: Staff");
    history.under(of_kinds).results_in(expect![[r#"
        2 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/- @100 repaired: 1 `order` referred to the deleted `customer` and was deleted [1]
          order_customer delete customer#ann/order#1
        1 own: 0 requests, 0 read, 0 write
        - customer#ann/order#1 kind: Order
    "#]]);
}

#[test]
fn items_beyond_max_depth_are_counted() {
    let children = (10..22).map(|node| format!("pk: node#{node}, sk: '-', parent: '3'"));
    let history = chain(4).has_all(children).remove("pk: node#0, sk: '-'");
    history.under(TREE).reports(expect![[r#"
        node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
        node_parent orphaned node#2/- -> node#1/- @102 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
        node_parent orphaned node#3/- -> node#2/- @104 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
        node_parent depth_exceeded node#10/- -> node#3/- @106 reported: the cascade has reached its limit of 3 levels; at least 10 `node` still refer to the deleted `node` [10 and more]"#]]);
}

#[test]
fn recreating_the_target_keeps_its_referencing_items() {
    orders(1).remove(ANN).insert(ANN).under(&rules("cascade")).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
    orders(1).remove(ANN).later(1).insert(ANN).under(&rules("cascade")).results_in(expect![[r#"
        1 app: 2 requests, 2 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let recreated = orders(1).remove(ANN).later(60).insert(ANN);
    let recreated = recreated.insert("pk: customer#ann, sk: order#9").again(0);
    recreated.under(&rules("cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 1 `order` referred to the deleted `customer` and was deleted [1]
          order_customer delete customer#ann/order#000
        1 own: 0 requests, 0 read, 0 write
        2 app: 1 requests, 1 read, 0 write
        1 app: 2 requests, 2 read, 0 write
        - customer#ann/order#000
    "#]]);
}

#[test]
fn on_ttl_delete_overrides_a_cascade() {
    let rules = rules("cascade, on_ttl_delete: ignore");
    orders(1).expire(ANN).under(&rules).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    orders(1).remove(ANN).under(&rules).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 1 `order` referred to the deleted `customer` and was deleted [1]
          order_customer delete customer#ann/order#000
        1 own: 0 requests, 0 read, 0 write
        - customer#ann/order#000
    "#]]);
}

#[test]
fn a_cascade_in_observe_mode_lists_every_item() {
    let rules = load(&rules("cascade")).in_mode(Mode::Observe);
    expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 would_repair: 3 `order` still refer to the deleted `customer` and would be deleted [3]
          order_customer would delete customer#ann/order#000
          order_customer would delete customer#ann/order#001
          order_customer would delete customer#ann/order#002
    "#]].assert_eq(&outcome(&rules, &orders(3).remove(ANN)));
}

const INDEXED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { owner: S }
references:
  task_owner:
    from: task
    to: user
    on: { user: "{owner}" }
    find: { index: by_owner, key: { owner: "{user}" } }
    on_delete: ACTION
"#;

#[test]
fn items_found_by_an_index_are_repaired() {
    let history = || {
        History::new()
            .has("pk: user#eve, sk: '-'")
            .has("pk: task#1, sk: '-', owner: ann, name: paint")
            .has("pk: task#2, sk: '-', owner: ann")
            .has("pk: task#3, sk: '-', owner: bob")
            .remove("pk: user#ann, sk: '-'")
    };
    history().under(&INDEXED.replace("ACTION", "unset")).results_in(expect![[r#"
        1 app: 4 requests, 3.5 read, 10 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`; their references were removed [2]
          task_owner update task#1/-: REMOVE owner
          task_owner update task#2/-: REMOVE owner
        2 own: 0 requests, 0 read, 0 write
        - task#1/- name: paint owner: ann
        - task#2/- owner: ann
        + task#1/- name: paint
        + task#2/-
    "#]]);
    history().under(&INDEXED.replace("ACTION", "cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3.5 read, 10 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user` and were deleted [2]
          task_owner delete task#1/-
          task_owner delete task#2/-
        2 own: 0 requests, 0 read, 0 write
        - task#1/- name: paint owner: ann
        - task#2/- owner: ann
    "#]]);
    let default = INDEXED.replace("ACTION", "set_default\n    default: eve");
    history().under(&default).results_in(expect![[r#"
        1 app: 4 requests, 3.5 read, 16 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`; their references were set to the default [2]
          task_owner update task#1/-: SET owner = {"S":"eve"}
          task_owner update task#2/-: SET owner = {"S":"eve"}
        2 own: 1 requests, 1 read, 0 write
        - task#1/- name: paint owner: ann
        - task#2/- owner: ann
        + task#1/- name: paint owner: eve
        + task#2/- owner: eve
    "#]]);
    let missing = INDEXED.replace("ACTION", "set_default\n    default: fay");
    history().under(&missing).results_in(expect![[r#"
        1 app: 5 requests, 4.5 read, 8 write
          task_owner dangling_reference task#1/- -> user#ann/- @100 reported: the referenced `user` was deleted; the item that the default refers to does not exist
          task_owner dangling_reference task#2/- -> user#ann/- @100 reported: the referenced `user` was deleted; the item that the default refers to does not exist
    "#]]);
}

pub(crate) const TREE: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  node:
    table: app
    key: { pk: "node#{node}", sk: "-" }
    attributes: { parent: S }
references:
  node_parent:
    from: node
    to: node
    on: { node: "{parent}" }
    find: { index: by_parent, key: { parent: "{node}" } }
    on_delete: cascade
    max_depth: 3
"#;

fn chain(count: usize) -> History {
    let child = |node: usize| format!("pk: node#{node}, sk: '-', parent: '{}'", node - 1);
    History::new().has_all((1..count).map(child))
}

#[test]
fn a_tree_is_deleted_level_by_level() {
    chain(4).remove("pk: node#0, sk: '-'").under(TREE).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        1 own: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#2/- -> node#1/- @102 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#2/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#2/-
        1 own: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#3/- -> node#2/- @104 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#3/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#3/-
        1 own: 2 requests, 1.5 read, 0 write
        - node#1/- parent: 0
        - node#2/- parent: 1
        - node#3/- parent: 2
    "#]]);
}

#[test]
fn a_cascade_stops_at_max_depth() {
    chain(6).remove("pk: node#0, sk: '-'").under(TREE).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        1 own: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#2/- -> node#1/- @102 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#2/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#2/-
        1 own: 4 requests, 2.5 read, 6 write
          node_parent orphaned node#3/- -> node#2/- @104 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#3/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#3/-
        1 own: 4 requests, 3.5 read, 0 write
          node_parent depth_exceeded node#4/- -> node#3/- @106 reported: the cascade has reached its limit of 3 levels; 1 `node` still refers to the deleted `node` [1]
        - node#1/- parent: 0
        - node#2/- parent: 1
        - node#3/- parent: 2
    "#]]);
}

#[test]
fn a_cascade_around_a_cycle_ends() {
    let circle = History::new()
        .has("pk: node#1, sk: '-', parent: '0'")
        .has("pk: node#2, sk: '-', parent: '2'")
        .remove("pk: node#0, sk: '-', parent: '1'")
        .remove("pk: node#2, sk: '-', parent: '2'");
    circle.under(TREE).results_in(expect![[r#"
        2 app: 5 requests, 4 read, 6 write
          node_parent orphaned node#1/- -> node#0/- @100 repaired: 1 `node` referred to the deleted `node` and was deleted [1]
          node_parent update node#1/-: marked for deletion
        1 own: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        1 own: 2 requests, 1.5 read, 0 write
        - node#1/- parent: 0
    "#]]);
}

#[test]
fn an_item_is_unmarked_if_its_target_exists() {
    let mark = "_referee: {rule: node_parent, depth: 1}";
    let history = History::new()
        .has("pk: node#0, sk: '-'")
        .insert(&format!("pk: node#1, sk: '-', parent: '0', {mark}"));
    history.under(TREE).results_in(expect![[r#"
        1 app: 2 requests, 1 read, 2 write
          node_parent update node#1/-: no longer marked for deletion
        1 own: 0 requests, 0 read, 0 write
        - node#1/- _referee: node_parent@ parent: 0
        + node#1/- parent: 0
    "#]]);
}

/// An application that read the item before it was marked overwrites the whole item. This drops the
/// mark, but does not cancel the delete.
#[test]
fn a_full_overwrite_of_a_marked_item_does_not_cancel_its_delete() {
    let plain = "pk: node#1, sk: '-', parent: '0'";
    let marked = format!("{plain}, _referee: {{rule: node_parent, depth: 1}}");
    let after = format!("{plain}, name: paint");
    let history = |item: &str| History::new().has(item).change(plain, &marked);
    history(plain).change(&marked, &after).under(TREE).results_in(expect![[r#"
        2 app: 2 requests, 1 read, 6 write
          node_parent delete node#1/-
        1 own: 2 requests, 1.5 read, 0 write
        - node#1/- name: paint parent: 0
    "#]]);
    // A new item under the same key was never marked.
    history(plain).remove(&marked).insert(plain).under(TREE).results_in(expect![[r#"
        3 app: 2 requests, 3 read, 0 write
          node_parent dangling_reference node#1/- at parent -> node#0/- @300 reported: the referenced `node` does not exist
    "#]]);
    // An item is kept if it refers to another target by the time it would be deleted.
    let moved = "pk: node#1, sk: '-', parent: '9'";
    history(plain).change(&marked, moved).under(TREE).results_in(expect![[r#"
        2 app: 2 requests, 3 read, 0 write
          node_parent dangling_reference node#1/- at parent -> node#9/- @200 reported: the referenced `node` does not exist
    "#]]);
}

#[test]
fn a_cascade_that_stops_early_does_not_report_max_fanout() {
    let rules = rules("cascade, max_fanout: 3");
    let back = Other::Puts("pk: customer#ann, sk: '-'");
    orders(4).remove(ANN).before(&rules, (1, CallKind::Transact), [back]).results_in(expect![[
        r#"
        1 app: 4 requests, 3 read, 8 write
        1 own: 0 requests, 0 read, 0 write
        + customer#ann/-
    "#
    ]]);
}

/// A recording was made without Referee, so it may update an item that the rules have already
/// deleted in the replay. The update re-creates the item.
#[test]
fn a_replay_applies_an_update_to_an_item_that_it_deleted() {
    let order = "pk: customer#ann, sk: order#000";
    let history = orders(1).remove(ANN).later(60).change(order, &format!("{order}, note: late"));
    history.under(&rules("cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          order_customer orphaned customer#ann/order#000 -> customer#ann/- @100 repaired: 1 `order` referred to the deleted `customer` and was deleted [1]
          order_customer delete customer#ann/order#000
        1 own: 0 requests, 0 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

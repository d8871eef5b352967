//! Writes by others between a check and its repair.

use std::rc::Rc;

use expect_test::expect;
use referee::store::Memory;
use referee::store::memory::CallKind::{BatchGet, Query, Transact};
use referee::store::memory::Fault;

use crate::decisions::large;
use kit::history::{History, load, outcome_on};
use kit::meanwhile::Other::Puts;
use kit::meanwhile::before_requests;

pub(crate) const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { owner: S, watchers: L, by: S }
references:
  task_owner:
    from: task
    to: user
    on: { user: "{owner}" }
    find: { index: by_owner, key: { owner: "{user}" } }
    on_delete: cascade
  task_watchers:
    from: task
    to: user
    on: { user: "{watchers[*]}" }
    find: none
    on_missing: unset
  task_by: { from: task, to: user, on: { user: "{by}" }, find: none, on_missing: revert }
"#;

pub(crate) fn tasks() -> History {
    History::new()
        .has("pk: task#1, sk: '-', owner: ann")
        .has("pk: task#2, sk: '-', owner: ann")
        .has("pk: task#3, sk: '-', owner: ann")
        .remove("pk: user#ann, sk: '-'")
}

#[test]
fn an_item_whose_reference_changed_before_the_repair_is_not_deleted() {
    let others = [Puts("pk: task#2, sk: '-', owner: bob"), Puts("pk: user#bob, sk: '-'")];
    tasks().before(RULES, (1, Transact), others).results_in(expect![[r#"
        1 app: 5 requests, 4.5 read, 18 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user` and were deleted [2]
          task_owner delete task#1/-
          task_owner delete task#3/-
        4 own: 1 requests, 1 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
        + task#2/- owner: bob
        + user#bob/-
    "#]]);
}

#[test]
fn a_target_recreated_before_the_repair_stops_the_cascade() {
    let other = Puts("pk: user#ann, sk: '-'");
    tasks().before(RULES, (1, Transact), [other]).results_in(expect![[r#"
        1 app: 4 requests, 4.5 read, 8 write
        1 own: 0 requests, 0 read, 0 write
        + user#ann/-
    "#]]);
}

#[test]
fn a_recreated_target_stops_the_cascade_on_its_first_page() {
    let tasks = (1..=4).map(|task| large(&format!("pk: task#{task}, sk: '-', owner: ann")));
    let history = History::new().has_all(tasks).remove("pk: user#ann, sk: '-'");
    let back = Puts("pk: user#ann, sk: '-'");
    history.before(RULES, (1, Transact), [back]).costs(expect![[r#"
        1 app: 4 requests, 432 read, 2288 write
        1 own: 0 requests, 0 read, 0 write"#]]);
}

#[test]
fn a_list_element_that_moved_before_the_repair_is_found() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let others = [Puts("pk: task#1, sk: '-', watchers: [cid, bob]"), Puts("pk: user#cid, sk: '-'")];
    history.before(RULES, (1, Transact), others).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[1]
        3 own: 1 requests, 1 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- watchers: [cid]
        + user#cid/-
    "#]]);
}

#[test]
fn an_item_that_changes_faster_than_its_repair_is_redelivered() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let happens = |store: &Memory, (n, kind)| {
        if kind == Transact && n <= 5 {
            let others = vec!["cid"; n].join(", ");
            Puts(&format!("pk: task#1, sk: '-', watchers: [{others}, bob]")).on(store);
        }
        Fault::None
    };
    history.during(RULES, happens).results_in(expect![[r#"
        1 app: 7 requests, 3 read, 20 write
          handed back @100: the item changes faster than it can be repaired
        1 app: 3 requests, 3 read, 4 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[5]
        6 own: 3 requests, 3 read, 4 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#cid/- @101 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[0], REMOVE watchers[1], REMOVE watchers[2], REMOVE watchers[3], REMOVE watchers[4]
        1 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- watchers: []
    "#]]);
}

#[test]
fn an_index_is_queried_after_the_grace_period() {
    let history = || {
        History::new()
            .has("pk: user#ann, sk: '-'")
            .insert("pk: task#1, sk: '-', owner: ann")
            .later(1)
            .remove("pk: user#ann, sk: '-'")
    };
    let lagging = |catches_up: bool| {
        let rules = load(RULES);
        let store = Rc::new(history().store(&rules));
        store.hold_indexes();
        before_requests(&store, move |store, (_, kind)| {
            if catches_up && kind == Query {
                store.advance_indexes(store.unseen());
            }
            Fault::None
        });
        outcome_on(&rules, &history(), &store)
    };
    expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 4 requests, 2.5 read, 6 write
          task_owner orphaned task#1/- -> user#ann/- @200 repaired: 1 `task` referred to the deleted `user` and was deleted [1]
          task_owner delete task#1/-
        1 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
    "#]].assert_eq(&lagging(true));
    // An item that the index does not show by the end of the grace period is not found.
    expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 2 requests, 1.5 read, 0 write
    "#]]
    .assert_eq(&lagging(false));
}

#[test]
fn an_element_added_again_before_the_repair_is_removed_too() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let other = Puts("pk: task#1, sk: '-', watchers: [bob, bob]");
    history.before(RULES, (1, Transact), [other]).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[0], REMOVE watchers[1]
        2 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- watchers: []
    "#]]);
}

#[test]
fn an_insert_that_was_changed_before_the_repair_is_not_reverted() {
    let rules = RULES.replace("on_missing: unset", "on_missing: revert");
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let other = Puts("pk: task#1, sk: '-', watchers: [bob], name: paint");
    history.before(&rules, (2, BatchGet), [other]).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 reported: the referenced `user` does not exist; the write cannot be undone: the item has changed since
        1 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- name: paint watchers: [bob]
    "#]]);
}

#[test]
fn an_update_that_was_changed_before_the_repair_is_not_reverted() {
    let written = "pk: task#1, sk: '-', by: bob, name: paint";
    let history = History::new()
        .has("pk: user#eve, sk: '-'")
        .change("pk: task#1, sk: '-', by: eve, name: paint, done: true", written);
    // Before the repair, the changed attribute is changed again, the removed attribute is set
    // again, or nothing changes.
    for (meanwhile, expected) in [
        (
            "pk: task#1, sk: '-', by: bob, name: build",
            expect![[r#"
                1 app: 3 requests, 3 read, 6 write
                  task_by dangling_reference task#1/- at by -> user#bob/- @100 reported: the referenced `user` does not exist; the write cannot be undone: the item has changed since
                1 own: 0 requests, 0 read, 0 write
                - task#1/- by: bob name: paint
                + task#1/- by: bob name: build
            "#]],
        ),
        (
            "pk: task#1, sk: '-', by: bob, name: paint, done: false",
            expect![[r#"
                1 app: 3 requests, 3 read, 6 write
                  task_by dangling_reference task#1/- at by -> user#bob/- @100 reported: the referenced `user` does not exist; the write cannot be undone: the item has changed since
                1 own: 0 requests, 0 read, 0 write
                - task#1/- by: bob name: paint
                + task#1/- by: bob done: {"BOOL":false} name: paint
            "#]],
        ),
        (
            written,
            expect![[r#"
            1 app: 3 requests, 3 read, 6 write
              task_by dangling_reference task#1/- at by -> user#bob/- @100 repaired: the referenced `user` does not exist
              task_by update task#1/-: SET by = {"S":"eve"}, SET done = {"BOOL":true}
            1 own: 1 requests, 1 read, 0 write
            - task#1/- by: bob name: paint
            + task#1/- by: eve done: {"BOOL":true} name: paint
        "#]],
        ),
    ] {
        history.before(RULES, (1, Transact), [Puts(meanwhile)]).results_in(expected);
    }
}

//! Repairs in whose way something comes: between the look and the leap, and in the database.

use std::rc::Rc;

use expect_test::{Expect, expect};
use futures_util::FutureExt as _;
use referee::data::{JsonItem, into_owned};
use referee::store::memory::{CallKind, Fault};
use referee::store::{Action, CancellationReason, Memory, Store as _, StoreError, Write};

use crate::history::{History, item_json, load, outcome_on};

const RULES: &str = r#"
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

fn tasks() -> History {
    History::new()
        .has("pk: task#1, sk: '-', owner: ann")
        .has("pk: task#2, sk: '-', owner: ann")
        .has("pk: task#3, sk: '-', owner: ann")
        .remove("pk: user#ann, sk: '-'")
}

/// What a history comes to where this happens to the n-th transaction, from one.
fn check(
    history: &History,
    mut happens: impl FnMut(&Memory, usize) -> Fault + 'static,
    expected: &Expect,
) {
    let rules = load(RULES);
    let store = Rc::new(history.store(&rules));
    let (inner, mut transactions) = (Rc::clone(&store), 0);
    store.set_faults(Box::new(move |call| {
        if call.kind != CallKind::Transact {
            return Fault::None;
        }
        transactions += 1;
        happens(&inner, transactions)
    }));
    expected.assert_eq(&outcome_on(&rules, history, &store));
}

/// What becomes of the tasks of a deleted user where this happens to the first transactions.
fn check_tasks(transactions: usize, fault: Fault, expected: &Expect) {
    let happens = move |_: &Memory, transaction| {
        if transaction <= transactions { fault.clone() } else { Fault::None }
    };
    check(&tasks(), happens, expected);
}

/// Somebody else puts an item.
fn put(store: &Memory, text: &str) {
    let json = item_json(text).to_string();
    let item = into_owned(serde_json::from_str::<JsonItem<'_>>(&json).unwrap().0);
    let write = Write { table: "app".to_owned(), action: Action::Put(item), condition: None };
    store.write(write).now_or_never().unwrap().unwrap();
}

/// A cancellation for which these actions are the reason.
fn cancel(count: usize, reasons: &[(usize, CancellationReason)]) -> Fault {
    let reason = |place| {
        let found = reasons.iter().find(|(at, _)| *at == place);
        found.map_or(CancellationReason::None, |(_, reason)| reason.clone())
    };
    Fault::Cancel((0..count).map(reason).collect())
}

#[test]
fn an_item_that_is_pointed_elsewhere_meanwhile_stays() {
    let happens = |store: &Memory, transaction| {
        if transaction == 1 {
            put(store, "pk: task#2, sk: '-', owner: bob");
            put(store, "pk: user#bob, sk: '-'");
        }
        Fault::None
    };
    check(
        &tasks(),
        happens,
        &expect![[r#"
        1 app: 5 requests, 4.5 read, 18 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`: deleted [2]
          task_owner delete task#1/-
          task_owner delete task#3/-
        4 own: 1 requests, 1 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
        + task#2/- owner: bob
        + user#bob/-
    "#]],
    );
}

#[test]
fn a_target_that_comes_back_meanwhile_ends_it() {
    let happens = |store: &Memory, transaction| {
        if transaction == 1 {
            put(store, "pk: user#ann, sk: '-'");
        }
        Fault::None
    };
    check(
        &tasks(),
        happens,
        &expect![[r#"
        1 app: 4 requests, 4.5 read, 8 write
        1 own: 0 requests, 0 read, 0 write
        + user#ann/-
    "#]],
    );
}

#[test]
fn a_target_that_comes_back_ends_it_on_the_first_page() {
    let note = "x".repeat(390_000);
    let tasks = (1..=4).fold(History::new(), |history, task| {
        history.has(&format!("pk: task#{task}, sk: '-', owner: ann, note: {note}"))
    });
    let (rules, history) = (load(RULES), tasks.remove("pk: user#ann, sk: '-'"));
    let store = Rc::new(history.store(&rules));
    let inner = Rc::clone(&store);
    store.set_faults(Box::new(move |call| {
        if call.kind == CallKind::Transact {
            put(&inner, "pk: user#ann, sk: '-'");
        }
        Fault::None
    }));
    let text = outcome_on(&rules, &history, &store);
    expect!["1 app: 4 requests, 432 read, 2288 write"].assert_eq(text.lines().next().unwrap());
}

#[test]
fn an_element_that_moves_meanwhile_is_found_again() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let happens = |store: &Memory, transaction| {
        if transaction == 1 {
            put(store, "pk: task#1, sk: '-', watchers: [cid, bob]");
            put(store, "pk: user#cid, sk: '-'");
        }
        Fault::None
    };
    check(
        &history,
        happens,
        &expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[1]
        3 own: 1 requests, 1 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- watchers: [cid]
        + user#cid/-
    "#]],
    );
}

#[test]
fn an_item_that_never_keeps_still_is_for_the_next_delivery() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let happens = |store: &Memory, transaction| {
        if transaction <= 5 {
            let others = vec!["cid"; transaction].join(", ");
            put(store, &format!("pk: task#1, sk: '-', watchers: [{others}, bob]"));
        }
        Fault::None
    };
    check(
        &history,
        happens,
        &expect![[r#"
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
    "#]],
    );
}

#[test]
fn those_that_others_are_busy_with_hold_nobody_else_back() {
    check_tasks(
        1,
        cancel(4, &[(2, CancellationReason::Conflict)]),
        &expect![[r#"
        1 app: 5 requests, 4.5 read, 10 write
          task_owner delete task#1/-
          task_owner delete task#3/-
          handed back @100: another transaction is under way on the item
        1 app: 4 requests, 2.5 read, 6 write
          task_owner orphaned task#2/- -> user#ann/- @100 repaired: 1 `task` referred to the deleted `user`: deleted [1]
          task_owner delete task#2/-
        3 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
    check_tasks(
        1,
        cancel(4, &[(0, CancellationReason::Throttled)]),
        &expect![[r#"
        1 app: 4 requests, 4.5 read, 0 write
          handed back @100: another transaction is under way on the item
        1 app: 4 requests, 4.5 read, 14 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user`: deleted [3]
          task_owner delete task#1/-
          task_owner delete task#2/-
          task_owner delete task#3/-
        3 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
}

#[test]
fn one_that_cannot_be_repaired_holds_nobody_else_back() {
    check_tasks(
        1,
        cancel(4, &[(3, CancellationReason::Invalid("too large".to_owned()))]),
        &expect![[r#"
        1 app: 5 requests, 4.5 read, 10 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`: deleted [2]
          task_owner dangling_reference task#3/- -> user#ann/- @100 failed: the referenced `user` was deleted; too large
          task_owner delete task#1/-
          task_owner delete task#2/-
        2 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
    "#]],
    );
    // DynamoDB does not always say which one it is.
    check_tasks(
        2,
        Fault::Fail(StoreError::Rejected("too large together".to_owned())),
        &expect![[r#"
        1 app: 7 requests, 4.5 read, 16 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user`: deleted [3]
          task_owner delete task#1/-
          task_owner delete task#2/-
          task_owner delete task#3/-
        3 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
}

#[test]
fn one_that_is_refused_alone_has_failed() {
    check_tasks(
        3,
        Fault::Fail(StoreError::Rejected("too large".to_owned())),
        &expect![[r#"
        1 app: 8 requests, 4.5 read, 12 write
          task_owner orphaned task#2/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`: deleted [2]
          task_owner dangling_reference task#1/- -> user#ann/- @100 failed: the referenced `user` was deleted; too large
          task_owner delete task#2/-
          task_owner delete task#3/-
        2 own: 0 requests, 0 read, 0 write
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
}

#[test]
fn a_cancellation_without_a_reason_is_tried_again_another_time() {
    check_tasks(
        1,
        cancel(4, &[]),
        &expect![[r#"
        1 app: 4 requests, 4.5 read, 0 write
          handed back @100: a transaction was cancelled
        1 app: 4 requests, 4.5 read, 14 write
          task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user`: deleted [3]
          task_owner delete task#1/-
          task_owner delete task#2/-
          task_owner delete task#3/-
        3 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
}

#[test]
fn a_conflict_beside_another_reason_is_met_again_at_once() {
    let gone = CancellationReason::ConditionFailed(None);
    check_tasks(
        1,
        cancel(4, &[(1, gone), (2, CancellationReason::Conflict)]),
        &expect![[r#"
        1 app: 5 requests, 4.5 read, 10 write
          task_owner orphaned task#2/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user`: deleted [2]
          task_owner delete task#2/-
          task_owner delete task#3/-
        2 own: 0 requests, 0 read, 0 write
        - task#2/- owner: ann
        - task#3/- owner: ann
    "#]],
    );
}

#[test]
fn a_guard_that_is_refused_is_nothing_to_try_again() {
    check_tasks(
        1,
        cancel(4, &[(0, CancellationReason::Invalid("no such key".to_owned()))]),
        &expect![[r#"
        1 app: 4 requests, 4.5 read, 0 write
          rejected @100: no such key
    "#]],
    );
}

#[test]
fn an_index_is_looked_at_once_the_grace_is_over() {
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
        let inner = Rc::clone(&store);
        store.set_faults(Box::new(move |call| {
            if catches_up && call.kind == CallKind::Query {
                inner.advance_indexes(inner.unseen());
            }
            Fault::None
        }));
        outcome_on(&rules, &history(), &store)
    };
    expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 4 requests, 2.5 read, 6 write
          task_owner orphaned task#1/- -> user#ann/- @200 repaired: 1 `task` referred to the deleted `user`: deleted [1]
          task_owner delete task#1/-
        1 own: 0 requests, 0 read, 0 write
        - task#1/- owner: ann
    "#]].assert_eq(&lagging(true));
    // What it does not show by then, an audit finds.
    expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 2 requests, 1.5 read, 0 write
    "#]]
    .assert_eq(&lagging(false));
}

#[test]
fn an_element_that_is_added_again_meanwhile_goes_too() {
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let happens = |store: &Memory, transaction| {
        if transaction == 1 {
            put(store, "pk: task#1, sk: '-', watchers: [bob, bob]");
        }
        Fault::None
    };
    check(
        &history,
        happens,
        &expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_watchers update task#1/-: REMOVE watchers[0], REMOVE watchers[1]
        2 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- watchers: []
    "#]],
    );
}

#[test]
fn an_insert_that_was_added_to_meanwhile_is_not_undone() {
    let rules = RULES.replace("on_missing: unset", "on_missing: revert");
    let rules = load(&rules);
    let history = History::new().insert("pk: task#1, sk: '-', watchers: [bob]");
    let store = Rc::new(history.store(&rules));
    let inner = Rc::clone(&store);
    let mut reads = 0;
    store.set_faults(Box::new(move |call| {
        reads += usize::from(call.kind == CallKind::BatchGet);
        if reads == 2 {
            put(&inner, "pk: task#1, sk: '-', watchers: [bob], name: paint");
        }
        Fault::None
    }));
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          task_watchers dangling_reference task#1/- at watchers[0] -> user#bob/- @100 reported: the referenced `user` does not exist; cannot be undone: the item has changed since
        1 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: [bob]
        + task#1/- name: paint watchers: [bob]
    "#]].assert_eq(&outcome_on(&rules, &history, &store));
}

#[test]
fn nothing_is_undone_that_was_written_on_top_of_meanwhile() {
    let written = "pk: task#1, sk: '-', by: bob, name: paint";
    let history = History::new()
        .has("pk: user#eve, sk: '-'")
        .change("pk: task#1, sk: '-', by: eve, name: paint, done: true", written);
    // Another attribute is written; one that was removed is there again; nothing has changed.
    for (meanwhile, expected) in [
        (
            "pk: task#1, sk: '-', by: bob, name: build",
            expect![[r#"
            1 app: 3 requests, 3 read, 6 write
              task_by dangling_reference task#1/- at by -> user#bob/- @100 reported: the referenced `user` does not exist; cannot be undone: the item has changed since
            1 own: 0 requests, 0 read, 0 write
            - task#1/- by: bob name: paint
            + task#1/- by: bob name: build
        "#]],
        ),
        (
            "pk: task#1, sk: '-', by: bob, name: paint, done: false",
            expect![[r#"
            1 app: 3 requests, 3 read, 6 write
              task_by dangling_reference task#1/- at by -> user#bob/- @100 reported: the referenced `user` does not exist; cannot be undone: the item has changed since
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
        let writes = move |store: &Memory, number| {
            if number == 1 {
                put(store, meanwhile);
            }
            Fault::None
        };
        check(&history, writes, &expected);
    }
}

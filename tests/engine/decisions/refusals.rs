//! Repairs whose transactions DynamoDB refuses.

use expect_test::{Expect, expect};
use referee::store::memory::{CallKind, Fault};
use referee::store::{CancellationReason, StoreError};

use crate::decisions::contention::{RULES, tasks};

/// Checks the results for the tasks of a deleted user if this many of the first transactions fail
/// with this fault.
fn check_tasks(transactions: usize, fault: Fault, expected: &Expect) {
    let happens = move |_: &_, (n, kind)| {
        if kind == CallKind::Transact && n <= transactions { fault.clone() } else { Fault::None }
    };
    tasks().during(RULES, happens).results_in(expected);
}

/// Returns a fault that cancels a transaction, with a reason for the action at each given index.
fn cancel(count: usize, reasons: &[(usize, CancellationReason)]) -> Fault {
    let reason = |place| {
        let found = reasons.iter().find(|(at, _)| *at == place);
        found.map_or(CancellationReason::None, |(_, reason)| reason.clone())
    };
    Fault::Cancel((0..count).map(reason).collect())
}

#[test]
fn an_item_in_another_transaction_does_not_delay_the_others() {
    check_tasks(
        1,
        cancel(4, &[(2, CancellationReason::Conflict)]),
        &expect![[r#"
            1 app: 5 requests, 4.5 read, 10 write
              task_owner delete task#1/-
              task_owner delete task#3/-
              handed back @100: another transaction is in progress on the item
            1 app: 4 requests, 2.5 read, 6 write
              task_owner orphaned task#2/- -> user#ann/- @100 repaired: 1 `task` referred to the deleted `user` and was deleted [1]
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
              handed back @100: another transaction is in progress on the item
            1 app: 4 requests, 4.5 read, 14 write
              task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user` and were deleted [3]
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
fn an_item_that_cannot_be_repaired_does_not_block_the_others() {
    check_tasks(
        1,
        cancel(4, &[(3, CancellationReason::Invalid("too large".to_owned()))]),
        &expect![[r#"
            1 app: 5 requests, 4.5 read, 10 write
              task_owner orphaned task#1/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user` and were deleted [2]
              task_owner dangling_reference task#3/- -> user#ann/- @100 failed: the referenced `user` was deleted; too large
              task_owner delete task#1/-
              task_owner delete task#2/-
            2 own: 0 requests, 0 read, 0 write
            - task#1/- owner: ann
            - task#2/- owner: ann
        "#]],
    );
    // DynamoDB does not always say which item is at fault.
    check_tasks(
        2,
        Fault::Fail(StoreError::Rejected("too large together".to_owned())),
        &expect![[r#"
            1 app: 7 requests, 4.5 read, 16 write
              task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user` and were deleted [3]
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
fn an_item_refused_in_its_own_transaction_is_reported_as_failed() {
    check_tasks(
        3,
        Fault::Fail(StoreError::Rejected("too large".to_owned())),
        &expect![[r#"
            1 app: 8 requests, 4.5 read, 12 write
              task_owner orphaned task#2/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user` and were deleted [2]
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
fn a_cancellation_without_a_reason_is_redelivered() {
    check_tasks(
        1,
        cancel(4, &[]),
        &expect![[r#"
            1 app: 4 requests, 4.5 read, 0 write
              handed back @100: a transaction was canceled
            1 app: 4 requests, 4.5 read, 14 write
              task_owner orphaned task#1/- -> user#ann/- @100 repaired: 3 `task` referred to the deleted `user` and were deleted [3]
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
fn a_conflict_beside_another_reason_is_retried_at_once() {
    let gone = CancellationReason::ConditionFailed(None);
    check_tasks(
        1,
        cancel(4, &[(1, gone), (2, CancellationReason::Conflict)]),
        &expect![[r#"
            1 app: 5 requests, 4.5 read, 10 write
              task_owner orphaned task#2/- -> user#ann/- @100 repaired: 2 `task` referred to the deleted `user` and were deleted [2]
              task_owner delete task#2/-
              task_owner delete task#3/-
            2 own: 0 requests, 0 read, 0 write
            - task#2/- owner: ann
            - task#3/- owner: ann
        "#]],
    );
}

#[test]
fn a_refused_condition_check_rejects_the_record() {
    check_tasks(
        1,
        cancel(4, &[(0, CancellationReason::Invalid("no such key".to_owned()))]),
        &expect![[r#"
        1 app: 4 requests, 4.5 read, 0 write
          rejected @100: no such key
    "#]],
    );
}

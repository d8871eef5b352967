//! References whose values are converted in keys, and the index keys that are derived from them.

use expect_test::expect;
use referee::store::memory::CallKind::Transact;

use kit::history::{History, load, outcome};
use kit::meanwhile::Other::Puts;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  user: { table: app, key: { pk: "user#{user:lower}" } }
  task: { table: app, key: { pk: "task#{task}" }, attributes: { owner: S, by: S } }
references:
  task_owner:
    from: task
    to: user
    on: { user: "{owner}" }
    find: { index: by_owner, key: { gs1pk: "user#{user}" } }
    on_missing: unset
  task_by: { from: task, to: user, on: { user: "{by}" }, find: none, on_missing: revert }
"#;

/// Otherwise, two values in different cases could be reverted for ever.
#[test]
fn a_value_in_another_case_is_not_a_new_reference() {
    let history = History::new().change("pk: task#1, by: ann", "pk: task#1, by: ANN");
    expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]
    .assert_eq(&outcome(&load(RULES), &history));
}

#[test]
fn an_index_key_that_gets_another_meaning_before_the_repair_stays() {
    let history = History::new().insert("pk: task#1, owner: Ann, gs1pk: user#ann");
    let other = Puts("pk: task#1, owner: Ann, gs1pk: other");
    history.before(RULES, (1, Transact), [other]).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 10 write
          task_owner dangling_reference task#1 at owner -> user#ann @100 repaired: the referenced `user` does not exist
          task_owner update task#1: REMOVE owner
        2 own: 0 requests, 0 read, 0 write
        - task#1 gs1pk: user#ann owner: Ann
        + task#1 gs1pk: other
    "#]]);
}

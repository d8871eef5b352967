//! What changes between two reads: all is well, and must not look as if it were not.

use expect_test::{Expect, expect};
use referee::store::memory::CallKind;

use crate::history::History;
use crate::meanwhile::Other::Puts;

const MIRRORED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, on_mirror_delete: report, adopt: true }
"#;

/// Someone put an item where a mirror belongs. Its source and the mirror itself come just before
/// the n-th read.
fn check_mirror(n: usize, expected: &Expect) {
    let history = History::new().insert("pk: user#ann, sk: company#acme, note: mine").later(60);
    let others = [
        Puts("pk: company#acme, sk: user#ann, role: lead"),
        Puts("pk: user#ann, sk: company#acme, role: lead, _referee: membership@100"),
    ];
    history.before(MIRRORED, (n, CallKind::BatchGet), others).comes_to(expected);
}

#[test]
fn a_mirror_that_comes_with_its_source_before_it_is_read_stays() {
    check_mirror(
        2,
        &expect![[r#"
        1 app: 3 requests, 3 read, 0 write
        2 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme note: mine
        + company#acme/user#ann role: lead
        + user#ann/company#acme _referee: membership@101 role: lead
    "#]],
    );
}

#[test]
fn a_mirror_that_comes_with_its_source_after_it_was_read_stays() {
    check_mirror(
        3,
        &expect![[r#"
        1 app: 4 requests, 3 read, 1 write
        2 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme note: mine
        + company#acme/user#ann role: lead
        + user#ann/company#acme _referee: membership@101 role: lead
    "#]],
    );
}

const REFERRED_TO: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "profile" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer }
"#;

#[test]
fn a_target_that_comes_back_with_those_who_refer_to_it_was_never_missed() {
    let history = History::new()
        .has("pk: customer#ann, sk: order#1")
        .remove("pk: customer#ann, sk: profile")
        .later(60);
    let others = [Puts("pk: customer#ann, sk: profile"), Puts("pk: customer#ann, sk: order#2")];
    let expected = expect![[r#"
        1 app: 4 requests, 4 read, 0 write
        2 own: 1 requests, 1 read, 0 write
        + customer#ann/order#2
        + customer#ann/profile
    "#]];
    // Between the first look at the target and the query for who refers to it; between that query
    // and the last look at the target.
    for at in [(2, CallKind::Query), (2, CallKind::BatchGet)] {
        history.before(REFERRED_TO, at, others).comes_to(&expected);
    }
}

#[test]
fn what_cannot_be_repaired_is_not_told_of_once_the_target_is_back() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task: { table: app, key: { pk: "task#{task}", sk: "-" }, attributes: { owner: S } }
references:
  task_owner:
    from: task
    to: user
    on: { user: "{owner}" }
    find: { index: by_owner, key: { owner: "{user}" } }
    on_delete: set_default
    default: nobody
"#;
    let history = History::new()
        .has("pk: task#1, sk: '-', owner: ann")
        .remove("pk: user#ann, sk: '-'")
        .later(60);
    history.under(rules).comes_to(expect![[r#"
        1 app: 5 requests, 3.5 read, 6 write
          task_owner dangling_reference task#1/- -> user#ann/- @100 reported: the referenced `user` was deleted; what it would refer to instead does not exist
    "#]]);
    let last = (3, CallKind::BatchGet);
    history.before(rules, last, [Puts("pk: user#ann, sk: '-'")]).comes_to(expect![[r#"
        1 app: 5 requests, 3.5 read, 6 write
        1 own: 0 requests, 0 read, 0 write
        + user#ann/-
    "#]]);
}

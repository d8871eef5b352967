//! What changes between two reads: all is well, and must not look as if it were not.

use expect_test::{Expect, expect};
use referee::store::Memory;
use referee::store::memory::{CallKind, Fault};

use crate::history::History;
use crate::meanwhile::Other;
use crate::meanwhile::Other::Puts;
use crate::orphans;

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
          task_owner dangling_reference task#1/- -> user#ann/- @100 reported: the referenced `user` was deleted; the item that it would refer to instead does not exist
    "#]]);
    let last = (3, CallKind::BatchGet);
    history.before(rules, last, [Puts("pk: user#ann, sk: '-'")]).comes_to(expect![[r#"
        1 app: 5 requests, 3.5 read, 6 write
        1 own: 0 requests, 0 read, 0 write
        + user#ann/-
    "#]]);
}

/// Members who are found by their mirrors.
fn found_by_mirror(action: &str) -> String {
    orphans::MIRRORED.replace(
        "{ mirror: membership }",
        &format!("{{ mirror: membership }}, grace: 10s, {action}"),
    )
}

/// A member whose mirror someone deletes.
fn unmirrored() -> History {
    History::new()
        .has("pk: company#acme, sk: user#ann")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1")
}

/// The mirror by itself would be looked at after two seconds.
#[test]
fn what_a_mirror_hid_has_its_grace_too() {
    let history = unmirrored().later(7).insert("pk: user#ann, sk: user#");
    history.under(&found_by_mirror("on_missing: delete")).comes_to(expect![[r#"
        1 app: 6 requests, 5 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 0 requests, 0 read, 0 write
        + user#ann/company#acme _referee: membership@1
    "#]]);
    unmirrored().under(&found_by_mirror("on_missing: delete")).comes_to(expect![[r#"
        1 app: 8 requests, 6 read, 5 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          member_user dangling_reference company#acme/user#ann -> user#ann/user# @100 repaired: the referenced `user` does not exist
          membership put user#ann/company#acme
          member_user delete company#acme/user#ann
        2 own: 3 requests, 1 read, 2 write
          membership delete user#ann/company#acme
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - company#acme/user#ann
    "#]]);
}

#[test]
fn who_goes_before_its_target_was_never_dangling() {
    let history = unmirrored().has("pk: user#ann, sk: user#");
    let others = [
        Other::Deletes("pk: company#acme, sk: user#ann"),
        Other::Deletes("pk: user#ann, sk: user#"),
    ];
    // Between the look at the source and the one at its target.
    history
        .before(&found_by_mirror("on_missing: report"), (5, CallKind::BatchGet), others)
        .comes_to(expect![[r#"
            1 app: 7 requests, 6 read, 1 write
              membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
              membership put user#ann/company#acme
            3 own: 4 requests, 2 read, 2 write
              membership delete user#ann/company#acme
              membership delete user#ann/company#acme
            1 own: 1 requests, 1 read, 0 write
            - company#acme/user#ann
            - user#ann/user#
        "#]]);
}

#[test]
fn who_becomes_of_another_kind_refers_to_nothing() {
    let rules = found_by_mirror("on_missing: report").replace(
        r##"pk: "company#{company}", sk: "user#{user}" } }"##,
        r##"pk: "company#{company}", sk: "user#{user}" }, attributes: { kind: S }, where: { kind: M } }"##,
    );
    let history = History::new()
        .has("pk: company#acme, sk: user#ann, kind: M")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1");
    let guest = [Puts("pk: company#acme, sk: user#ann, kind: G")];
    // Once its mirror is back, just before it is looked at.
    history.before(&rules, (4, CallKind::BatchGet), guest).tells(expect!["membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not"]);
}

#[test]
fn a_mirror_of_a_source_that_changes_and_changes_is_nobody_elses_doing() {
    let rules = MIRRORED.replace("on_mirror_delete: report, adopt: true", "copy: all");
    let history = History::new().insert("pk: company#acme, sk: user#ann, role: a");
    let happens = |store: &Memory, at| {
        // Just before the mirror is compared with its source, and before the write that puts it
        // right is.
        if at == (1, CallKind::BatchGet) {
            Puts("pk: company#acme, sk: user#ann, role: b").on(store);
        }
        if at == (2, CallKind::BatchGet) {
            Puts("pk: company#acme, sk: user#ann, role: c").on(store);
        }
        Fault::None
    };
    history.during(&rules, happens).comes_to(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        2 own: 3 requests, 1 read, 2 write
          membership put user#ann/company#acme
        2 own: 3 requests, 1 read, 2 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - company#acme/user#ann role: a
        + company#acme/user#ann role: c
        + user#ann/company#acme _referee: membership@105 role: c
    "#]]);
}

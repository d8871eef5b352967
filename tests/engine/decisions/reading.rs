//! Changes between two reads that must not cause a false alarm.

use expect_test::{Expect, expect};
use referee::store::Memory;
use referee::store::memory::{CallKind, Fault};

use crate::decisions::orphans;
use kit::history::History;
use kit::meanwhile::Other;
use kit::meanwhile::Other::Puts;

const MIRRORED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, on_mirror_delete: report, adopt: true }
"#;

/// Another writer has put an item at a mirror's key. The source and the mirror are written just
/// before the n-th read.
fn check_mirror(n: usize, expected: &Expect) {
    let history = History::new().insert("pk: user#ann, sk: company#acme, note: mine").later(60);
    let others = [
        Puts("pk: company#acme, sk: user#ann, role: lead"),
        Puts("pk: user#ann, sk: company#acme, role: lead, _referee: membership@100"),
    ];
    history.before(MIRRORED, (n, CallKind::BatchGet), others).results_in(expected);
}

#[test]
fn a_mirror_written_with_its_source_before_the_read_is_kept() {
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
fn a_mirror_written_with_its_source_after_the_read_is_kept() {
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
fn a_target_recreated_with_its_referencing_items_leaves_no_orphans() {
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
    // The writes happen either between the first read of the target and the query for referencing
    // items, or between that query and the last read of the target.
    for at in [(2, CallKind::Query), (2, CallKind::BatchGet)] {
        history.before(REFERRED_TO, at, others).results_in(&expected);
    }
}

#[test]
fn an_impossible_repair_is_not_reported_once_the_target_exists_again() {
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
    history.under(rules).results_in(expect![[r#"
        1 app: 5 requests, 3.5 read, 6 write
          task_owner dangling_reference task#1/- -> user#ann/- @100 reported: the referenced `user` was deleted; the item that the default refers to does not exist
    "#]]);
    let last = (3, CallKind::BatchGet);
    history.before(rules, last, [Puts("pk: user#ann, sk: '-'")]).results_in(expect![[r#"
        1 app: 5 requests, 3.5 read, 6 write
        1 own: 0 requests, 0 read, 0 write
        + user#ann/-
    "#]]);
}

/// Returns rules that find members by their mirrors, with this action.
fn found_by_mirror(action: &str) -> String {
    orphans::MIRRORED.replace(
        "{ mirror: membership }",
        &format!("{{ mirror: membership }}, grace: 10s, {action}"),
    )
}

/// Returns a history in which another writer deletes a member's mirror.
fn unmirrored() -> History {
    History::new()
        .has("pk: company#acme, sk: user#ann")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1")
}

/// Without the reference, the mirror would be checked after two seconds.
#[test]
fn a_reference_hidden_by_a_deleted_mirror_gets_its_full_grace_period() {
    let history = unmirrored().later(7).insert("pk: user#ann, sk: user#");
    history.under(&found_by_mirror("on_delete: cascade")).results_in(expect![[r#"
        1 app: 8 requests, 7 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 0 requests, 0 read, 0 write
        + user#ann/company#acme _referee: membership@1
    "#]]);
    unmirrored().under(&found_by_mirror("on_delete: cascade")).results_in(expect![[r#"
        1 app: 9 requests, 8 read, 4 write
          member_user orphaned company#acme/user#ann -> user#ann/user# @100 repaired: 1 `member` referred to the deleted `user` and was deleted [1]
          member_user delete company#acme/user#ann
        1 own: 1 requests, 0 read, 1 write
          membership delete user#ann/company#acme
        - company#acme/user#ann
    "#]]);
}

#[test]
fn an_item_deleted_before_its_target_is_never_dangling() {
    let history = unmirrored().has("pk: user#ann, sk: user#");
    let others = [
        Other::Deletes("pk: company#acme, sk: user#ann"),
        Other::Deletes("pk: user#ann, sk: user#"),
    ];
    // The writes happen between the read of the source and the read of its target.
    history
        .before(&found_by_mirror("on_missing: report"), (5, CallKind::BatchGet), others)
        .results_in(expect![[r#"
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
fn an_item_that_leaves_its_entity_has_no_dangling_reference() {
    let rules = found_by_mirror("on_missing: report").replace(
        r##"pk: "company#{company}", sk: "user#{user}" } }"##,
        r##"pk: "company#{company}", sk: "user#{user}" }, attributes: { kind: S }, where: { kind: M } }"##,
    );
    let history = History::new()
        .has("pk: company#acme, sk: user#ann, kind: M")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1");
    let guest = [Puts("pk: company#acme, sk: user#ann, kind: G")];
    // The write happens after the mirror is restored, just before the item is read.
    history.before(&rules, (4, CallKind::BatchGet), guest).reports(expect!["membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not"]);
}

#[test]
fn a_mirror_of_a_source_that_keeps_changing_is_not_reported_as_edited() {
    let rules = MIRRORED.replace("on_mirror_delete: report, adopt: true", "copy: all");
    let history = History::new().insert("pk: company#acme, sk: user#ann, role: a");
    let happens = |store: &Memory, at| {
        // The source changes just before its mirror is compared with it, and again just before the
        // corrected mirror is compared.
        if at == (1, CallKind::BatchGet) {
            Puts("pk: company#acme, sk: user#ann, role: b").on(store);
        }
        if at == (2, CallKind::BatchGet) {
            Puts("pk: company#acme, sk: user#ann, role: c").on(store);
        }
        Fault::None
    };
    history.during(&rules, happens).results_in(expect![[r#"
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

//! `on_mirror_delete: delete_source`: deleting the mirror deletes the source.

use expect_test::expect;

use kit::history::History;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{user}" }
    attributes: { role: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role], on_mirror_delete: delete_source }
"#;

const SOURCE: &str = "pk: company#acme, sk: user#ann, role: admin";
const MIRROR: &str = "pk: user#ann, sk: company#acme, role: admin, _referee: membership@100";

#[test]
fn deleting_a_mirror_deletes_its_source() {
    History::new().insert(SOURCE).later(9).remove(MIRROR).under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 4 requests, 3 read, 4 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @200 repaired: the mirror was deleted, so the rule deletes its source too
          membership delete company#acme/user#ann
        1 own: 1 requests, 0 read, 1 write
        - company#acme/user#ann role: admin
    "#]]);
}

#[test]
fn a_mirror_delete_by_referee_does_not_delete_the_source() {
    let history = History::new().insert(SOURCE).later(9).remove(SOURCE);
    history.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 0 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn a_source_deleted_and_recreated_is_kept() {
    let again = SOURCE.replace("admin", "user");
    let one_batch = History::new().insert(SOURCE).later(9).remove(SOURCE).insert(&again);
    one_batch.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        2 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
    let two = History::new().insert(SOURCE).later(9).remove(SOURCE).later(1).insert(&again);
    two.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 0 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
}

#[test]
fn a_mirror_deleted_while_its_source_changes_is_written_again() {
    let again = SOURCE.replace("admin", "user");
    let history = History::new().insert(SOURCE).later(9).remove(MIRROR).change(SOURCE, &again);
    history.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        2 app: 4 requests, 3 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
}

#[test]
fn a_redelivered_mirror_delete_keeps_a_source_written_since() {
    let history = History::new()
        .insert(SOURCE)
        .later(9)
        .remove(MIRROR)
        .later(9)
        .insert(&SOURCE.replace("admin", "user"))
        .again(1);
    history.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 4 requests, 3 read, 4 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @200 repaired: the mirror was deleted, so the rule deletes its source too
          membership delete company#acme/user#ann
        1 own: 1 requests, 0 read, 1 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 3 requests, 3 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
}

/// The mirror was deleted while its user was missing, so it was written again. The user exists by the
/// time that the record is redelivered.
#[test]
fn a_redelivered_mirror_delete_keeps_a_source_whose_mirror_was_restored() {
    let user = "user: { table: app, key: { pk: \"user#{user}\", sk: \"-\" } }";
    let reference = "member_user: { from: member, to: user, find: { mirror: membership } }";
    let rules = RULES
        .replace("  member:\n", &format!("  {user}\n  member:\n"))
        .replace("mirrors:", &format!("references:\n  {reference}\nmirrors:"));
    let history = History::new()
        .insert(SOURCE)
        .later(9)
        .remove(MIRROR)
        .later(9)
        .insert("pk: user#ann, sk: '-'")
        .again(1);
    history.under(&rules).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 1 write
          member_user dangling_reference company#acme/user#ann -> user#ann/- @100 reported: the referenced `user` does not exist
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 12 requests, 11 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @200 repaired: the source exists and its mirror does not
          member_user orphaned company#acme/user#ann -> user#ann/- @200 reported: 1 `member` still refers to the deleted `user` [1]
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 0 requests, 0 read, 0 write
        1 app: 7 requests, 7 read, 0 write
        + user#ann/company#acme _referee: membership@100 fix 200 role: admin
    "#]]);
}

/// A redelivered old change of the source writes the mirror again before the mirror's delete is
/// processed.
#[test]
fn a_mirror_delete_deletes_the_source_even_if_a_redelivery_restores_the_mirror() {
    let history = History::new().insert(SOURCE).remove(MIRROR);
    history.under(RULES).results_in(expect![[r#"
        2 app: 5 requests, 3 read, 5 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @200 repaired: the mirror was deleted, so the rule deletes its source too
          membership put user#ann/company#acme
          membership delete company#acme/user#ann
        2 own: 4 requests, 1 read, 3 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        - company#acme/user#ann role: admin
    "#]]);
}

/// The worker that announced the delete died. The mirror's insert and the announcement are
/// coalesced.
#[test]
fn an_interrupted_mirror_delete_is_completed() {
    let announced = format!("{MIRROR} deleting");
    let history = History::new().insert(MIRROR).change(MIRROR, &announced);
    history.under(RULES).results_in(expect![[r#"
        2 app: 3 requests, 1 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@100 deleting role: admin
    "#]]);
}

/// Referee's delete is wrong if it lands late, or if the source has been re-created. No later
/// record would write the mirror.
#[test]
fn a_mirror_wrongly_deleted_by_referee_is_written_again() {
    let history = History::new().has(SOURCE).remove(&format!("{MIRROR} deleting"));
    history.under(RULES).results_in(expect![[r#"
        1 app: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 fix 100 role: admin
    "#]]);
    // The source is not deleted if the rule is in observe mode by then.
    let observed = RULES.replace("delete_source }", "delete_source, mode: observe }");
    history.under(&observed).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 would_repair: the source exists and its mirror does not
          membership would put user#ann/company#acme
    "#]]);
}

/// The mirror is written again with its old mark before its delete is processed.
#[test]
fn a_mirror_delete_deletes_the_source_even_if_the_mirror_is_back_in_the_same_batch() {
    let history = History::new().has(SOURCE).remove(MIRROR).insert(MIRROR);
    history.under(RULES).results_in(expect![[r#"
        2 app: 4 requests, 3 read, 4 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the mirror was deleted, so the rule deletes its source too
          membership delete company#acme/user#ann
        1 own: 2 requests, 0 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        - company#acme/user#ann role: admin
        - user#ann/company#acme _referee: membership@100 role: admin
    "#]]);
    // Under other settings, only the last image in the batch counts.
    let restored = RULES.replace("on_mirror_delete: delete_source", "on_mirror_delete: restore");
    history.under(&restored).results_in(expect![[r#"
        2 app: 1 requests, 1 read, 0 write
    "#]]);
    let gone = History::new().has(SOURCE).remove(MIRROR).insert(MIRROR).remove(MIRROR);
    gone.under(&restored).results_in(expect![[r#"
        3 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @300 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 role: admin
    "#]]);
    gone.under(RULES).results_in(expect![[r#"
        3 app: 4 requests, 3 read, 4 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @300 repaired: the mirror was deleted, so the rule deletes its source too
          membership delete company#acme/user#ann
        1 own: 1 requests, 0 read, 1 write
        - company#acme/user#ann role: admin
    "#]]);
}

//! Items that time to live (TTL) deletes: sources, mirrors, and the targets of references. The history begins at 1,700,000,000.

use expect_test::expect;
use kit::history::History;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk], ttl: expires } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { role: S, expires: N } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, copy: COPY, on_mirror_delete: LEAVE }
"#;

const SOURCE: &str = "pk: company#acme, sk: user#ann, role: admin";
const MIRROR: &str = "pk: user#ann, sk: company#acme, role: admin";
const EXPIRED: &str = "expires: 1699999999";
const LATER: &str = "expires: 1800000000";

fn rules(copy: &str, leave: &str) -> String {
    RULES.replace("COPY", copy).replace("LEAVE", leave)
}

/// The mirror has no TTL attribute, so it expires only with its source.
#[test]
fn a_mirror_of_all_attributes_does_not_expire_by_itself() {
    let history = History::new().insert(&format!("{SOURCE}, {LATER}"));
    history.under(&rules("all", "restore")).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 role: admin
    "#]]);
    let deleted = History::new()
        .has(&format!("{MIRROR}, _referee: membership@50"))
        .expire(&format!("{SOURCE}, {EXPIRED}"));
    deleted.under(&rules("all", "restore")).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: admin
    "#]]);
}

/// The mirror was written before the table declared its TTL attribute, or the rule lists it.
fn mirror_expires(source: &str) -> History {
    let mirror = format!("{MIRROR}, {EXPIRED}, _referee: membership@50");
    History::new().has(&format!("{SOURCE}, {source}")).expire(&mirror)
}

#[test]
fn a_mirror_that_expires_before_its_expired_source_is_neither_reported_nor_restored() {
    let expected = expect![[r#"
        1 app: 1 requests, 1 read, 0 write
    "#]];
    for copy in ["all", "[role, expires]"] {
        for leave in ["restore", "delete_source", "report"] {
            mirror_expires(EXPIRED).under(&rules(copy, leave)).results_in(&expected);
        }
    }
}

/// The source's expiry was put off after the mirror was written.
#[test]
fn a_mirror_that_expires_although_its_source_does_not_is_restored() {
    mirror_expires(LATER).under(&rules("[role]", "restore")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@50 role: admin
    "#]]);
    mirror_expires(LATER).under(&rules("[role]", "delete_source")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@50 fix 100 role: admin
    "#]]);
}

/// The mirror expired, and then the source is kept after all. Its change writes the mirror again,
/// even if no copied attribute changes.
#[test]
fn the_mirror_of_an_expired_source_that_is_kept_is_written_again() {
    let (expired, later) = (format!("{SOURCE}, {EXPIRED}"), format!("{SOURCE}, {LATER}"));
    let history = mirror_expires(EXPIRED).later(9).change(&expired, &later);
    history.under(&rules("[role]", "restore")).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@200 role: admin
    "#]]);
    let put_off = History::new().change(&later, &format!("{SOURCE}, expires: 1900000000"));
    put_off.under(&rules("[role]", "restore")).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

const EXPIRING: &str = r#"
version: 1
tables: { app: { key: [pk, sk], ttl: expires } }
entities:
  session: { table: app, key: { pk: "session#{session}", sk: "-" } }
  event: { table: app, key: { pk: "session#{session}", sk: "event#{event}" } }
references:
  event_session: { from: event, to: session, expired: EXPIRED, ACTIONS }
"#;

const EVENT: &str = "pk: session#1, sk: event#1";
const SESSION: &str = "pk: session#1, sk: '-'";

fn expiring(expired: &str, actions: &str) -> String {
    EXPIRING.replace("EXPIRED", expired).replace("ACTIONS", actions)
}

fn written_for(session: &str) -> History {
    History::new().has(&format!("{SESSION}{session}")).insert(EVENT)
}

#[test]
fn an_expired_target_exists_until_ttl_deletes_it_unless_the_rule_says_otherwise() {
    let history = written_for(", expires: 1699999999");
    history.under(&expiring("present", "on_missing: delete")).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
    "#]]);
    history.under(&expiring("absent", "on_missing: delete")).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 4 write
          event_session dangling_reference session#1/event#1 -> session#1/- @100 repaired: the referenced `session` does not exist
          event_session delete session#1/event#1
        1 own: 0 requests, 0 read, 0 write
        - session#1/event#1
    "#]]);
    history.under(&expiring("absent", "on_missing: report")).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          event_session dangling_reference session#1/event#1 -> session#1/- @100 reported: the referenced `session` does not exist
    "#]]);
}

/// The values are those that TTL ignores: a time to come, one of more than five years ago, a text.
#[test]
fn a_target_that_ttl_will_not_delete_exists() {
    let expected = expect![[r#"
        1 app: 1 requests, 1 read, 0 write
    "#]];
    for expires in ["1700086400", "1500000000", "'1699999999'"] {
        let session = format!(", expires: {expires}");
        written_for(&session)
            .under(&expiring("absent", "on_missing: delete"))
            .results_in(&expected);
    }
}

/// The session expires, its delete follows, and the event is deleted for that.
#[test]
fn the_delete_of_an_expired_target_is_answered_by_its_own_action() {
    let history = History::new().has(EVENT).expire(&format!("{SESSION}, expires: 1699999999"));
    let actions = "on_missing: report, on_delete: report, on_ttl_delete: cascade";
    history.under(&expiring("absent", actions)).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          event_session orphaned session#1/event#1 -> session#1/- @100 repaired: 1 `event` referred to the deleted `session` and was deleted [1]
          event_session delete session#1/event#1
        1 own: 0 requests, 0 read, 0 write
        - session#1/event#1
    "#]]);
}

#[test]
fn an_expired_target_is_not_restored_if_it_would_not_exist() {
    let history = History::new().has(EVENT).remove(&format!("{SESSION}, expires: 1699999999"));
    let actions = "on_delete: restore, on_ttl_delete: report";
    history.under(&expiring("absent", actions)).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          event_session orphaned session#1/event#1 -> session#1/- @100 reported: 1 `event` still refers to the deleted `session`; the deleted item has expired [1]
    "#]]);
    history.under(&expiring("present", actions)).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          event_session orphaned session#1/event#1 -> session#1/- @100 repaired: 1 `event` still refers to the deleted `session`, which was restored [1]
          event_session put session#1/-
        1 own: 0 requests, 0 read, 0 write
        + session#1/- expires: 1699999999
    "#]]);
}

#[test]
fn a_reference_is_not_set_to_a_default_that_has_expired() {
    let rules = expiring("absent", "on_missing: set_default, default: none, find: none")
        .replace("from: event", "on: { session: \"{by}\" }, from: event")
        .replace("event#{event}\" }", "event#{event}\" }, attributes: { by: S }");
    let default = |expires| format!("pk: session#none, sk: '-', expires: {expires}");
    let by = |expires| History::new().has(&default(expires)).insert(&format!("{EVENT}, by: gone"));
    by(1_699_999_999).under(&rules).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 6 write
          event_session dangling_reference session#1/event#1 at by -> session#gone/- @100 reported: the referenced `session` does not exist; the item that the default refers to does not exist
    "#]]);
    by(1_700_086_400).under(&rules).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 6 write
          event_session dangling_reference session#1/event#1 at by -> session#gone/- @100 repaired: the referenced `session` does not exist
          event_session update session#1/event#1: SET by = {"S":"none"}
        1 own: 1 requests, 1 read, 0 write
        - session#1/event#1 by: gone
        + session#1/event#1 by: none
    "#]]);
}

/// TTL has deleted the mirror of the expired member, so that the delete of the company did not find
/// it. Then the member is kept after all.
#[test]
fn a_kept_item_whose_mirror_had_expired_is_checked_again() {
    let rules = rules("[role]", "restore").replace(
        "mirrors:",
        "  user: { table: app, key: { pk: \"user#{user}\", sk: user } }\nreferences:\n  member_user: { from: member, to: user, find: { mirror: membership } }\nmirrors:",
    );
    let (expired, later) = (format!("{SOURCE}, {EXPIRED}"), format!("{SOURCE}, {LATER}"));
    let history = mirror_expires(EXPIRED).later(9).remove("pk: user#ann, sk: user");
    let history = history.later(9).change(&expired, &later);
    history.under(&rules).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
        1 app: 1 requests, 1 read, 0 write
        1 app: 3 requests, 3 read, 1 write
          member_user dangling_reference company#acme/user#ann -> user#ann/user @300 reported: the referenced `user` does not exist
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: admin
    "#]]);
}

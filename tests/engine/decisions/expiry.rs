//! Sources and mirrors that time to live (TTL) deletes. The history begins at 1,700,000,000.

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
    let expected = expect![[r#"
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@50 role: admin
    "#]];
    for leave in ["restore", "delete_source"] {
        mirror_expires(LATER).under(&rules("[role]", leave)).results_in(&expected);
    }
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

//! Mirrors with fences from another stream: of a table that was restored or copied, of a stream that
//! was switched off and on, of another Region, or forged.

use expect_test::expect;
use kit::history::History;
use kit::meanwhile::Other::Puts;
use referee::store::memory::CallKind;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { role: S } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
"#;

const SOURCE: &str = "pk: company#acme, sk: user#ann";
const MIRROR: &str = "pk: user#ann, sk: company#acme";

/// A source with this role, and its mirror with a fence higher than any number of the stream.
fn copied(role: &str) -> History {
    History::new()
        .has(&format!("{SOURCE}, role: {role}"))
        .has(&format!("{MIRROR}, role: {role}, _referee: membership@900000"))
}

/// The fence is replaced with the number of the change, so that the next change is not refused.
#[test]
fn a_mirror_with_a_foreign_fence_is_written_when_its_source_changes() {
    let [a, b, c] = ["a", "b", "c"].map(|role| format!("{SOURCE}, role: {role}"));
    let history = copied("a").change(&a, &b).later(9).change(&b, &c);
    history.under(RULES).results_in(expect![[r#"
        1 app: 3 requests, 1 read, 2 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@900000 role: a
        + user#ann/company#acme _referee: membership@200 role: c
    "#]]);
}

#[test]
fn a_mirror_with_a_foreign_fence_is_deleted_with_its_source() {
    let history = || copied("a").remove(&format!("{SOURCE}, role: a"));
    history().under(RULES).results_in(expect![[r#"
        1 app: 3 requests, 1 read, 2 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@900000 role: a
    "#]]);
    let leaving = RULES.replace("copy: [role]", "copy: [role], on_mirror_delete: delete_source");
    history().under(&leaving).results_in(expect![[r#"
        1 app: 4 requests, 1 read, 3 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@900000 role: a
    "#]]);
}

/// Someone edits a mirror, and an old record of its source is delivered again. The edit is left for
/// its own record, because the mirror has the fence of a newer change.
#[test]
fn a_redelivered_record_does_not_correct_a_mirror_of_a_newer_change() {
    let [a, b] = ["a", "b"].map(|role| format!("{SOURCE}, role: {role}"));
    let history = History::new().insert(&a).later(0).change(&a, &b).later(9).again(0);
    history.under(RULES).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 1 read, 1 write
        + user#ann/company#acme _referee: membership@200 role: b
    "#]]);
}

/// If the source changes after it was read, the correction is refused, and that change has a record
/// of its own.
#[test]
fn a_correction_is_made_only_if_the_mirror_is_as_it_was_seen() {
    let [a, b] = ["a", "b"].map(|role| format!("{SOURCE}, role: {role}"));
    let other = Puts("pk: user#ann, sk: company#acme, role: c, _referee: membership@950000");
    let history = copied("a").change(&a, &b);
    history.before(RULES, (2, CallKind::Write), [other]).results_in(expect![[r#"
        1 app: 3 requests, 1 read, 2 write
        1 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@900000 role: a
        + user#ann/company#acme _referee: membership@950000 fix 101 role: b
    "#]]);
}

/// The rule was called `membership`. Its mirrors keep the old name until they are written again.
#[test]
fn a_renamed_rule_still_owns_its_mirrors() {
    let renamed = RULES.replace("membership: {", "members: { was: membership,");
    let [a, b] = ["a", "b"].map(|role| format!("{SOURCE}, role: {role}"));
    let mirror = format!("{MIRROR}, role: a, _referee: membership@50");
    let history = || History::new().has(&format!("{SOURCE}, role: a")).has(&mirror);
    history().change(&a, &b).under(&renamed).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          members put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: a
        + user#ann/company#acme _referee: members@100 role: b
    "#]]);
    history().remove(&a).under(&renamed).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          members delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: a
    "#]]);
    let edited = format!("{MIRROR}, role: x, _referee: membership@50");
    history().change(&mirror, &edited).under(&renamed).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 1 write
          members mirror_stale user#ann/company#acme -> company#acme/user#ann @100 repaired: the mirror differs from its source
          members put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: x
        + user#ann/company#acme _referee: members@50 fix 100 role: a
    "#]]);
    // Without `was`, the mirror counts as another rule's.
    let forgotten = RULES.replace("membership: {", "members: {");
    history().change(&a, &b).under(&forgotten).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          members mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
    "#]]);
}

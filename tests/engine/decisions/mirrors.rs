//! Mirrors of sources that the application writes.

use expect_test::expect;

use kit::history::History;

const LISTED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{user}" }
    attributes: { role: S, since: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role, since] }
"#;

const SOURCE: &str = "pk: company#acme, sk: user#ann";
const MIRROR: &str = "pk: user#ann, sk: company#acme";

/// Returns the source with these attributes.
fn source(attributes: &str) -> String {
    format!("{SOURCE}, {attributes}")
}

/// Returns the mirror with these attributes.
fn mirror(attributes: &str) -> String {
    format!("{MIRROR}, {attributes}")
}

#[test]
fn a_source_is_mirrored_and_the_mirrors_own_record_needs_no_write() {
    let history = History::new().insert(&source("role: admin, notes: secret"));
    history.under(LISTED).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 role: admin
    "#]]);
}

#[test]
fn copy_accepts_all_and_none() {
    let history = History::new().insert(&source("role: admin, list: [1, {a: b}], none: null"));
    history.under(&LISTED.replace("[role, since]", "all")).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 list: [1 ( a: b)] none: {"NULL":true} role: admin
    "#]]);
    let changed = History::new()
        .change(&source("role: admin, kind: x, seen: 1"), &source("role: admin, kind: x, seen: 2"));
    history.under(&LISTED.replace("[role, since]", "none")).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100
    "#]]);
    // Only a change to a copied attribute changes the mirror.
    changed.under(&LISTED.replace("[role, since]", "all")).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 kind: x role: admin seen: 2
    "#]]);
    changed.under(&LISTED.replace("[role, since]", "none")).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn changed_and_removed_attributes_are_copied() {
    let history = History::new()
        .insert(&source("role: admin, since: '2024'"))
        .later(9)
        .change(&source("role: admin, since: '2024'"), &source("role: user"));
    history.under(LISTED).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@200 role: user
    "#]]);
}

#[test]
fn a_change_to_an_attribute_that_is_not_copied_writes_nothing() {
    let history = History::new().change(&source("role: admin"), &source("role: admin, notes: x"));
    history.under(LISTED).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let none = LISTED.replace("[role, since]", "none");
    let history = History::new().change(&source("role: admin"), &source("role: user"));
    history.under(&none).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn copy_accepts_exceptions() {
    let except = LISTED.replace("[role, since]", "{ except: [since] }");
    let inserted = History::new().insert(&source("role: admin, since: '2024', notes: x"));
    inserted.under(&except).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100 notes: x role: admin
    "#]]);
    // A change to an attribute that is left out writes nothing, and someone else's is taken away.
    let changed =
        History::new().change(&source("role: admin, since: '2024'"), &source("role: admin"));
    changed.under(&except).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let edited = History::new()
        .has(&source("role: admin, since: '2024'"))
        .insert(&mirror("role: admin, since: '2024', _referee: membership@1"));
    edited.under(&except).results_in(expect![[r#"
        1 app: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@1 role: admin since: 2024
        + user#ann/company#acme _referee: membership@1 fix 100 role: admin
    "#]]);
}

#[test]
fn deleting_a_source_deletes_its_mirror() {
    let history = History::new()
        .has(&mirror("_referee: membership@1, role: admin"))
        .remove(&source("role: admin"));
    history.under(LISTED).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@1 role: admin
    "#]]);
}

#[test]
fn a_source_with_another_key_gets_another_mirror() {
    let history = History::new()
        .has(&mirror("_referee: membership@1, role: admin"))
        .remove(&source("role: admin"))
        .insert("pk: company#acme, sk: user#bob, role: admin");
    history.under(LISTED).results_in(expect![[r#"
        2 app: 2 requests, 0 read, 2 write
          membership delete user#ann/company#acme
          membership put user#bob/company#acme
        2 own: 1 requests, 2 read, 0 write
        - user#ann/company#acme _referee: membership@1 role: admin
        + user#bob/company#acme _referee: membership@200 role: admin
    "#]]);
}

#[test]
fn several_changes_in_a_batch_cause_one_write() {
    let history = History::new()
        .insert(&source("role: admin"))
        .change(&source("role: admin"), &source("role: user"))
        .remove(&source("role: user"))
        .insert(&source("role: guest"))
        .change(&source("role: guest"), &source("role: guest, notes: x"));
    history.under(LISTED).results_in(expect![[r#"
        5 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@400 role: guest
    "#]]);
}

/// The mirror's fence is the sequence number of the change that it reflects, even after later
/// records.
#[test]
fn a_redelivered_change_changes_nothing() {
    let history = History::new()
        .insert(&source("role: admin"))
        .later(9)
        .change(&source("role: admin"), &source("role: user"))
        .again(0)
        .again(1);
    history.under(LISTED).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 1 read, 1 write
        1 app: 1 requests, 0 read, 1 write
        + user#ann/company#acme _referee: membership@200 role: user
    "#]]);
}

#[test]
fn a_redelivered_delete_keeps_a_later_write() {
    let history = History::new()
        .insert(&source("role: admin"))
        .later(9)
        .remove(&source("role: admin"))
        .later(9)
        .insert(&source("role: user"))
        .again(1)
        .again(0);
    history.under(LISTED).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 1 read, 1 write
        1 app: 2 requests, 1 read, 1 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
}

const KINDS: &str = r#"
version: 1
tables: { app: { key: [pk] }, other: { key: [id] } }
entities:
  member: { table: app, key: { pk: "member#{member}" }, where: { kind: Member, meta.state: live } }
  copy: { table: other, key: { id: "{member}" }, where: { kind: Copy, meta.made.by: referee } }
mirrors:
  copied: { source: member, mirror: copy }
"#;

/// Here an attribute of the source has the same name as the mirror's key attribute.
#[test]
fn a_mirror_has_its_own_key_and_kind() {
    let history =
        History::new().insert("pk: member#1, kind: Member, meta: {state: live, x: 1}, id: z");
    history.under(KINDS).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          copied put other:1
        1 own: 1 requests, 1 read, 0 write
        + other:1 _referee: copied@100 kind: Copy meta: ( made: ( by: referee) state: live x: 1)
    "#]]);
}

#[test]
fn an_item_has_a_mirror_only_while_it_is_a_source() {
    let member = "pk: member#1, kind: Member, meta: {state: live}";
    let guest = "pk: member#1, kind: Member, meta: {state: gone}";
    let history = History::new().change(guest, member).later(9).change(member, guest);
    history.under(KINDS).results_in(expect![[r#"
        1 app: 1 requests, 0 read, 1 write
          copied put other:1
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          copied delete other:1
        1 own: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn an_item_of_another_kind_at_a_mirrors_key_is_ignored() {
    let history = History::new()
        .in_table("other")
        .insert("id: '1', kind: Invoice")
        .change("id: '2', kind: Invoice", "id: '2', kind: Invoice, paid: true")
        .remove("id: '3', kind: Invoice");
    history.under(KINDS).results_in(expect![[r#"
        3 app: 1 requests, 3 read, 0 write
    "#]]);
}

#[test]
fn a_source_whose_mirror_key_would_be_too_long_is_rejected() {
    let reversed =
        LISTED.replace("user#{user}\", sk: \"company#{company}", "u#{user}\", sk: \"of#{company}");
    let long = "x".repeat(1030);
    let history = History::new()
        .insert(&format!("pk: company#{long}, sk: user#ann, role: admin"))
        .insert(&source("role: admin"));
    history.under(&reversed).results_in(expect![[r#"
        2 app: 1 requests, 0 read, 1 write
          membership put u#ann/of#acme
          rejected @100: mirror `membership` cannot be written: the sort key would have 1033 bytes; DynamoDB allows 1024
        1 own: 1 requests, 1 read, 0 write
        + u#ann/of#acme _referee: membership@200 role: admin
    "#]]);
}

/// While the engine waits to confirm the first batch's dangling reference, the source changes.
#[test]
fn a_mirror_written_from_an_outdated_source_is_corrected_silently() {
    let history = History::new()
        .insert(&source("role: admin"))
        .insert(&format!("{}, role: admin", SOURCE.replace("ann", "bob")))
        .later(1)
        .change(&source("role: admin"), &source("role: user"))
        .remove(&format!("{}, role: admin", SOURCE.replace("ann", "bob")));
    let references = "references:\n  waits: { from: member, to: company, find: none }\nmirrors:";
    let waiting = LISTED.replace("mirrors:", references).replace(
        "entities:",
        "entities:\n  company: { table: app, key: { pk: \"company#{company}\", sk: \"-\" } }",
    );
    history.under(&waiting).results_in(expect![[r#"
        2 app: 4 requests, 4 read, 2 write
          waits dangling_reference company#acme/user#ann -> company#acme/- @100 reported: the referenced `company` does not exist
          membership put user#ann/company#acme
          membership put user#bob/company#acme
        2 own: 3 requests, 2 read, 2 write
          membership put user#ann/company#acme
          membership delete user#bob/company#acme
        2 own: 1 requests, 2 read, 0 write
        2 app: 2 requests, 0 read, 2 write
          membership put user#ann/company#acme
          membership delete user#bob/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@300 role: user
    "#]]);
}

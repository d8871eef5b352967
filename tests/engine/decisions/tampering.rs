//! Mirrors that someone else deletes, edits or creates, under every setting of a rule.

use std::collections::BTreeMap;

use expect_test::expect;

use kit::history::History;
use kit::results::Results;

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
  membership: { source: member, mirror: member_of, copy: [role], SETTINGS }
"#;

const SOURCE: &str = "pk: company#acme, sk: user#ann, role: admin";
const MIRROR: &str = "pk: user#ann, sk: company#acme, role: admin, _referee: membership@50";
const EDITED: &str = "pk: user#ann, sk: company#acme, role: owner, _referee: membership@50";
const FOREIGN: &str = "pk: user#ann, sk: company#acme, role: admin, mine: true";

/// Runs a history under every setting of a rule.
trait EverySetting {
    /// Returns the results under every setting, with settings that have equal results listed
    /// together.
    fn under_every_setting(&self) -> Results;
}

impl EverySetting for History {
    fn under_every_setting(&self) -> Results {
        let mut settings_of: BTreeMap<String, Vec<Setting>> = BTreeMap::new();
        for setting in settings() {
            let Setting { mode, delete, edit: (edit, adopt) } = setting;
            let text = format!(
                "mode: {mode}, on_mirror_delete: {delete}, on_mirror_edit: {edit}, adopt: {adopt}"
            );
            let Results(results) = self.under(&RULES.replace("SETTINGS", &text));
            let is_changed = results.lines().any(|line| line.starts_with(['+', '-']));
            assert!(mode == "enforce" || !is_changed, "{text}\n{results}");
            settings_of.entry(results).or_default().push(setting);
        }
        let results =
            settings_of.iter().map(|(results, settings)| format!("{}{results}", names(settings)));
        Results(results.collect::<Vec<_>>().join("\n"))
    }
}

/// A mirror rule's `mode`, `on_mirror_delete`, and `on_mirror_edit` with `adopt`.
struct Setting {
    mode: &'static str,
    delete: &'static str,
    edit: (&'static str, &'static str),
}

/// Returns every setting of a mirror rule.
fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for mode in ["enforce", "observe", "off"] {
        for delete in ["restore", "delete_source", "report"] {
            for edit in ["overwrite", "report"] {
                for adopt in ["false", "true"] {
                    settings.push(Setting { mode, delete, edit: (edit, adopt) });
                }
            }
        }
    }
    settings
}

/// Describes settings briefly: settings that differ in only one option share a line.
fn names(settings: &[Setting]) -> String {
    let mut by_delete: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for Setting { mode, delete, edit: (edit, adopt) } in settings {
        let adopts = if *adopt == "true" { " and adopt" } else { "" };
        by_delete.entry((mode, delete)).or_default().push(format!("{edit}{adopts}"));
    }
    let mut by_edit: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for ((mode, delete), edits) in by_delete {
        let edits = if edits.len() == 4 { "any".to_owned() } else { edits.join(", ") };
        by_edit.entry((mode, edits)).or_default().push(delete);
    }
    let line = |((mode, edits), deletes): ((&str, String), Vec<&str>)| {
        let deletes = if deletes.len() == 3 { "any".to_owned() } else { deletes.join(", ") };
        format!("== {mode} / on delete: {deletes} / on edit: {edits}\n")
    };
    by_edit.into_iter().map(line).collect()
}

#[test]
fn a_deleted_mirror_under_every_setting() {
    History::new().has(SOURCE).remove(MIRROR).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: report / on edit: any
        == observe / on delete: report / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 reported: the source exists and its mirror does not

        == observe / on delete: delete_source / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 would_repair: the mirror was deleted, so the rule deletes its source too
          membership would delete company#acme/user#ann

        == observe / on delete: restore / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 would_repair: the source exists and its mirror does not
          membership would put user#ann/company#acme

        == enforce / on delete: restore / on edit: any
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@50 role: admin

        == enforce / on delete: delete_source / on edit: any
        1 app: 4 requests, 3 read, 4 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the mirror was deleted, so the rule deletes its source too
          membership delete company#acme/user#ann
        1 own: 1 requests, 0 read, 1 write
        - company#acme/user#ann role: admin
    "#]]);
}

#[test]
fn an_edited_mirror_under_every_setting() {
    History::new().has(SOURCE).change(MIRROR, EDITED).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: any / on edit: report, report and adopt
        == observe / on delete: any / on edit: report, report and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 reported: the mirror differs from its source

        == observe / on delete: any / on edit: overwrite, overwrite and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 would_repair: the mirror differs from its source
          membership would put user#ann/company#acme

        == enforce / on delete: any / on edit: overwrite, overwrite and adopt
        1 app: 4 requests, 3 read, 1 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 repaired: the mirror differs from its source
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: owner
        + user#ann/company#acme _referee: membership@50 fix 100 role: admin
    "#]]);
}

#[test]
fn a_mirror_whose_mark_was_removed_under_every_setting() {
    History::new().has(SOURCE).change(MIRROR, FOREIGN).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: any / on edit: overwrite, report, report and adopt
        == observe / on delete: any / on edit: overwrite, report, report and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)

        == observe / on delete: any / on edit: overwrite and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 would_repair: an item that Referee did not write was at the mirror's key
          membership would put user#ann/company#acme

        == enforce / on delete: any / on edit: overwrite and adopt
        1 app: 4 requests, 3 read, 1 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 repaired: an item that Referee did not write was at the mirror's key
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme mine: {"BOOL":true} role: admin
        + user#ann/company#acme _referee: membership@ role: admin
    "#]]);
}

#[test]
fn a_marked_item_without_a_source_under_every_setting() {
    History::new().insert(MIRROR).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: report, restore / on edit: any
        1 app: 2 requests, 1 read, 1 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: admin

        == enforce / on delete: delete_source / on edit: any
        1 app: 3 requests, 1 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme _referee: membership@50 role: admin

        == observe / on delete: any / on edit: report, report and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @100 reported: the mirror exists and its source does not

        == observe / on delete: report, restore / on edit: overwrite, overwrite and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @100 would_repair: the mirror exists and its source does not
          membership would delete user#ann/company#acme

        == observe / on delete: delete_source / on edit: overwrite, overwrite and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @100 would_repair: the mirror exists and its source does not
          membership would update user#ann/company#acme
          membership would delete user#ann/company#acme
    "#]]);
}

#[test]
fn a_foreign_item_without_a_source_under_every_setting() {
    let changed = FOREIGN.replace("true", "false");
    let history =
        History::new().insert(FOREIGN).later(9).change(FOREIGN, &changed).later(9).remove(&changed);
    history.under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write
        1 app: 0 requests, 0 read, 0 write
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: any / on edit: any
        == observe / on delete: any / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at a mirror's key, and the source does not exist
        1 app: 3 requests, 3 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @200 reported: an item that Referee did not write is at a mirror's key, and the source does not exist
        1 app: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn a_foreign_item_at_a_mirrors_key_under_every_setting() {
    History::new().has(SOURCE).insert(FOREIGN).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: any / on edit: overwrite, report, report and adopt
        == observe / on delete: any / on edit: overwrite, report, report and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)

        == observe / on delete: any / on edit: overwrite and adopt
        1 app: 3 requests, 3 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 would_repair: an item that Referee did not write was at the mirror's key
          membership would put user#ann/company#acme

        == enforce / on delete: any / on edit: overwrite and adopt
        1 app: 4 requests, 3 read, 1 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 repaired: an item that Referee did not write was at the mirror's key
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme mine: {"BOOL":true} role: admin
        + user#ann/company#acme _referee: membership@ role: admin
    "#]]);
}

#[test]
fn a_source_whose_mirror_key_is_taken_under_every_setting() {
    let changed = SOURCE.replace("admin", "user");
    let history = History::new()
        .has(FOREIGN)
        .insert(SOURCE)
        .later(9)
        .change(SOURCE, &changed)
        .later(9)
        .remove(&changed);
    history.under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write
        1 app: 0 requests, 0 read, 0 write
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: any / on edit: overwrite, report, report and adopt
        1 app: 1 requests, 0 read, 1 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
        1 app: 1 requests, 0 read, 1 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @200 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
        1 app: 1 requests, 0 read, 1 write

        == enforce / on delete: report, restore / on edit: overwrite and adopt
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership delete user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme mine: {"BOOL":true} role: admin

        == enforce / on delete: delete_source / on edit: overwrite and adopt
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 1 requests, 0 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        1 app: 2 requests, 0 read, 2 write
          membership update user#ann/company#acme
          membership delete user#ann/company#acme
        2 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme mine: {"BOOL":true} role: admin

        == observe / on delete: any / on edit: overwrite, report, report and adopt
        1 app: 2 requests, 2 read, 0 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
        1 app: 2 requests, 2 read, 0 write
          membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @200 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
        1 app: 2 requests, 2 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @300 reported: an item that Referee did not write is at a mirror's key, and the source does not exist

        == observe / on delete: any / on edit: overwrite and adopt
        1 app: 2 requests, 2 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @100 would_repair: an item that Referee did not write was at the mirror's key
          membership would put user#ann/company#acme
        1 app: 2 requests, 2 read, 0 write
          membership mirror_stale user#ann/company#acme -> company#acme/user#ann @200 would_repair: an item that Referee did not write was at the mirror's key
          membership would put user#ann/company#acme
        1 app: 2 requests, 2 read, 0 write
          membership mirror_extra user#ann/company#acme -> company#acme/user#ann @300 reported: an item that Referee did not write is at a mirror's key, and the source does not exist
    "#]]);
}

/// Deleting a foreign item at a mirror's key is not a request to delete the source.
#[test]
fn a_deleted_foreign_item_at_a_mirrors_key_under_every_setting() {
    History::new().has(SOURCE).remove(FOREIGN).under_every_setting().results_in(expect![[r#"
        == off / on delete: any / on edit: any
        1 app: 0 requests, 0 read, 0 write

        == enforce / on delete: report / on edit: any
        == observe / on delete: report / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 reported: the source exists and its mirror does not

        == observe / on delete: delete_source, restore / on edit: any
        1 app: 3 requests, 3 read, 0 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 would_repair: the source exists and its mirror does not
          membership would put user#ann/company#acme

        == enforce / on delete: delete_source, restore / on edit: any
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@ role: admin
    "#]]);
}

#[test]
fn a_mirror_of_another_rule_counts_as_foreign() {
    let other = MIRROR.replace("membership", "other");
    History::new()
        .has(&other)
        .insert(SOURCE)
        .later(9)
        .remove(SOURCE)
        .under_every_setting()
        .results_in(expect![[r#"
            == off / on delete: any / on edit: any
            1 app: 0 requests, 0 read, 0 write
            1 app: 0 requests, 0 read, 0 write

            == enforce / on delete: any / on edit: any
            1 app: 1 requests, 0 read, 1 write
              membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
            1 app: 1 requests, 0 read, 1 write

            == observe / on delete: any / on edit: any
            1 app: 2 requests, 2 read, 0 write
              membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @100 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)
            1 app: 2 requests, 2 read, 0 write
              membership mirror_extra user#ann/company#acme -> company#acme/user#ann @200 reported: an item that Referee did not write is at a mirror's key, and the source does not exist
        "#]]);
}

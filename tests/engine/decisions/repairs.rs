//! `on_missing`: repairs of an item that was written with a reference to a missing target.

use expect_test::expect;

use kit::history::{History, load, outcome};
use referee::rules::model::Mode;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { owner: S, watchers: SS, steps: L, meta.by: S }
references:
  reference: { from: task, to: user, on: { user: "{SOURCE}" }, find: none, on_missing: ACTION }
"#;

fn rules(source: &str, action: &str) -> String {
    RULES.replace("SOURCE", source).replace("ACTION", action)
}

fn with_ann() -> History {
    History::new().has("pk: user#ann, sk: '-'")
}

#[test]
fn on_missing_delete_deletes_the_item() {
    let history = with_ann()
        .insert("pk: task#1, sk: '-', owner: ann")
        .insert("pk: task#2, sk: '-', owner: bob");
    history.under(&rules("owner", "delete")).results_in(expect![[r#"
        2 app: 3 requests, 4 read, 4 write
          reference dangling_reference task#2/- at owner -> user#bob/- @200 repaired: the referenced `user` does not exist
          reference delete task#2/-
        1 own: 0 requests, 0 read, 0 write
        - task#2/- owner: bob
    "#]]);
}

#[test]
fn unset_removes_the_attribute() {
    let history = History::new()
        .insert("pk: task#1, sk: '-', owner: bob, name: paint")
        .insert("pk: task#2, sk: '-', owner: bob, name: build");
    history.under(&rules("owner", "unset")).results_in(expect![[r#"
        2 app: 3 requests, 4 read, 6 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#2/- at owner -> user#bob/- @200 repaired: the referenced `user` does not exist
          reference update task#1/-: REMOVE owner
          reference update task#2/-: REMOVE owner
        2 own: 0 requests, 0 read, 0 write
        - task#1/- name: paint owner: bob
        - task#2/- name: build owner: bob
        + task#1/- name: paint
        + task#2/- name: build
    "#]]);
}

#[test]
fn unset_removes_a_nested_value() {
    let history = History::new().insert("pk: task#1, sk: '-', meta: {by: bob, at: 1}");
    history.under(&rules("meta.by", "unset")).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 4 write
          reference dangling_reference task#1/- at meta.by -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference update task#1/-: REMOVE meta.by
        1 own: 0 requests, 0 read, 0 write
        - task#1/- meta: ( at: 1 by: bob)
        + task#1/- meta: ( at: 1)
    "#]]);
}

#[test]
fn unset_removes_only_the_dangling_elements_of_a_set() {
    let history = with_ann()
        .insert("pk: task#1, sk: '-', watchers: {SS: [ann, bob, cid]}")
        .insert("pk: task#2, sk: '-', watchers: {SS: [bob]}");
    history.under(&rules("watchers[*]", "unset")).results_in(expect![[r#"
        2 app: 4 requests, 7 read, 10 write
          reference dangling_reference task#1/- at watchers[*] -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#1/- at watchers[*] -> user#cid/- @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#2/- at watchers[*] -> user#bob/- @200 repaired: the referenced `user` does not exist
          reference update task#1/-: DELETE watchers {"SS":["bob"]}
          reference update task#2/-: DELETE watchers {"SS":["bob"]}
          reference update task#1/-: DELETE watchers {"SS":["cid"]}
        3 own: 0 requests, 0 read, 0 write
        - task#1/- watchers: <ann bob cid>
        - task#2/- watchers: <bob>
        + task#1/- watchers: <ann>
        + task#2/-
    "#]]);
}

#[test]
fn unset_removes_every_dangling_element_of_a_list() {
    let history = with_ann().insert("pk: task#1, sk: '-', steps: [bob, ann, cid, bob, ann]");
    history.under(&rules("steps[*]", "unset")).results_in(expect![[r#"
        1 app: 5 requests, 6 read, 12 write
          reference dangling_reference task#1/- at steps[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#1/- at steps[2] -> user#cid/- @100 repaired: the referenced `user` does not exist
          reference update task#1/-: REMOVE steps[0], REMOVE steps[3]
          reference update task#1/-: REMOVE steps[1]
        2 own: 0 requests, 0 read, 0 write
        - task#1/- steps: [bob ann cid bob ann]
        + task#1/- steps: [ann ann]
    "#]]);
}

#[test]
fn set_default_replaces_the_value() {
    let default = "set_default, default: ann";
    with_ann()
        .insert("pk: task#1, sk: '-', owner: bob")
        .under(&rules("owner", default))
        .results_in(expect![[r#"
            1 app: 3 requests, 3 read, 6 write
              reference dangling_reference task#1/- at owner -> user#bob/- @100 repaired: the referenced `user` does not exist
              reference update task#1/-: SET owner = {"S":"ann"}
            1 own: 1 requests, 1 read, 0 write
            - task#1/- owner: bob
            + task#1/- owner: ann
        "#]]);
    with_ann()
        .insert("pk: task#1, sk: '-', watchers: {SS: [bob, cid]}")
        .insert("pk: task#2, sk: '-', watchers: {SS: [ann, dan]}")
        .under(&rules("watchers[*]", default))
        .results_in(expect![[r#"
            2 app: 6 requests, 9 read, 24 write
              reference dangling_reference task#1/- at watchers[*] -> user#bob/- @100 repaired: the referenced `user` does not exist
              reference dangling_reference task#1/- at watchers[*] -> user#cid/- @100 repaired: the referenced `user` does not exist
              reference dangling_reference task#2/- at watchers[*] -> user#dan/- @200 repaired: the referenced `user` does not exist
              reference update task#1/-: SET watchers = {"SS":["ann","cid"]}
              reference update task#1/-: SET watchers = {"SS":["ann"]}
              reference update task#2/-: SET watchers = {"SS":["ann"]}
            3 own: 1 requests, 1 read, 0 write
            - task#1/- watchers: <bob cid>
            - task#2/- watchers: <ann dan>
            + task#1/- watchers: <ann>
            + task#2/- watchers: <ann>
        "#]]);
    with_ann()
        .insert("pk: task#1, sk: '-', steps: [bob, ann, bob]")
        .under(&rules("steps[*]", default))
        .results_in(expect![[r#"
            1 app: 3 requests, 4 read, 6 write
              reference dangling_reference task#1/- at steps[0] -> user#bob/- @100 repaired: the referenced `user` does not exist
              reference update task#1/-: SET steps[0] = {"S":"ann"}, SET steps[2] = {"S":"ann"}
            1 own: 0 requests, 0 read, 0 write
            - task#1/- steps: [bob ann bob]
            + task#1/- steps: [ann ann ann]
        "#]]);
}

#[test]
fn a_default_whose_target_is_missing_is_not_set() {
    let default = rules("owner", "set_default, default: ann");
    let history = History::new()
        .insert("pk: task#1, sk: '-', owner: bob")
        .insert("pk: task#2, sk: '-', owner: ann");
    history.under(&default).results_in(expect![[r#"
        2 app: 3 requests, 6 read, 6 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 reported: the referenced `user` does not exist; the item that the default refers to does not exist
          reference dangling_reference task#2/- at owner -> user#ann/- @200 reported: the referenced `user` does not exist; the item that the default refers to does not exist
    "#]]);
}

#[test]
fn revert_undoes_an_update_and_an_insert() {
    let history = with_ann()
        .change(
            "pk: task#1, sk: '-', owner: ann, kind: x, name: paint, done: true",
            "pk: task#1, sk: '-', owner: bob, kind: x, name: build, at: 1",
        )
        .insert("pk: task#2, sk: '-', owner: bob");
    history.under(&rules("owner", "revert")).results_in(expect![[r#"
        2 app: 4 requests, 4 read, 10 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#2/- at owner -> user#bob/- @200 repaired: the referenced `user` does not exist
          reference update task#1/-: SET done = {"BOOL":true}, SET name = {"S":"paint"}, SET owner = {"S":"ann"}, REMOVE at
          reference delete task#2/-
        2 own: 1 requests, 1 read, 0 write
        - task#1/- at: 1 kind: x name: build owner: bob
        - task#2/- owner: bob
        + task#1/- done: {"BOOL":true} kind: x name: paint owner: ann
    "#]]);
}

#[test]
fn revert_does_not_restore_a_dangling_reference() {
    let history =
        History::new().change("pk: task#1, sk: '-', owner: ann", "pk: task#1, sk: '-', owner: bob");
    history.under(&rules("owner", "revert")).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 6 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 reported: the referenced `user` does not exist; the item that the default refers to does not exist
    "#]]);
}

#[test]
fn revert_does_not_undo_a_write_if_the_item_changed_later() {
    let paint = "pk: task#1, sk: '-', owner: bob, name: paint";
    let history = with_ann()
        .change("pk: task#1, sk: '-', owner: ann, name: paint", paint)
        .change(paint, "pk: task#1, sk: '-', owner: bob, name: build");
    history.under(&rules("owner", "revert")).results_in(expect![[r#"
        2 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 reported: the referenced `user` does not exist; the write cannot be undone: the item has changed since
    "#]]);
}

#[test]
fn two_rules_repair_one_item() {
    let two = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { owner: S, by: S }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none, on_missing: unset }
  task_by: { from: task, to: user, on: { user: "{by}" }, find: none, on_missing: unset }
"#;
    let history = History::new().insert("pk: task#1, sk: '-', owner: bob, by: bob");
    history.under(two).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 8 write
          task_owner dangling_reference task#1/- at owner -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_by dangling_reference task#1/- at by -> user#bob/- @100 repaired: the referenced `user` does not exist
          task_owner update task#1/-: REMOVE owner
          task_by update task#1/-: REMOVE by
        2 own: 0 requests, 0 read, 0 write
        - task#1/- by: bob owner: bob
        + task#1/-
    "#]]);
}

#[test]
fn observe_mode_reports_the_repair_it_would_make() {
    let observed = |source, action| {
        let rules = load(&rules(source, action)).in_mode(Mode::Observe);
        let history = with_ann().change(
            "pk: task#1, sk: '-', owner: ann, steps: [ann]",
            "pk: task#1, sk: '-', owner: bob, steps: [ann, bob, bob]",
        );
        outcome(&rules, &history)
    };
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 would_repair: the referenced `user` does not exist
          reference would delete task#1/-
    "#]].assert_eq(&observed("owner", "delete"));
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 would_repair: the referenced `user` does not exist
          reference would update task#1/-: REMOVE owner
    "#]].assert_eq(&observed("owner", "unset"));
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 would_repair: the referenced `user` does not exist
          reference would update task#1/-: SET owner = {"S":"ann"}, SET steps = {"L":[{"S":"ann"}]}
    "#]].assert_eq(&observed("owner", "revert"));
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at steps[1] -> user#bob/- @100 would_repair: the referenced `user` does not exist
          reference would update task#1/-: REMOVE steps[1], REMOVE steps[2]
    "#]].assert_eq(&observed("steps[*]", "unset"));
    expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          reference dangling_reference task#1/- at steps[1] -> user#bob/- @100 would_repair: the referenced `user` does not exist
          reference would update task#1/-: SET steps[1] = {"S":"ann"}, SET steps[2] = {"S":"ann"}
    "#]].assert_eq(&observed("steps[*]", "set_default, default: ann"));
}

#[test]
fn the_default_of_an_element_is_combined_with_the_other_parts_of_its_reference() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { team: S, watchers: L }
references:
  reference:
    from: task
    to: user
    on: { team: "{team}", user: "{watchers[*]}" }
    find: none
    on_missing: set_default
    default: nobody
"#;
    let history = History::new()
        .has("pk: team#a, sk: user#nobody")
        .has("pk: team#a, sk: user#ann")
        .insert("pk: task#1, sk: '-', team: a, watchers: [ann, bob]")
        .insert("pk: task#2, sk: '-', team: b, watchers: [ann]");
    history.under(rules).results_in(expect![[r#"
        2 app: 4 requests, 7 read, 12 write
          reference dangling_reference task#1/- at team, watchers[1] -> team#a/user#bob @100 repaired: the referenced `user` does not exist
          reference dangling_reference task#2/- at team, watchers[0] -> team#b/user#ann @200 reported: the referenced `user` does not exist; the item that the default refers to does not exist
          reference update task#1/-: SET watchers[1] = {"S":"nobody"}
        1 own: 1 requests, 1 read, 0 write
        - task#1/- team: a watchers: [ann bob]
        + task#1/- team: a watchers: [ann nobody]
    "#]]);
}

#[test]
fn revert_ignores_rules_that_are_off() {
    let two = rules("owner", "revert").replace(
        "references:\n",
        "references:\n  unused: { from: task, to: user, on: { user: \"{meta.by}\" }, find: none, mode: off }\n",
    );
    let history = with_ann().change(
        "pk: task#1, sk: '-', owner: ann, meta: { by: eve }",
        "pk: task#1, sk: '-', owner: bob",
    );
    history.under(&two).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 6 write
          reference dangling_reference task#1/- at owner -> user#bob/- @100 repaired: the referenced `user` does not exist
          reference update task#1/-: SET meta = {"M":{"by":{"S":"eve"}}}, SET owner = {"S":"ann"}
        1 own: 1 requests, 1 read, 0 write
        - task#1/- owner: bob
        + task#1/- meta: ( by: eve) owner: ann
    "#]]);
}

#[test]
fn revert_restores_at_most_as_many_references_as_a_transaction_can_check() {
    let with = |count: usize| {
        let users: Vec<String> = (0..count).map(|user| format!("u{user}")).collect();
        let items = users.iter().map(|user| format!("pk: user#{user}, sk: '-'"));
        let before = format!("pk: task#1, sk: '-', steps: [{}]", users.join(", "));
        let after = "pk: task#1, sk: '-', steps: [bob]";
        History::new().has_all(items).change(&before, after).under(&rules("steps[*]", "revert"))
    };
    with(98).reports(expect!["reference dangling_reference task#1/- at steps[0] -> user#bob/- @100 repaired: the referenced `user` does not exist"]);
    with(99).reports(expect!["reference dangling_reference task#1/- at steps[0] -> user#bob/- @100 reported: the referenced `user` does not exist; the write cannot be undone: the previous version refers to more items than one transaction can check"]);
}

#[test]
fn one_attribute_can_supply_several_parts_of_a_reference() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  task: { table: app, key: { pk: "task#{task}", sk: "-" }, attributes: { by: S } }
references:
  reference:
    { from: task, to: user, on: { team: "{by}", user: "{by}" }, find: none, on_missing: unset }
"#;
    History::new().insert("pk: task#1, sk: '-', by: ann").under(rules).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 4 write
          reference dangling_reference task#1/- at by -> team#ann/user#ann @100 repaired: the referenced `user` does not exist
          reference update task#1/-: REMOVE by
        1 own: 0 requests, 0 read, 0 write
        - task#1/- by: ann
        + task#1/-
    "#]]);
}

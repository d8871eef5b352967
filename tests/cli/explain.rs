//! What `referee explain` says about codes, items and names.

#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::path::Path;

use expect_test::expect;

use crate::verbs::{check, folder, referee, write};

#[test]
fn explain_describes_codes() {
    let folder = folder("explain");
    check(
        &folder,
        &["explain", "w005"],
        expect![[r#"
            exit code 0
            --- stdout
            ## W005: `required` has no effect

            All parts of the reference come from the referencing item's key, so every item has them.

            Wrong:

            ```yaml
            references:
              member_company: { from: member, to: company, required: true }
            ```

            ```text
            warning[W005]: the reference `member_company` is always present
             --> referee.yaml:2:58
              |
            2 |   member_company: { from: member, to: company, required: true }
              |                                                          ^^^^ has no effect
              |
              = help: remove it: all parts of the reference come from the item's key
            ```

            Right:

            ```yaml
            references:
              member_company: { from: member, to: company }
            ```
            --- stderr
        "#]],
    );
    check(
        &folder,
        &["explain", "E099"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: there is no code `E099`; did you mean `E059`?
        "#]],
    );
    check(
        &folder,
        &["explain", "EO40"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: there is no code `EO40`; did you mean `E040`?
        "#]],
    );
}

#[test]
fn explain_shows_how_rules_apply_to_items() {
    let folder = folder("explain_item");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/company-user/referee.yaml");
    std::fs::copy(fixture, folder.join("referee.yaml")).unwrap();
    let items = [
        r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "role": {"S": "lead"}}"#,
        r#"{"pk": {"S": "user#ada"}, "sk": {"S": "company#acme"}}"#,
        r#"{"pk": {"S": "user#ada"}, "sk": {"S": "user#"}}"#,
        r#"{"pk": {"S": "settings"}, "sk": {"S": "user#"}}"#,
    ];
    let explained: String = items
        .iter()
        .map(|item| {
            let output = referee(&folder, &["explain", item]).output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    expect![[r#"
        app: company#acme / user#ada
          matches `member`, with company = acme, email = ada
            member_company: refers to app: company#acme / company#; if that item does not exist, the reference is reported
            member_user: refers to app: user#ada / user#; if that item does not exist, the reference is reported
            membership: is mirrored at app: user#ada / company#acme, copying `role`
        app: user#ada / company#acme
          matches `member_of`, with email = ada, company = acme
            membership: mirrors app: company#acme / user#ada; edits are overwritten, and deletes are undone
        app: user#ada / user#
          matches `user`, with email = ada
            member_user: each `member` may refer to it; if it is deleted, the orphans are reported (found in table `app` with `pk` = user#ada and `sk` beginning with company#)
        app: settings / user#
          matches no entity: no rule applies to it
    "#]].assert_eq(&explained);
    for arguments in [
        &["explain", r#"{"pk": {"S": "user#ada"}}"#][..],
        &["explain", r#"{"pk": "user#ada"}"#],
        &["explain", "--table", "users", items[0]],
    ] {
        let output = referee(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

pub(crate) const NAMES: &str = r#"version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{email:lower}", sk: user } }
  task: { table: app, key: { pk: "task#{no:04}", sk: task }, attributes: { owner: S } }
  task_copy: { table: app, key: { pk: "copy#{no}", sk: copy } }
references:
  task_owner:
    from: task
    to: user
    on: { email: "{owner}" }
    none: ""
    on_missing: unset
    on_delete: unset
    find: { index: GSI1, key: { gs1pk: "user#{email}" } }
mirrors:
  copies: { source: task, mirror: task_copy, mode: observe }
"#;

#[test]
#[expect(clippy::too_many_lines, reason = "one file, and the texts for its names")]
fn explain_describes_names_in_words() {
    let folder = folder("names");
    write(&folder, "my.yaml", NAMES);
    for (name, expected) in [
        (
            "task_owner",
            expect![[r#"
            exit code 0
            --- stdout
            `task_owner` is a reference from `task` to `user`.

            An item of `task` refers to the item of `user` whose key has these parts:
              - `{email}` is the attribute `owner` (S)
            An item of `task` without `owner` refers to nothing.
            The value "" counts as absent.

            If an item of `task` is written whose `user` does not exist, and after 2s it still does
            not exist (`grace`), `dangling_reference` is reported, and `owner` and `gs1pk` are removed
            (`on_missing: unset`).
            If an item of `user` is deleted, and after 2s it is still missing (`grace`), the items of
            `task` that refer to it are found by a query of the index `GSI1`. They are reported as
            `orphaned`, and `owner` and `gs1pk` are removed (`on_delete: unset`). At most 10000 items
            are changed (`max_fanout`).
            --- stderr
        "#]],
        ),
        (
            "copies",
            expect![[r#"
            exit code 0
            --- stdout
            `copies` is a mirror rule.

            For each item of `task`, Referee maintains an item of `task_copy` with `pk` = "copy#{no}"
            and `sk` = "copy" and all attributes.
            If an item of `task` changes, its mirror is written again; if it is deleted, its mirror is
            deleted.
            If someone else edits a mirror, it is written again.
            If someone else deletes a mirror, it is written again.
            An item at a mirror's key that Referee did not write is reported and left alone.

            The rule only observes: it reports what it would do, and writes nothing (`mode: observe`).
            --- stderr
        "#]],
        ),
        (
            "task",
            expect![[r#"
            exit code 0
            --- stdout
            `task` is an entity: a kind of item in the table `app`.

            An item belongs to it if
              - `pk` matches "task#{no:04}"
              - `sk` matches "task"

            In these templates,
              - `{no:04}` is a whole number, written with 4 digits and leading zeros

            It refers to `user`: `task_owner`.
            It is mirrored as `task_copy`: `copies`.
            --- stderr
        "#]],
        ),
        (
            "app",
            expect![[r#"
            exit code 0
            --- stdout
            `app` is a table, named `app` in DynamoDB.

            Its key consists of `pk` (S) and `sk` (S).
            In key templates, a capture ends at `#`.
            Its entities are `user`, `task` and `task_copy`.
            --- stderr
        "#]],
        ),
        (
            "orphaned",
            expect![[r#"
            exit code 0
            --- stdout
            `orphaned` is a kind of violation.

            An item was deleted while other items still refer to it. It is reported when the
            referenced item is deleted and is still missing after the rule's `grace`; the violation
            counts the referencing items and lists their keys. `on_delete` and `on_ttl_delete` decide
            what happens to these items.

            Write the deleted item again, or change or delete the items that refer to it.
            --- stderr
        "#]],
        ),
        (
            "tasks",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `tasks` is no code, no kind of violation, and no rule, entity or table of the rule file; did you mean `task`?
        "#]],
        ),
    ] {
        check(&folder, &["explain", "my.yaml", name], expected);
    }
    check(
        &folder,
        &["check", "my.yaml", "--rules", "other.yaml"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: two rule files are given: `other.yaml` and `my.yaml`
    "#]],
    );
    check(
        &folder,
        &["replay", "my.yaml"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the argument EVENT is missing
    "#]],
    );
    check(
        &folder,
        &["guard", "my.yaml", "task", "--operation", "delete"],
        expect![[r##"
        exit code 0
        --- stdout
        {
          "TransactItems": [
            {
              "Delete": {
                "TableName": "app",
                "Key": { "pk": { "S": "task#{no:04}" }, "sk": { "S": "task" } }
              }
            },
            {
              "Delete": {
                "TableName": "app",
                "Key": { "pk": { "S": "copy#{no}" }, "sk": { "S": "copy" } },
                "ConditionExpression": "attribute_not_exists(#pk) OR #_referee.#rule = :rule",
                "ExpressionAttributeNames": { "#pk": "pk", "#_referee": "_referee", "#rule": "rule" },
                "ExpressionAttributeValues": { ":rule": { "S": "copies" } }
              }
            }
          ]
        }
        --- stderr
        note: replace `{no}` with values
        note: `{no:04}` is a whole number, written with 4 digits and leading zeros
    "##]],
    );
}

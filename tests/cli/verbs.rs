//! The command-line tool as a process: its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use kit::transcript::transcript;

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn referee(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).current_dir(folder).env_clear();
    command
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(folder: &Path, arguments: &[&str], expected: Expect) {
    expected.assert_eq(&transcript(&mut referee(folder, arguments)));
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

const FAULTY: &str = "version: 1\ntables: { app: { key: [pk] } }\nentities: {}\nreference: {}\n";

#[test]
fn init_writes_a_valid_file() {
    let folder = folder("init");
    check(
        &folder,
        &["init"],
        expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            wrote `referee.yaml`; adapt it to your tables, then run `referee check`
        "#]],
    );
    check(
        &folder,
        &["check"],
        expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            `referee.yaml` is valid: 1 table, 4 entities, 3 references and 1 mirror
        "#]],
    );
    check(
        &folder,
        &["init"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `referee.yaml` already exists; use `--force` to overwrite it
        "#]],
    );
    check(
        &folder,
        &["init", "other.yaml"],
        expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            wrote `other.yaml`; adapt it to your tables, then run `referee check --rules other.yaml`
        "#]],
    );
    write(&folder, "other.yaml", "");
    check(
        &folder,
        &["init", "--force", "other.yaml"],
        expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            wrote `other.yaml`; adapt it to your tables, then run `referee check --rules other.yaml`
        "#]],
    );
    check(
        &folder,
        &["check", "--rules", "other.yaml", "--json"],
        expect![[r#"
        exit code 0
        --- stdout
        {"type":"summary","errors":0,"warnings":0}
        --- stderr
    "#]],
    );
    check(
        &folder,
        &["init", "absent/referee.yaml"],
        expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: cannot write `absent/referee.yaml`: No such file or directory (os error 2)
    "#]],
    );
}

#[cfg(not(feature = "live"))]
#[test]
fn real_tables_need_the_live_feature() {
    let folder = folder("no_live");
    for option in ["--live", "--endpoint-url=http://localhost:8000"] {
        let expected = expect![[r"
            exit code 2
            --- stdout
            --- stderr
            error: this build of `referee` cannot access AWS
            help: build it with `--features live`
        "]];
        check(&folder, &["check", option], expected);
    }
}

#[test]
fn check_reports_problems() {
    let folder = folder("check");
    check(
        &folder,
        &["check"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error[E001]: cannot read the rule file: No such file or directory (os error 2)
            --> referee.yaml
             = help: create one with `referee init`, or name another file with `--rules`

            `referee.yaml` has 1 error; run `referee explain E001` for details
        "#]],
    );
    write(&folder, "referee.yaml", FAULTY);
    check(
        &folder,
        &["check"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            warning[W001]: the table `app` has no entities
             --> referee.yaml:2:11
              |
            2 | tables: { app: { key: [pk] } }
              |           ^^^ unused

            error[E010]: unknown key `reference` in the rule file
             --> referee.yaml:4:1
              |
            4 | reference: {}
              | ^^^^^^^^^ unknown key
              |
              = help: did you mean `references`?

            `referee.yaml` has 1 error and 1 warning; run `referee explain E010` for details
        "#]],
    );
    check(
        &folder,
        &["check", "--json"],
        expect![[r#"
            exit code 2
            --- stdout
            {"type":"diagnostic","code":"W001","severity":"warning","message":"the table `app` has no entities","file":"referee.yaml","line":2,"column":11,"end_line":2,"end_column":14,"help":null,"notes":[],"labels":[{"line":2,"column":11,"end_line":2,"end_column":14,"text":"unused"}]}
            {"type":"diagnostic","code":"E010","severity":"error","message":"unknown key `reference` in the rule file","file":"referee.yaml","line":4,"column":1,"end_line":4,"end_column":10,"help":"did you mean `references`?","notes":[],"labels":[{"line":4,"column":1,"end_line":4,"end_column":10,"text":"unknown key"}]}
            {"type":"summary","errors":1,"warnings":1}
            --- stderr
        "#]],
    );
    let colored = referee(&folder, &["check", "--color", "always"]).output().unwrap();
    assert!(colored.stderr.windows(2).any(|bytes| bytes == b"\x1b["));
    write(&folder, "referee.yaml", "version: \t1\n");
    check(
        &folder,
        &["check"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error[E011]: the rule file has no `tables`
             --> referee.yaml:1:1
              |
            1 | version:     1
              | ^ `tables` is required
              |
              = help: `tables`: the tables, each under a name that you choose

            error[E011]: the rule file has no `entities`
             --> referee.yaml:1:1
              |
            1 | version:     1
              | ^ `entities` is required
              |
              = help: `entities`: the kinds of item, distinguished by their keys

            `referee.yaml` has 2 errors; run `referee explain E011` for details
        "#]],
    );
}

#[test]
fn the_environment_can_name_the_rule_file() {
    let folder = folder("environment");
    write(
        &folder,
        "rules.yaml",
        "version: 1\ntables: { app: { name: \"${STAGE}-app\", key: [pk] } }\nentities: { a: { table: app, key: { pk: a } } }\n",
    );
    let mut command = referee(&folder, &["check"]);
    let output = command.env("REFEREE_RULES", "rules.yaml").env("STAGE", "dev").output().unwrap();
    expect![[r#"
        `rules.yaml` is valid: 1 table and 1 entity
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

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
            error: there is no code `E099`; did you mean `E069`?
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

#[test]
fn invalid_arguments_exit_with_2() {
    let folder = folder("usage");
    check(
        &folder,
        &["chek"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: unrecognized subcommand 'chek'

          tip: some similar subcommands exist: 'schema', 'check'

        Usage: referee [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    check(
        &folder,
        &["check", "--color", "blue"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'blue' for '--color <WHEN>'
          [possible values: auto, always, never]

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let folder = folder("help");
    check(
        &folder,
        &["schema", "-h"],
        expect![[r#"
            exit code 0
            --- stdout
            Print the JSON Schema of the rule file, for completion in editors

            Usage: referee schema [OPTIONS]

            Options:
              -h, --help  Print help (see more with '--help')

            Global options:
                  --rules <FILE>  The rule file [env: REFEREE_RULES=] [default: referee.yaml]
                  --json          Print results as JSON Lines
                  --color <WHEN>  When to use colour [default: auto] [possible values: auto, always, never]

            Examples:
              # Save the schema for an editor
              referee schema > referee.schema.json

            Exit codes:
              0  nothing is wrong
              1  violations (other than warnings) or rejected records were found
              2  the arguments, the rule file or an input file cannot be used
              3  the command could not finish
            --- stderr
        "#]],
    );
}

#[test]
fn every_shell_has_completions() {
    let folder = folder("completions");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = referee(&folder, &["completions", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(["replay", "completions", "no-drain"].iter().all(|it| script.contains(it)));
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = folder("pipe");
    let mut child = referee(&folder, &["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut messages = String::new();
    child.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
    assert_eq!(messages, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_exits_with_3() {
    let folder = folder("full");
    for arguments in [&["schema"][..], &["explain", "E001"], &["check", "--json"], &["--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = referee(&folder, arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(messages.contains("No space left on device"), "{arguments:?}: {messages}");
    }
}

const NAMES: &str = r#"version: 1
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

#[test]
fn test_compares_cases_with_their_expected_results() {
    let folder = folder("test");
    let stream = folder.join("cases/first/stream");
    std::fs::create_dir_all(&stream).unwrap();
    let event = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/customer-orders/stream");
    let event = std::fs::read_dir(event).unwrap().next().unwrap().unwrap().path();
    std::fs::copy(event, stream.join("1.json")).unwrap();
    let rules = "events/customer-orders/referee.yaml";
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(rules), folder.join("my.yaml"))
        .unwrap();
    let outcome = |arguments: &[&str]| {
        let output = referee(&folder, arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = outcome(&["test", "my.yaml", "cases", "--junit", "report.xml"]);
    assert!(code == Some(1) && text.contains("expected.jsonl differs"), "{text}");
    assert!(text.ends_with("1 case: 0 passed, 1 failed\n"), "{text}");
    let report = std::fs::read_to_string(folder.join("report.xml")).unwrap();
    assert!(report.contains("<testsuite name=\"referee\" tests=\"1\" failures=\"1\""), "{report}");
    let (code, text) = outcome(&["test", "my.yaml", "cases", "--update"]);
    assert!(code == Some(0) && text.contains("updated  cases/first"), "{text}");
    let (code, text) = outcome(&["test", "my.yaml", "cases"]);
    assert!(code == Some(0) && text.contains("passed   cases/first"), "{text}");
    write(&folder, "my.yaml", "version: 2");
    let (code, text) = outcome(&["test", "my.yaml", "cases"]);
    assert!(code == Some(1) && text.contains("error: the rule file has errors"), "{text}");
    let (code, text) = outcome(&["test", "my.yaml"]);
    assert_eq!((code, text.as_str()), (Some(2), ""));
}

#[test]
fn diff_shows_changes_for_data_and_permissions() {
    let folder = folder("diff");
    write(&folder, "old.yaml", NAMES);
    let new = NAMES
        .replace("on_missing: unset", "on_missing: delete")
        .replace("copies: {", "others: {")
        .replace("copy#{no}", "other#{no}");
    write(&folder, "new.yaml", &new);
    check(
        &folder,
        &["diff", "old.yaml", "new.yaml"],
        expect![[r#"
        exit code 0
        --- stdout
        entity `task_copy`: changed
          key: pk: "copy#{no}", sk: "copy" → pk: "other#{no}", sk: "copy"
          data: mirrors that were written stay at their keys, and no rule maintains them
          data: items that no longer belong to it are not checked until they change: run `referee audit`
        reference `task_owner`: changed
          on_missing: unset → delete
          data: the new actions apply to changes from now on
        mirror `copies`: removed
          data: its mirrors stay with their marks; delete them if nothing reads them
        mirror `others`: added
          data: `referee backfill` writes the mirrors of the sources that exist

        permissions of the function:
          + dynamodb:DeleteItem on arn:aws:dynamodb:*:*:table/app, if `dynamodb:LeadingKeys` is task#*
        --- stderr
    "#]],
    );
    check(
        &folder,
        &["diff", "old.yaml", "old.yaml"],
        expect![[r#"
        exit code 0
        --- stdout
        the rules are the same
        --- stderr
    "#]],
    );
}

//! The command-line tool, as a process: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use kit::transcript::transcript;

/// A folder of this test's own, empty.
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
fn init_writes_a_file_that_can_be_used() {
    let folder = folder("init");
    check(
        &folder,
        &["init"],
        expect![[r#"
        exit code 0
        --- stdout
        --- stderr
        wrote `referee.yaml`: change it to your tables, and run `referee check`
    "#]],
    );
    check(
        &folder,
        &["check"],
        expect![[r#"
        exit code 0
        --- stdout
        --- stderr
        `referee.yaml` can be used: 1 table, 4 entities, 3 references and 1 mirror
    "#]],
    );
    check(
        &folder,
        &["init"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `referee.yaml` exists already; `--force` overwrites it
    "#]],
    );
    check(
        &folder,
        &["init", "other.yaml"],
        expect![[r#"
        exit code 0
        --- stdout
        --- stderr
        wrote `other.yaml`: change it to your tables, and run `referee check --rules other.yaml`
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
        wrote `other.yaml`: change it to your tables, and run `referee check --rules other.yaml`
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
fn real_tables_are_out_of_reach_unless_built_in() {
    let folder = folder("no_live");
    for option in ["--live", "--endpoint-url=http://localhost:8000"] {
        let expected = expect![[r"
            exit code 2
            --- stdout
            --- stderr
            error: this `referee` cannot reach tables
            help: build it with `--features live`
        "]];
        check(&folder, &["check", option], expected);
    }
}

#[test]
fn check_shows_the_problems() {
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

            `referee.yaml` has 1 error; `referee explain E001` tells more
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

            `referee.yaml` has 1 error and 1 warning; `referee explain E010` tells more
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

            `referee.yaml` has 2 errors; `referee explain E011` tells more
        "#]],
    );
}

#[test]
fn the_rule_file_may_come_from_the_environment() {
    let folder = folder("environment");
    write(
        &folder,
        "rules.yaml",
        "version: 1\ntables: { app: { name: \"${STAGE}-app\", key: [pk] } }\nentities: { a: { table: app, key: { pk: a } } }\n",
    );
    let mut command = referee(&folder, &["check"]);
    let output = command.env("REFEREE_RULES", "rules.yaml").env("STAGE", "dev").output().unwrap();
    expect![[r#"
        `rules.yaml` can be used: 1 table and 1 entity
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn explain_knows_the_codes() {
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
        error: there is no code `E099`; the codes are E001 and up for errors, W001 and up for warnings
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
fn explain_knows_items() {
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
          is of `member`, with company = acme, email = ada
            member_company: refers to app: company#acme / company#; if that does not exist, it is reported
            member_user: refers to app: user#ada / user#; if that does not exist, it is reported
            membership: is mirrored at app: user#ada / company#acme, with `role`
        app: user#ada / company#acme
          is of `member_of`, with email = ada, company = acme
            membership: mirrors app: company#acme / user#ada; edits are overwritten, and a delete is undone
        app: user#ada / user#
          is of `user`, with email = ada
            member_user: each `member` may refer to it; those that a delete leaves behind are reported, found by table `app` with `pk` = user#ada and `sk` beginning with company#
        app: settings / user#
          is of no entity: no rule looks at it
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
fn mistakes_in_the_arguments_are_usage() {
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
fn a_closed_pipe_ends_quietly() {
    let folder = folder("pipe");
    let mut child = referee(&folder, &["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_incomplete() {
    let folder = folder("full");
    for arguments in [&["schema"][..], &["explain", "E001"], &["check", "--json"], &["--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = referee(&folder, arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
    }
}

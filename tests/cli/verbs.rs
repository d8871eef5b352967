//! The command-line tool as a process: its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use kit::transcript::transcript;

/// An empty folder for a test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn referee(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).current_dir(folder).env_clear();
    command
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
pub(crate) fn check(folder: &Path, arguments: &[&str], expected: Expect) {
    expected.assert_eq(&transcript(&mut referee(folder, arguments)));
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
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

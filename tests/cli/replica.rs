//! `referee audit --replica` of dumps, as processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::process::Command;

use expect_test::expect;
use kit::transcript::transcript;
use tempfile::TempDir;

const RULES: &str = "
version: 1
tables:
  app: { key: [pk] }
  log: { key: [id:N] }
entities:
  user: { table: app, key: { pk: 'user#{user}' } }
";

const TABLES: &str = r#"{
    "app": [
        {"pk": {"S": "user#1"}, "n": {"N": "100"}, "s": {"SS": ["a", "b"]}, "m": {"M": {"a": {"L": []}, "b": {"BOOL": true}}}},
        {"pk": {"S": "user#2"}, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}},
        {"pk": {"S": "user#3"}},
        {"pk": {"S": "group#1"}}
    ],
    "log": [{"id": {"N": "7"}, "aws:rep:updatetime": {"N": "1"}}]
}"#;

const REPLICA: &str = r#"{
    "log": [{"id": {"N": "7.0"}, "aws:rep:updatetime": {"N": "2"}}],
    "app": [
        {"m": {"M": {"b": {"BOOL": true}, "a": {"L": []}}}, "pk": {"S": "user#1"}, "s": {"SS": ["b", "a"]}, "n": {"N": "1e2"}},
        {"pk": {"S": "user#2"}, "n": {"N": "1"}, "s": {"L": [{"S": "a"}, {"S": "b"}]}, "note": {"NULL": true}},
        {"pk": {"S": "group#2"}}
    ]
}"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("referee.yaml", RULES);
        folder.write("a.json", TABLES);
        folder.write("b.json", REPLICA);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// What a command line prints.
    fn run(&self, line: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(line.split(' ')).current_dir(self.0.path()).env_clear();
        transcript(&mut command)
    }
}

#[test]
fn what_differs_between_two_dumps_is_reported() {
    let folder = Folder::new();
    expect![[r#"
        exit code 1
        --- stdout
         difference   item           attributes
        ────────────────────────────────────────
         different    app: user#2    note, s
         extra        app: group#2
         missing      app: user#3
         missing      app: group#1

         table   items   in the replica   missing   extra   different
        ──────────────────────────────────────────────────────────────
         app     4       3                2         1       1
         log     1       1                0         0       0

        5 items, 4 in the replica: 4 differences
        --- stderr
    "#]]
    .assert_eq(&folder.run("audit a.json --replica b.json --threads 1"));
    expect![[r#"
        exit code 1
        --- stdout
        {"type":"difference","table":"app","key":{"pk":{"S":"user#3"}},"kind":"missing"}
        {"type":"difference","table":"app","key":{"pk":{"S":"user#2"}},"kind":"different","attributes":["note","s"]}
        {"type":"summary","complete":true,"items":3,"replica_items":2,"missing":1,"extra":0,"different":1,"problems":0,"tables":[{"table":"app","items":3,"replica_items":2,"missing":1,"extra":0,"different":1},{"table":"log","items":0,"replica_items":0,"missing":0,"extra":0,"different":0}]}
        --- stderr
    "#]].assert_eq(&folder.run("--json audit a.json --replica b.json --where user#"));
    expect![[r#"
        exit code 0
        --- stdout
         table   items   in the replica   missing   extra   different
        ──────────────────────────────────────────────────────────────
         app     4       4                0         0       0
         log     1       1                0         0       0

        5 items, 5 in the replica: 0 differences
        --- stderr
    "#]]
    .assert_eq(&folder.run("audit a.json --replica a.json"));
    expect![[r#"
        exit code 1
        --- stdout
         difference   item          attributes
        ───────────────────────────────────────
         missing      app: user#3

        app: 3 more; --json prints all
         table   items   in the replica   missing   extra   different
        ──────────────────────────────────────────────────────────────
         app     4       3                2         1       1
         log     1       1                0         0       0

        5 items, 4 in the replica: 4 differences
        --- stderr
    "#]]
    .assert_eq(&folder.run("audit a.json --replica b.json --limit 1"));
}

#[test]
fn a_dump_that_cannot_be_read_makes_a_comparison_incomplete() {
    let folder = Folder::new();
    folder.write("cut.json", &REPLICA[..REPLICA.len() - 40]);
    folder.write("twice.json", r#"{"app": [{"pk": {"S": "x"}}, {"pk": {"S": "x"}}]}"#);
    let text = folder.run("--json audit a.json --replica cut.json");
    assert!(text.starts_with("exit code 3"), "{text}");
    expect![[r#"
        exit code 3
        --- stdout
        {"type":"problem","place":"twice.json","error":"has a bad item 1: there is another item with its key; files of several exports may be mixed"}
        {"type":"problem","place":"twice.json","error":"has a bad item 1: there is another item with its key; files of several exports may be mixed"}
        {"type":"summary","complete":false,"items":2,"replica_items":2,"missing":0,"extra":0,"different":0,"problems":2,"tables":[{"table":"app","items":2,"replica_items":2,"missing":0,"extra":0,"different":0},{"table":"log","items":0,"replica_items":0,"missing":0,"extra":0,"different":0}]}
        --- stderr
        error: incomplete: the comparison has 2 problems
    "#]].assert_eq(&folder.run("--json audit twice.json --replica twice.json"));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    let mut all = vec!["--rule x", "--unknown", "--fail-on never", "--sql duckdb"];
    if cfg!(feature = "live") {
        all.extend(["--confirm --live", "--publish"]);
    }
    for options in all {
        let text = folder.run(&format!("audit a.json --replica b.json {options}"));
        assert!(text.starts_with("exit code 2"), "{options}: {text}");
        assert!(text.contains("cannot be used with"), "{options}: {text}");
    }
    expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: cannot read `eu-central-1`: No such file or directory (os error 2)
        help: beside a source, `--replica` is a dump or an export; with `--live`, it is a Region or the URL of an endpoint
    "#]]
    .assert_eq(&folder.run("audit a.json --replica eu-central-1"));
}

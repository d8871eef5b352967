//! `referee repair` and `referee backfill` as processes: their files, output and exit codes.
//!
//! # Layout
//!
//! - `backfill`: `referee backfill`.
//! - `refusals`: arguments and files that cannot be used.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod backfill;
mod refusals;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use kit::transcript::transcript;
use tempfile::TempDir;

const RULES: &str = "
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: '-' } }
  task: { table: app, key: { pk: 'task#{task}', sk: '-' }, attributes: { by: S } }
  copy: { table: app, key: { pk: 'copy', sk: 'task#{task}' } }
references:
  task_by: { from: task, to: user, on: { user: '{by}' }, find: none, on_missing: unset }
mirrors:
  copies: { source: task, mirror: copy }
";

const TABLES: &str = r#"{"app": [
    {"pk": {"S": "task#1"}, "sk": {"S": "-"}, "by": {"S": "bob"}},
    {"pk": {"S": "task#2"}, "sk": {"S": "-"}},
    {"pk": {"S": "copy"}, "sk": {"S": "task#2"}}
]}"#;

/// A folder with rules, tables and findings.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("referee.yaml", RULES);
        folder.write("tables.json", TABLES);
        let audit = folder.command("audit --json tables.json").output().unwrap();
        folder.write("findings.jsonl", std::str::from_utf8(&audit.stdout).unwrap());
        folder
    }

    /// A folder with a plan, too.
    fn planned() -> Self {
        let folder = Self::new();
        let plan = "repair plan --seed tables.json --out plan.jsonl findings.jsonl";
        assert!(folder.command(plan).output().unwrap().status.success());
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments.split(' ')).current_dir(self.path()).env_clear();
        command.stdin(Stdio::null());
        command
    }

    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    fn check(&self, arguments: &str, expected: Expect) {
        expected.assert_eq(&transcript(&mut self.command(arguments)));
    }
}

#[test]
fn a_plan_without_a_file_only_shows_what_it_would_do() {
    let folder = Folder::new();
    folder.check("repair plan --seed tables.json findings.jsonl", expect![[r#"
        exit code 0
        --- stdout
         rule      finding              action       writes   write units
        ──────────────────────────────────────────────────────────────────
         copies    mirror_missing       put_mirror   1        1
         task_by   dangling_reference   unset        1        4

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        2 writes: 5 write units (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
    "#]]);
    folder.check("repair plan --seed tables.json", expect![[r#"
        exit code 0
        --- stdout
         rule      finding              action       writes   write units
        ──────────────────────────────────────────────────────────────────
         copies    mirror_missing       put_mirror   1        1
         task_by   dangling_reference   unset        1        4

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        2 writes: 5 write units (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
    "#]]);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 3);
}

#[test]
fn machines_get_the_plan_and_every_outcome() {
    let folder = Folder::planned();
    let plan = folder.command("repair plan --json --seed tables.json findings.jsonl").output();
    assert_eq!(String::from_utf8(plan.unwrap().stdout).unwrap(), folder.read("plan.jsonl"));
    folder.check(
        "repair apply --json --yes --seed tables.json --dump new.json plan.jsonl",
        expect![[r#"
            exit code 0
            --- stdout
            {"type":"write","number":1,"finding":"7afb97296fc8d850","rule":"task_by","action":"unset","table":"app","key":{"pk":{"S":"task#1"},"sk":{"S":"-"}},"outcome":"applied"}
            {"type":"write","number":2,"finding":"2a84069bef79a0f2","rule":"copies","action":"put_mirror","table":"app","key":{"pk":{"S":"copy"},"sk":{"S":"task#1"}},"outcome":"applied"}
            {"type":"summary","writes":2,"outcomes":{"applied":2,"changed":0,"done_earlier":0,"failed":0,"fixed":0},"write_units":5.0}
            --- stderr
        "#]],
    );
    folder.check("repair verify --json --seed tables.json plan.jsonl", expect![[r#"
        exit code 1
        --- stdout
        {"type":"violation","id":"7afb97296fc8d850","rule":"task_by","kind":"dangling_reference","severity":"error","referencing":{"table":"app","key":{"pk":{"S":"task#1"},"sk":{"S":"-"}}},"referenced":{"table":"app","key":{"pk":{"S":"user#bob"},"sk":{"S":"-"}}},"path":"by","sequence":null,"action":"reported","detail":"the referenced `user` does not exist"}
        {"type":"violation","id":"2a84069bef79a0f2","rule":"copies","kind":"mirror_missing","severity":"error","referencing":{"table":"app","key":{"pk":{"S":"copy"},"sk":{"S":"task#1"}}},"referenced":{"table":"app","key":{"pk":{"S":"task#1"},"sk":{"S":"-"}}},"path":null,"sequence":null,"action":"reported","detail":"the source exists and its mirror does not"}
        {"type":"violation","id":"4bfedb0ebb2632b1","rule":"copies","kind":"mirror_unmarked","severity":"error","referencing":{"table":"app","key":{"pk":{"S":"copy"},"sk":{"S":"task#2"}}},"referenced":{"table":"app","key":{"pk":{"S":"task#2"},"sk":{"S":"-"}}},"path":null,"sequence":null,"action":"reported","detail":"an item that Referee did not write is at the mirror's key; it equals the mirror, but has no mark"}
        {"type":"summary","complete":true,"violations":3,"warnings":0}
        --- stderr
    "#]]);
    folder.check("repair verify --json --seed new.json plan.jsonl", expect![[r#"
        exit code 1
        --- stdout
        {"type":"violation","id":"4bfedb0ebb2632b1","rule":"copies","kind":"mirror_unmarked","severity":"error","referencing":{"table":"app","key":{"pk":{"S":"copy"},"sk":{"S":"task#2"}}},"referenced":{"table":"app","key":{"pk":{"S":"task#2"},"sk":{"S":"-"}}},"path":null,"sequence":null,"action":"reported","detail":"an item that Referee did not write is at the mirror's key; it equals the mirror, but has no mark"}
        {"type":"summary","complete":true,"violations":1,"warnings":0}
        --- stderr
    "#]]);
    folder.check("repair undo --json --yes --seed new.json plan.jsonl.journal", expect![[r#"
        exit code 0
        --- stdout
        {"type":"write","number":2,"finding":"2a84069bef79a0f2","rule":"copies","table":"app","key":{"pk":{"S":"copy"},"sk":{"S":"task#1"}},"outcome":"undone"}
        {"type":"write","number":1,"finding":"7afb97296fc8d850","rule":"task_by","table":"app","key":{"pk":{"S":"task#1"},"sk":{"S":"-"}},"outcome":"undone"}
        {"type":"summary","writes":2,"outcomes":{"done_earlier":0,"failed":0,"kept":0,"not_made":0,"undone":2},"write_units":2.0}
        --- stderr
    "#]]);
}

#[test]
fn findings_come_from_standard_input_too() {
    let folder = Folder::new();
    let mut command = folder.command("repair plan --seed tables.json -");
    let findings = File::open(folder.path().join("findings.jsonl")).unwrap();
    expect![[r#"
        exit code 0
        --- stdout
         rule      finding              action       writes   write units
        ──────────────────────────────────────────────────────────────────
         copies    mirror_missing       put_mirror   1        1
         task_by   dangling_reference   unset        1        4

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        2 writes: 5 write units (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
    "#]].assert_eq(&transcript(command.stdin(findings)));
}

#[test]
fn findings_that_may_not_be_all_are_mentioned() {
    let folder = Folder::new();
    let findings = folder.read("findings.jsonl");
    let (all, _) = findings.trim_end().rsplit_once('\n').unwrap();
    folder.write("cut.jsonl", &format!("{all}\n"));
    folder.check("repair plan --seed tables.json cut.jsonl", expect![[r#"
        exit code 0
        --- stdout
         rule      finding              action       writes   write units
        ──────────────────────────────────────────────────────────────────
         copies    mirror_missing       put_mirror   1        1
         task_by   dangling_reference   unset        1        4

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        2 writes: 5 write units (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
        warning: `cut.jsonl`: the findings have no summary: they may be cut off
    "#]]);
    folder.write("incomplete.jsonl", r#"{"type":"summary","complete":false}"#);
    folder.check("repair plan --seed tables.json incomplete.jsonl", expect![[r#"
        exit code 0
        --- stdout
        0 writes: 0 write units (less than 0.01 USD on demand in us-east-1, without indexes); 0 findings without a write
        --- stderr
        warning: `incomplete.jsonl`: the audit was incomplete: there may be more findings
    "#]]);
}

/// A journal that a crash cut off continues, and its rest is removed.
#[test]
fn a_journal_that_was_cut_off_continues() {
    let folder = Folder::planned();
    let apply = "repair apply --yes --seed tables.json --dump new.json plan.jsonl";
    assert!(folder.command(apply).output().unwrap().status.success());
    let whole = folder.read("plan.jsonl.journal");
    let header = whole.find('\n').unwrap() + 1;
    for length in (header..whole.len()).step_by(37) {
        folder.write("plan.jsonl.journal", &whole[..length]);
        assert!(
            folder
                .command("repair apply --yes --seed new.json plan.jsonl")
                .status()
                .unwrap()
                .success()
        );
        let journal = folder.read("plan.jsonl.journal");
        let lines = &whole[..=whole[..length].rfind('\n').unwrap()];
        assert!(journal.starts_with(lines), "{length}");
    }
    let mut file =
        File::options().append(true).open(folder.path().join("plan.jsonl.journal")).unwrap();
    file.write_all(b"{\"sum\"").unwrap();
    folder.check(
        "repair undo --yes --seed new.json plan.jsonl.journal",
        expect![[r#"
        exit code 0
        --- stdout
        2 writes: 2 undone; 2 write units
        --- stderr
    "#]],
    );
}

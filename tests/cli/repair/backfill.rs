//! `referee backfill`.

use expect_test::expect;

use super::Folder;

#[test]
fn a_backfill_writes_only_when_asked_to() {
    let folder = Folder::new();
    folder.check("backfill --seed tables.json findings.jsonl", expect![[r#"
        exit code 0
        --- stdout
         rule     finding          action       writes   write units
        ─────────────────────────────────────────────────────────────
         copies   mirror_missing   put_mirror   1        1

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        1 write: 1 write unit (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
    "#]]);
    assert!(!folder.path().join("backfill.jsonl").exists());
    folder.check(
        "backfill --seed tables.json --adopt --apply --dump new.json findings.jsonl",
        expect![[r#"
            exit code 0
            --- stdout
            2 writes: 2 applied; 2 write units
            --- stderr
        "#]],
    );
    folder.check(
        "audit new.json",
        expect![[r#"
            exit code 1
            --- stdout
             violation            rule      item              refers to
            ────────────────────────────────────────────────────────────────────
             dangling_reference   task_by   app: task#1 / -   app: user#bob / -

             rule      checked   broken   %
            ─────────────────────────────────────
             task_by   1         1        100.00
             copies    2         0        0.00

            4 items: 1 violation, 0 warnings
            no item matched: entity `user`
            --- stderr
        "#]],
    );
    folder.check(
        "backfill --seed new.json --apply findings.jsonl",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `backfill.jsonl.journal` is the journal of an earlier backfill
        help: continue it with `--resume`, name another file with `--plan`, or delete it
    "#]],
    );
    folder.check(
        "backfill --seed new.json --apply --resume",
        expect![[r#"
        exit code 0
        --- stdout
        2 writes: 2 done earlier; 0 write units
        --- stderr
    "#]],
    );
    folder.check(
        "repair undo --yes --seed new.json --dump old.json backfill.jsonl.journal",
        expect![[r#"
            exit code 0
            --- stdout
            2 writes: 2 undone; 2 write units
            --- stderr
        "#]],
    );
    folder.check("backfill --seed old.json", expect![[r#"
        exit code 0
        --- stdout
         rule     finding          action       writes   write units
        ─────────────────────────────────────────────────────────────
         copies   mirror_missing   put_mirror   1        1

         rule     finding without a write   count   reason
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         copies   mirror_unmarked           1       an item that Referee did not write is at the mirror's key; `--adopt` marks those that equal the mirror

        1 write: 1 write unit (less than 0.01 USD on demand in us-east-1, without indexes); 1 finding without a write
        --- stderr
    "#]]);
    folder.check(
        "backfill --seed old.json --resume",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: the following required arguments were not provided:
              --apply

            Usage: referee backfill --apply --seed <FILE> --resume [FINDINGS]...

            For more information, try '--help'.
        "#]],
    );
}

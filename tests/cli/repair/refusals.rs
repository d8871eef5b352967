//! Arguments and files that cannot be used.

use std::fs::File;

use expect_test::expect;

use super::{Folder, RULES};

#[test]
fn arguments_that_cannot_be_used_are_refused() {
    let folder = Folder::new();
    for (arguments, expected) in [
        (
            "repair plan --seed tables.json none.jsonl",
            expect![[r#"
                exit code 2
                --- stdout
                --- stderr
                error: cannot read `none.jsonl`: No such file or directory (os error 2)
            "#]],
        ),
        (
            "repair plan --seed tables.json --action none=unset findings.jsonl",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: the rule file has no rule `none`
        "#]],
        ),
        (
            "repair plan --seed tables.json --action task_by findings.jsonl",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: invalid value 'task_by' for '--action <RULE=ACTION>': it must be of the form RULE=ACTION

            For more information, try '--help'.
        "#]],
        ),
        (
            "repair plan --seed tables.json tables.json",
            expect![[r#"
                exit code 2
                --- stdout
                --- stderr
                error: line 1 is not a line of `referee audit --json`: EOF while parsing a list
            "#]],
        ),
        (
            "repair apply --seed tables.json --yes none.jsonl",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: cannot read the plan `none.jsonl`: No such file or directory (os error 2)
        "#]],
        ),
        (
            "repair apply --seed tables.json --yes findings.jsonl",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `findings.jsonl`: not a plan of `referee repair plan`
        "#]],
        ),
        (
            "repair apply --seed tables.json --yes --write-units 0 plan.jsonl",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: invalid value '0' for '--write-units <NUMBER>': it must be a number greater than 0

            For more information, try '--help'.
        "#]],
        ),
        (
            "repair undo --seed tables.json --yes none.journal",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: cannot open the journal `none.journal`: No such file or directory (os error 2)
        "#]],
        ),
        (
            "repair undo --seed tables.json --yes tables.json",
            expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `tables.json`: not a journal of `referee repair apply`
            help: name another file
        "#]],
        ),
    ] {
        folder.check(arguments, expected);
    }
}

#[test]
fn a_plan_is_applied_only_with_a_confirmation() {
    let folder = Folder::planned();
    folder.check(
        "repair apply --seed tables.json plan.jsonl",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `plan.jsonl` needs a confirmation
        help: `--yes` confirms where there is no terminal
    "#]],
    );
    assert!(!folder.path().join("plan.jsonl.journal").exists());
}

#[test]
fn a_plan_of_rules_that_changed_since_is_refused() {
    let folder = Folder::planned();
    folder.write("referee.yaml", &RULES.replace("unset", "delete"));
    folder.check(
        "repair apply --seed tables.json --yes plan.jsonl",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `plan.jsonl`: the plan was made with other rules, or by another release of Referee
        help: make a new plan
    "#]],
    );
    folder.check(
        "repair verify --seed tables.json plan.jsonl",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `plan.jsonl`: the plan was made with other rules, or by another release of Referee
        help: make a new plan
    "#]],
    );
    folder.write("referee.yaml", RULES);
    assert!(
        folder
            .command("repair apply --yes --seed tables.json plan.jsonl")
            .status()
            .unwrap()
            .success()
    );
    folder.write("referee.yaml", &RULES.replace("unset", "delete"));
    folder.check("repair undo --yes --seed tables.json plan.jsonl.journal", expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `plan.jsonl.journal`: the journal was written with other rules, or by another release of Referee
        help: use the rule file and the release with which the plan was applied
    "#]]);
}

/// The journal of one plan does not continue another plan, and one process at a time uses it.
#[test]
fn a_journal_belongs_to_one_plan_and_one_process() {
    let folder = Folder::planned();
    let apply = "repair apply --yes --seed tables.json plan.jsonl";
    assert!(folder.command(apply).output().unwrap().status.success());
    folder.check(
        apply,
        expect![[r#"
        exit code 0
        --- stdout
        2 writes: 2 done earlier; 0 write units
        --- stderr
    "#]],
    );
    let other = "repair plan --seed tables.json --adopt --out other.jsonl findings.jsonl";
    assert!(folder.command(other).output().unwrap().status.success());
    folder.check(
        "repair apply --yes --seed tables.json --journal plan.jsonl.journal other.jsonl",
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `plan.jsonl.journal`: the journal belongs to another plan
            help: name another file with `--journal`
        "#]],
    );
    let journal = File::open(folder.path().join("plan.jsonl.journal")).unwrap();
    journal.lock().unwrap();
    folder.check(
        apply,
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: another process uses the journal `plan.jsonl.journal`
        help: wait until it has ended
    "#]],
    );
}

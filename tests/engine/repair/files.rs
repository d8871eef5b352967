//! Plans and journals that are cut off, altered, or of other rules.

use std::fmt::Write as _;

use expect_test::expect;
use kit::repairs::{MemoryLog, RULES};
use referee::repair::{self, Journal, JournalError, PlanEntries, PlanError};

use super::{planned, rules};

#[test]
fn a_plan_that_is_cut_off_anywhere_is_refused() {
    let (_, plan) = planned(&rules());
    let text = &plan.text;
    for length in 0..text.len() {
        let error = repair::check(&text[..length], RULES).unwrap_err();
        let is_expected = matches!(error, PlanError::OtherFile | PlanError::Truncated);
        assert!(is_expected, "{length}: {error}");
    }
}

#[test]
fn a_plan_that_was_altered_anywhere_is_refused() {
    let (_, plan) = planned(&rules());
    for at in (0..plan.text.len()).step_by(3) {
        let mut text = plan.text.clone();
        text[at] = if text[at] == b'1' { b'2' } else { b'1' };
        assert!(repair::check(text.as_slice(), RULES).is_err(), "byte {at}");
    }
    let mut longer = plan.text.clone();
    longer.extend(b"{}\n");
    assert!(matches!(repair::check(longer.as_slice(), RULES), Err(PlanError::Altered)));
}

#[test]
fn the_reasons_for_a_refusal_say_what_to_do() {
    let rules = rules();
    let (_, plan) = planned(&rules);
    let text = String::from_utf8(plan.text.clone()).unwrap();
    let mut words = String::new();
    for (what, text) in [
        ("other rules", text.replacen("\"rules\":\"rules\"", "\"rules\":\"other\"", 1)),
        ("another version", text.replacen("\"version\":1", "\"version\":2", 1)),
        ("another file", "hello\n".to_owned()),
        ("an empty file", String::new()),
        ("a cut", text[..text.len() / 2].to_owned()),
        ("a change", text.replacen("admin", "owner", 1)),
    ] {
        let error = repair::check(text.as_bytes(), RULES).unwrap_err();
        writeln!(words, "{what}: {error}").unwrap();
    }
    let log = plan.log();
    for (what, log, plan) in [
        ("another plan", log.clone(), "other"),
        ("another file", MemoryLog::new(b"hello".to_vec()), "x"),
        ("an empty journal", MemoryLog::default(), "x"),
    ] {
        let mut log = log;
        let error = Journal::resume(&mut log, RULES, plan).unwrap_err();
        writeln!(words, "{what}: {error}").unwrap();
    }
    let mut log = log;
    let error = Journal::undo(&mut log, "other").unwrap_err();
    writeln!(words, "a journal of other rules: {error}").unwrap();
    expect![[r#"
        other rules: the plan was made with other rules, or by another release of Referee
        help: make a new plan
        another version: the plan has version 2, not 1
        help: make a new plan
        another file: not a plan of `referee repair plan`
        an empty file: not a plan of `referee repair plan`
        a cut: the plan is cut off: its last line is missing
        help: copy it again, or make a new plan
        a change: the plan was altered after it was made: its checksum is wrong
        help: make a new plan; choose its findings with the options of `referee audit`
        another plan: the journal belongs to another plan
        help: name another file with `--journal`
        another file: not a journal of `referee repair apply`
        help: name another file
        an empty journal: not a journal of `referee repair apply`
        help: name another file
        a journal of other rules: the journal was written with other rules, or by another release of Referee
        help: use the rule file and the release with which the plan was applied
    "#]].assert_eq(&words);
}

/// Wherever a crash cuts the journal off, what is left can be read.
#[test]
fn a_journal_that_is_cut_off_anywhere_is_read() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let mut log = plan.log();
    let header = log.bytes.len();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    for length in 0..=log.bytes.len() {
        let mut cut = MemoryLog::new(log.bytes[..length].to_vec());
        let opened = Journal::undo(&mut cut, RULES).map(|_| ());
        assert_eq!(opened.is_ok(), length >= header, "{length}");
        // Only whole lines are left.
        let lines = log.bytes[..length].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        if opened.is_ok() {
            assert_eq!(cut.bytes.len(), lines.unwrap());
        } else {
            assert_eq!(cut.bytes.len(), length, "a file that is no journal is not changed");
        }
    }
}

/// Damage before the last line is not the trace of a crash.
#[test]
fn a_damaged_journal_is_refused() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let mut log = plan.log();
    let header = log.bytes.len();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    log.bytes[header + 60] ^= 1;
    let error = Journal::undo(&mut log, RULES).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { line: 2, .. }), "{error}");
}

#[test]
fn a_plan_that_was_taken_back_is_not_applied_with_the_same_journal() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let mut log = plan.log();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    kit::repairs::undo(&rules, &store, &mut log).unwrap().unwrap();
    let error = Journal::resume(&mut log, RULES, &plan.checksum).unwrap_err();
    assert!(matches!(error, JournalError::Undone), "{error}");
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let rules = rules();
    let (_, plan) = planned(&rules);
    let read: Vec<_> = PlanEntries::new(&rules, plan.text.as_slice()).map(Result::unwrap).collect();
    let written: Vec<_> = plan
        .entries
        .iter()
        .cloned()
        .map(|entry| match entry {
            repair::Entry::Write(write) => repair::Planned::Write(write),
            repair::Entry::NoAction(claim, _) => repair::Planned::NoAction(claim),
        })
        .collect();
    assert_eq!(read, written);
}

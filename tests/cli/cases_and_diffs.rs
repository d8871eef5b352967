//! `referee test` and `referee diff`, run as processes.

#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::path::Path;

use expect_test::expect;

use crate::explain::NAMES;
use crate::verbs::{check, folder, referee, write};

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

/// `replay` wrote the expected results of these cases.
#[test]
fn every_recorded_case_passes() {
    let folder = folder("recorded_cases");
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let output = referee(&folder, &["test", events]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(" 0 failed"), "{text}");
}

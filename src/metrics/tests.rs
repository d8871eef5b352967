use expect_test::{Expect, expect};

#[cfg(feature = "aws")]
use super::embedded;
use super::{
    AuditSummary, Datum, METRICS, manual, measure, measure_audit, measure_audited,
    measure_rechecked, measure_started,
};
use crate::engine::{Dropped, HandedBack, Outcome, Rechecked, Response, Unqueued};
use crate::integrity::finding::Kind;
use crate::integrity::repair::Operation;
use crate::rules::{self, RuleSource, Rules};
use crate::runtime::repair_log::{StartedRepair, ViolationName};

const NOW_MS: i64 = 1_700_000_000_000;

fn rules() -> Rules {
    let text = "
version: 1
tables:
  app: { key: [pk, sk] }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: 'user#' } }
  member: { table: app, key: { pk: 'team#{team}', sk: 'user#{user}' } }
  member_of: { table: app, key: { pk: 'user#{user}', sk: 'team#{team}' } }
references:
  member_user: { from: member, to: user, find: none }
mirrors:
  membership: { source: member, mirror: member_of }
";
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    rules::load(&source, &|_| None).rules.unwrap()
}

/// The outcome of a batch with three violations, three writes and a rejected record.
fn outcome() -> Outcome {
    use crate::engine::{Occurrence, Rejected, Resolution, Violation, WriteMade};
    use crate::integrity::finding::{Defect, Finding, ItemName};
    use crate::rules::model::{Severity, TableId};
    let rules = rules();
    let key = |pk: &str| {
        let item = [("pk".into(), pk.into()), ("sk".into(), "user#a".into())];
        rules[TableId(0)].key.key_of(&item.into_iter().collect()).unwrap().into_owned()
    };
    let item = |pk: &str| ItemName { table: TableId(0), key: key(pk) };
    let violation = |rule: &str, severity, response, position| Violation {
        finding: Finding {
            rule: rule.to_owned(),
            severity,
            referencing: Some(item("team#t")),
            referenced: None,
            path: None,
            reference: None,
            defect: Defect::TargetMissing,
        },
        occurrence: Occurrence { sequence: Some("100".to_owned()), position },
        resolution: Resolution::from(response),
    };
    Outcome {
        records: 5,
        oldest_ms: Some(NOW_MS - 1_500),
        violations: vec![
            violation("member_user", Severity::Error, Response::Reported, 0),
            violation("membership", Severity::Warn, Response::Repaired, 2),
            violation("membership", Severity::Error, Response::Failed, 3),
        ],
        writes: [0, 1, 2]
            .map(|position| WriteMade {
                detail: None,
                rule: "membership".to_owned(),
                operation: Operation::Put,
                item: item("user#a"),
                position,
            })
            .to_vec(),
        rejected: vec![Rejected { position: 4, sequence: None, error: "no".to_owned() }],
        unmatched: vec![1, 4],
        ..Outcome::default()
    }
}

fn handed_back(position: usize) -> Vec<HandedBack> {
    vec![HandedBack { position, sequence: "100".to_owned(), reason: "throttled".to_owned() }]
}

fn check(outcome: &Outcome, expected: &Expect) {
    check_data(measure(&rules(), outcome, NOW_MS), expected);
}

fn check_data(data: Vec<Datum>, expected: &Expect) {
    let line = |Datum { name, unit, path: _, rule, value }: Datum| {
        let rule = rule.map_or_else(String::new, |rule| format!(" [{rule}]"));
        format!("{name}{rule} {value} {}\n", unit.name())
    };
    expected.assert_eq(&data.into_iter().map(line).collect::<String>());
}

#[test]
fn metrics_have_totals_and_values_by_rule() {
    check(
        &outcome(),
        &expect![[r"
        Violations 2 Count
        Violations [member_user] 1 Count
        Violations [membership] 1 Count
        Warnings 1 Count
        Warnings [membership] 1 Count
        Repairs 1 Count
        Repairs [membership] 1 Count
        RepairsFailed 1 Count
        RepairsFailed [membership] 1 Count
        MirrorWrites 3 Count
        MirrorWrites [membership] 3 Count
        RecordsProcessed 5 Count
        RecordsRejected 1 Count
        RecordsUnmatched 2 Count
        RecordAge 1500 Milliseconds
    "]],
    );
}

#[test]
fn records_before_the_checkpoint_and_all_repairs_count() {
    check(
        &Outcome { handed_back: handed_back(2), ..outcome() },
        &expect![[r"
            Violations 1 Count
            Violations [member_user] 1 Count
            Warnings 1 Count
            Warnings [membership] 1 Count
            Repairs 1 Count
            Repairs [membership] 1 Count
            MirrorWrites 3 Count
            MirrorWrites [membership] 3 Count
            RecordsProcessed 2 Count
            RecordsUnmatched 1 Count
            RecordsRetried 3 Count
            RecordAge 1500 Milliseconds
        "]],
    );
}

#[test]
fn a_batch_without_progress_counts_repairs_and_retried_records() {
    check(
        &Outcome { handed_back: handed_back(0), ..outcome() },
        &expect![[r"
            Warnings 1 Count
            Warnings [membership] 1 Count
            Repairs 1 Count
            Repairs [membership] 1 Count
            MirrorWrites 3 Count
            MirrorWrites [membership] 3 Count
            RecordsRetried 5 Count
        "]],
    );
    check(&Outcome::default(), &expect![[""]]);
}

#[test]
fn the_record_age_is_never_negative() {
    let outcome = Outcome { records: 1, oldest_ms: Some(NOW_MS + 9_999), ..Outcome::default() };
    check(
        &outcome,
        &expect![[r"
        RecordsProcessed 1 Count
        RecordAge 0 Milliseconds
    "]],
    );
}

#[test]
fn a_part_of_an_audit_counts_what_it_found_and_repaired() {
    check_data(
        measure_audited(&rules(), &outcome(), 7),
        &expect![[r"
        AuditViolations 2 Count
        AuditViolations [member_user] 1 Count
        AuditViolations [membership] 1 Count
        AuditWarnings 1 Count
        AuditWarnings [membership] 1 Count
        AuditedItems 7 Count
        Repairs 1 Count
        Repairs [membership] 1 Count
        RepairsFailed 1 Count
        RepairsFailed [membership] 1 Count
        MirrorWrites 3 Count
        MirrorWrites [membership] 3 Count
    "]],
    );
    check_data(measure_audited(&rules(), &Outcome::default(), 0), &expect![[""]]);
}

#[test]
fn a_complete_audit_is_counted() {
    let complete = AuditSummary { items: 2, is_complete: true, ..AuditSummary::default() };
    check_data(
        measure_audit(&complete),
        &expect![[r"
        AuditedItems 2 Count
        AuditsCompleted 1 Count
    "]],
    );
}

#[cfg(feature = "aws")]
#[test]
fn the_embedded_format_has_a_line_for_the_totals_and_one_for_each_rule() {
    let data = measure(&rules(), &outcome(), NOW_MS);
    expect![[r#"
        {"MirrorWrites":3.0,"RecordAge":1500.0,"RecordsProcessed":5.0,"RecordsRejected":1.0,"RecordsUnmatched":2.0,"Repairs":1.0,"RepairsFailed":1.0,"Violations":2.0,"Warnings":1.0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"Violations","Unit":"Count"},{"Name":"Warnings","Unit":"Count"},{"Name":"Repairs","Unit":"Count"},{"Name":"RepairsFailed","Unit":"Count"},{"Name":"MirrorWrites","Unit":"Count"},{"Name":"RecordsProcessed","Unit":"Count"},{"Name":"RecordsRejected","Unit":"Count"},{"Name":"RecordsUnmatched","Unit":"Count"},{"Name":"RecordAge","Unit":"Milliseconds"}],"Namespace":"Referee"}],"Timestamp":1700000000000}}
        {"Rule":"member_user","Violations":1.0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Rule"]],"Metrics":[{"Name":"Violations","Unit":"Count"}],"Namespace":"Referee"}],"Timestamp":1700000000000}}
        {"MirrorWrites":3.0,"Repairs":1.0,"RepairsFailed":1.0,"Rule":"membership","Violations":1.0,"Warnings":1.0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Rule"]],"Metrics":[{"Name":"Violations","Unit":"Count"},{"Name":"Warnings","Unit":"Count"},{"Name":"Repairs","Unit":"Count"},{"Name":"RepairsFailed","Unit":"Count"},{"Name":"MirrorWrites","Unit":"Count"}],"Namespace":"Referee"}],"Timestamp":1700000000000}}"#]].assert_eq(&embedded::lines("Referee", &data, NOW_MS).join("\n"));
}

#[test]
fn a_healthy_batch_makes_no_request_and_a_violation_is_never_only_in_the_log() {
    use super::Path;
    let of = |data: Vec<Datum>, path| -> Vec<&str> {
        let mut names: Vec<_> =
            data.iter().filter(|datum| datum.path == path).map(|datum| datum.name).collect();
        names.dedup();
        names
    };
    let healthy = Outcome { violations: Vec::new(), rejected: Vec::new(), ..outcome() };
    assert_eq!(of(measure(&rules(), &healthy, NOW_MS), Path::Request), [""; 0]);
    assert_eq!(
        of(measure(&rules(), &healthy, NOW_MS), Path::Log),
        ["MirrorWrites", "RecordsProcessed", "RecordsUnmatched", "RecordAge"]
    );
    assert_eq!(
        of(measure(&rules(), &outcome(), NOW_MS), Path::Request),
        ["Violations", "Warnings", "RepairsFailed", "RecordsRejected"]
    );
    let audit = AuditSummary { items: 2, is_complete: true, ..AuditSummary::default() };
    assert_eq!(of(measure_audit(&audit), Path::Request), ["AuditsCompleted"]);
}

#[test]
fn the_metrics_fit_in_a_line_of_the_embedded_format() {
    assert!(METRICS.len() <= 100);
}

#[test]
fn metric_names_are_distinct_and_documented() {
    let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRICS.len());
    assert!(names.iter().all(|name| manual().contains(&format!("| `{name}` |"))));
}

#[test]
fn a_message_counts_when_it_is_done_and_its_records_never_do() {
    let dropped = |rule: &str| Dropped {
        rule: rule.to_owned(),
        sequence: "100".to_owned(),
        reason: "gone".to_owned(),
    };
    let done = Rechecked {
        outcome: outcome(),
        dropped: vec![dropped("a"), dropped("b")],
        is_forwarded: false,
    };
    check_data(
        measure_rechecked(&rules(), &done, NOW_MS),
        &expect![[r"
        Violations 2 Count
        Violations [member_user] 1 Count
        Violations [membership] 1 Count
        Warnings 1 Count
        Warnings [membership] 1 Count
        Repairs 1 Count
        Repairs [membership] 1 Count
        RepairsFailed 1 Count
        RepairsFailed [membership] 1 Count
        MirrorWrites 3 Count
        MirrorWrites [membership] 3 Count
        RecordsRejected 1 Count
        SuspectsDropped 2 Count
    "]],
    );
    let outcome = Outcome { handed_back: handed_back(2), ..outcome() };
    let returned = Rechecked { outcome, ..Rechecked::default() };
    check_data(
        measure_rechecked(&rules(), &returned, NOW_MS),
        &expect![[r"
            Warnings 1 Count
            Warnings [membership] 1 Count
            Repairs 1 Count
            Repairs [membership] 1 Count
            MirrorWrites 3 Count
            MirrorWrites [membership] 3 Count
            MessagesReturned 1 Count
        "]],
    );
}

#[test]
fn suspects_on_the_queue_are_counted() {
    let unqueued = Unqueued { suspects: 3, reason: "down".to_owned() };
    check(
        &Outcome { records: 1, queued: 2, unqueued: Some(unqueued), ..Outcome::default() },
        &expect![[r"
            RecordsProcessed 1 Count
            SuspectsQueued 2 Count
            SuspectsNotQueued 3 Count
        "]],
    );
}

#[test]
fn repairs_count_when_they_are_started() {
    let started = |rule: &str| StartedRepair {
        violation: ViolationName {
            id: "0123456789abcdef".to_owned(),
            rule: rule.to_owned(),
            kind: Kind::Orphaned,
            sequence: None,
        },
        operation: Operation::Delete,
        item: outcome().writes[0].item.clone(),
    };
    check_data(
        measure_started(&["member_user", "membership", "member_user"].map(started)),
        &expect![[r"
            RepairsStarted 3 Count
            RepairsStarted [member_user] 2 Count
            RepairsStarted [membership] 1 Count
        "]],
    );
    check_data(measure_started(&[]), &expect![[""]]);
}

//! Audits by the state machine of the Terraform module: every violation is found and nothing else,
//! whatever the segments and the read units, and repairs leave the tables clean.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use kit::environment;
use kit::fixture::rule_files;
use kit::oracle::{Audited, Dump, Oracle, Report};
use kit::planted;
use referee::integrity::finding::Kind;
use referee::preflight::audited;
use referee::rules::model::{Mode, OnMissing, Rules};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use crate::audit::item;
use crate::proxy::{ALL, Fault, When};
use crate::rules;
use crate::stage::{Environment, Stage, table_name};
use crate::state_machine::Audit;

/// The cases under `events/` whose rules are used, unless `AUDITS` sets a number of random tables for
/// the rules of all cases.
const CASES: [&str; 10] = [
    "cascade-through-mirror",
    "category-tree",
    "company-user",
    "composite-reference",
    "foreign-item-adopted",
    "foreign-item-at-mirror",
    "leave-by-mirror",
    "missing-delete-and-revert",
    "orders-and-customers",
    "set-default",
];

/// How many of them are audited at a time. An audit mostly waits for grace periods.
const CONCURRENCY: usize = 4;

/// How many items of each entity there are at most.
const PER_ENTITY: usize = 6;

/// How many random tables are drawn, of which one is audited.
const DRAWS: usize = 10;

/// How often an audit that repairs is repeated at most: a repair may break other references.
const PASSES_MAX: usize = 4;

/// What an audit found and did.
struct Done {
    /// The violations in the log.
    found: Vec<Audited>,
    totals: Json,
    /// How often the function was invoked.
    invocations: usize,
}

/// Audits the tables of a stage, and returns what the function's log reports.
async fn audit(stage: &Stage, settings: &Audit) -> Done {
    let interpreter = stage.environment.step_functions.clone().unwrap();
    let before = at_rest(stage).len();
    let (ended, invocations) = settings.run(&interpreter, &stage.lambda).await;
    let summary = ended.unwrap();
    assert_eq!((&summary["complete"], &summary["incomplete"]), (&json!(true), &json!([])));
    let totals = summary["totals"].clone();
    let expected = usize::try_from(totals["violations"].as_u64().unwrap()).unwrap();
    let mut lines = Vec::new();
    // The log is read in the background.
    for _ in 0..500 {
        lines = at_rest(stage).split_off(before);
        if lines.len() >= expected {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(lines.len(), expected);
    Done { found: found(stage, &lines), totals, invocations }
}

/// Returns the violations in the log that no stream record revealed.
fn at_rest(stage: &Stage) -> Vec<Json> {
    let mut lines = stage.logged("violation");
    lines.retain(|line| line.get("sequence").is_none());
    lines
}

/// Returns the violations in these lines, each once.
fn found(stage: &Stage, lines: &[Json]) -> Vec<Audited> {
    let rules = stage.rules();
    let of_line = |line: &Json| {
        let Report { rule, kind, referencing, referenced, .. } = Report::from_line(&rules, line);
        Audited { rule, kind, referencing: referencing.unwrap(), referenced }
    };
    let mut found: Vec<Audited> = lines.iter().map(of_line).collect();
    found.sort();
    // Several elements of one list may be broken, which the oracle reports once.
    found.dedup();
    found
}

async fn dump(stage: &Stage) -> Dump {
    let mut dump = Dump::new();
    for table in stage.rules().tables {
        let items = stage.scan(&table.name).await;
        dump.insert(table.name, items.iter().map(item).collect());
    }
    dump
}

/// The tables to audit, as the module chooses them.
fn tables(stage: &Stage) -> Vec<String> {
    let rules = stage.rules();
    audited(&rules).into_iter().map(|table| rules[table].alias.clone()).collect()
}

/// A stage with the rules of a file, and random items.
async fn planted(environment: &Environment, file: &Path, seed: usize) -> Stage {
    let text = std::fs::read_to_string(file).unwrap();
    // In YAML 1.2, `N` is a string.
    let options = serde_saphyr::options! { strict_booleans: true };
    let mut rules: Json = serde_saphyr::from_str_with_options(&text, options).unwrap();
    for (alias, table) in rules["tables"].as_object_mut().unwrap() {
        table["name"] = format!("{}-{seed}-{alias}", table_name(environment.name)).into();
    }
    let stage = Stage::without_tables(environment.clone(), &rules).await;
    let rules = stage.rules();
    stage.create_all().await;
    for (table, items) in richest(&rules, seed) {
        stage.put_items(&table, items).await;
    }
    stage
}

/// Draws random tables, and returns those that have the most kinds of violation.
fn richest(rules: &Rules, seed: usize) -> Dump {
    let seeds = (0..DRAWS).map(|draw| (seed * DRAWS + draw) as u64);
    let draws = seeds.map(|seed| planted::tables(rules, PER_ENTITY, &mut Rng::with_seed(seed)));
    let kinds = |tables: &Dump| {
        let violations = Oracle::new(rules, tables.clone()).audited();
        violations.into_iter().map(|it| it.kind).collect::<BTreeSet<String>>().len()
    };
    draws.max_by_key(kinds).unwrap()
}

/// Every kind of violation is found by an audit, and nothing else. What the rules repair is repaired.
pub(crate) async fn planted_violations(environment: Environment) {
    let mut files = rule_files();
    let audits = environment::number("AUDITS");
    if audits.is_none() {
        files.retain(|file| CASES.iter().any(|case| file.parent().unwrap().ends_with(case)));
    }
    let kinds: Vec<BTreeSet<String>> = stream::iter(0..audits.unwrap_or(files.len()))
        .map(|seed| {
            let (environment, file) = (environment.clone(), &files[seed % files.len()]);
            async move { audit_and_repair(&environment, file, seed).await }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let kinds: BTreeSet<String> = kinds.into_iter().flatten().collect();
    let expected = [
        "dangling_reference",
        "malformed_reference",
        "mirror_blocked",
        "mirror_extra",
        "mirror_missing",
        "mirror_stale",
        "mirror_unmarked",
        "missing_reference",
        "partial_reference",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

async fn audit_and_repair(environment: &Environment, file: &Path, seed: usize) -> BTreeSet<String> {
    let mut rng = Rng::with_seed(seed as u64);
    let context = format!("{} {seed}", file.display());
    let stage = planted(environment, file, seed).await;
    let before = dump(&stage).await;
    let settings = Audit {
        tables: tables(&stage),
        segments: rng.u32(1..4),
        read_units: Some(rng.u32(3..6)),
        apply: false,
    };
    let done = audit(&stage, &settings).await;
    let expected = Oracle::new(&stage.rules(), before.clone()).audited();
    assert_eq!(done.found, expected, "{context}");
    assert_eq!((&done.totals["repairs"], &done.totals["writes"]), (&json!(0), &json!(0)));
    assert_eq!(dump(&stage).await, before, "{context}: nothing is written");
    let kinds = done.found.into_iter().map(|found| found.kind).collect();

    let repairing = Audit { apply: true, read_units: None, ..settings };
    for pass in 0.. {
        assert!(pass < PASSES_MAX, "{context}");
        if audit(&stage, &repairing).await.totals["repairs"] == 0 {
            break;
        }
    }
    let left = audit(&stage, &Audit { apply: false, ..repairing }).await.found;
    assert_eq!(left, Oracle::new(&stage.rules(), dump(&stage).await).audited(), "{context}");
    let rules = stage.rules();
    for found in left {
        let rule = rules.references.iter().find(|rule| rule.name == found.rule);
        let is_repaired = rule.is_some_and(|rule| {
            matches!(rule.on_missing, OnMissing::Delete | OnMissing::Unset)
                && rule.mode == Mode::Enforce
                && found.kind == Kind::DanglingReference.name()
        });
        assert!(!is_repaired, "{context}: {found:?}");
    }
    kinds
}

/// Returns the sum of a metric's values, after it has reached the expected one.
async fn published(stage: &Stage, metric: &str, expected: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a metric here is a small count"
    )]
    let sum = stage.metric(metric, expected as f64).await as usize;
    sum
}

/// Companies and users, memberships of users who do not exist, missing mirrors, a stale mirror and a
/// mirror without a source.
async fn neglected(environment: Environment) -> Stage {
    let stage = Stage::new(environment, rules::cascading).await;
    stage.populate(2, 8).await;
    for user in ["user#20", "user#21", "user#22"] {
        stage.put(&[("pk", "company#0"), ("sk", user), ("role", "ghost")]).await;
    }
    stage.put(&[("pk", "task#1"), ("sk", "task#"), ("owner", "nobody")]).await;
    stage.put_mirror("user#0", "company#0", "boss").await;
    stage.put_mirror("user#1", "company#0", "staff").await;
    stage.put_mirror("user#1", "company#9", "staff").await;
    stage
}

fn whole(apply: bool) -> Audit {
    Audit { tables: vec!["app".to_owned()], segments: 3, read_units: Some(8), apply }
}

/// A small budget of read units divides a segment into many invocations, and the totals include all
/// of them.
pub(crate) async fn loops(environment: Environment) {
    let stage = neglected(environment).await;
    let items = stage.rows().await.len();
    let frugal = audit(&stage, &Audit { read_units: Some(2), ..whole(false) }).await;
    assert!(frugal.invocations > items / 4, "{} of {items}", frugal.invocations);
    let quick = audit(&stage, &Audit { read_units: None, ..whole(false) }).await;
    // Three segments and the summary.
    assert_eq!(quick.invocations, 4);
    assert_eq!(frugal.found, quick.found);
    for done in [&frugal, &quick] {
        assert_eq!(done.totals["items"], json!(items));
    }
    let violations = usize::try_from(quick.totals["violations"].as_u64().unwrap()).unwrap();
    for (metric, expected) in [
        ("AuditsCompleted", 2),
        ("AuditedItems", 2 * items),
        ("AuditViolations", 2 * violations),
        ("Violations", 0),
    ] {
        assert_eq!(published(&stage, metric, expected).await, expected, "{metric}");
    }
}

/// An audit repairs beside applications and the function that processes the stream, and none undoes
/// what another has done.
pub(crate) async fn beside_the_stream(environment: Environment) {
    let stage = neglected(environment).await;
    let mut mapping = stage.mapping().await;
    // These records are lost to the function, as those of the years before its first deployment.
    stage.lambda.set_env("REFEREE_MODE", "off");
    mapping.drain().await;
    stage.lambda.set_env("REFEREE_MODE", "");
    let repairing = whole(true);
    let stream = async {
        for change in 0..10 {
            stage.set("company#0", "user#2", "role", &format!("role {change}")).await;
            stage.put(&[("pk", "company#1"), ("sk", "user#30"), ("role", "ghost")]).await;
            stage.put(&[("pk", "company#1"), ("sk", "user#3"), ("role", "boss")]).await;
            stage.delete("company#1", "user#4").await;
            stage.put(&[("pk", "company#1"), ("sk", "user#4"), ("role", "staff")]).await;
            mapping.drain().await;
        }
    };
    let (done, ()) = tokio::join!(audit(&stage, &repairing), stream);
    assert!(done.totals["repairs"].as_u64() > Some(10), "{}", done.totals);
    mapping.drain().await;
    let again = audit(&stage, &repairing).await;
    assert_eq!((again.found, &again.totals["writes"]), (vec![], &json!(0)));
    assert_eq!(Oracle::new(&stage.rules(), dump(&stage).await).defects(), []);
    // Companies, users, and memberships with their mirrors.
    assert_eq!(stage.rows().await.len(), 2 + 8 + 2 * 16);
}

/// Throttling and lost answers delay an audit. It continues with the first page that is not done,
/// and reports each violation once.
pub(crate) async fn faults(environment: Environment) {
    let stage = neglected(environment).await;
    let expected = Oracle::new(&stage.rules(), dump(&stage).await).audited();
    for fault in [Fault::Throttled, Fault::Status(500), Fault::Dropped, Fault::CutOff] {
        stage.proxy.inject(ALL, When::Chance(0.5), fault);
        let done = audit(&stage, &Audit { read_units: Some(4), ..whole(false) }).await;
        stage.proxy.stop_faults();
        assert_eq!(done.found, expected);
        assert_eq!(done.totals["violations"], json!(expected.len()));
    }
}

/// An audit of which a part fails is not complete.
pub(crate) async fn incomplete(environment: Environment) {
    let stage = neglected(environment).await;
    let interpreter = stage.environment.step_functions.clone().unwrap();
    let tables = vec!["app".to_owned(), "unknown".to_owned()];
    let (ended, _) = Audit { tables, ..whole(false) }.run(&interpreter, &stage.lambda).await;
    let cause = ended.unwrap_err();
    assert!(cause.contains("not audited to their end"), "{cause}");
    assert!(stage.lambda.log.line(|line| line.contains("audit ended")).await.is_some());
    let incomplete = stage.logged("audit incomplete");
    let parts: Vec<_> = incomplete.iter().map(|line| line["part"].as_str().unwrap()).collect();
    let failed = [0, 1, 2].map(|segment| format!("segment {segment} of `unknown`: Fatal"));
    assert_eq!(parts, failed);
    assert_eq!(published(&stage, "AuditsCompleted", 0).await, 0);
    assert!(!stage.logged("violation").is_empty(), "the other parts are audited");
}

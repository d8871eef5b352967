//! Audits of tables: everything that is wrong is found, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use fastrand::Rng;
use kit::clocks::{Jumping, Patient};
use kit::fixture::rule_files;
use kit::history::item;
use kit::meanwhile::{Other, before_requests};
use kit::oracle::{Audited, Dump, Oracle};
use kit::planted;
use referee::data::Item;
use referee::engine::{self, Engine, Part, Response, Services, Violation};
use referee::integrity::finding::Kind;
use referee::replay;
use referee::rules::model::{Mode, OnMissing, Rules, TableId};
use referee::rules::{self, RuleSource};
use referee::store::StoreError;
use referee::store::memory::{CallKind, Fault, Memory};

/// How many random tables each rule file gets.
const TABLES: u64 = 20;

fn rule_sets() -> impl Iterator<Item = (String, Rules)> {
    rule_files().into_iter().map(|file| {
        let source = RuleSource::from_bytes("rules", std::fs::read(&file).unwrap()).unwrap();
        (file.display().to_string(), rules::load(&source, &|_| None).rules.unwrap())
    })
}

fn store(rules: &Rules, dump: &Dump) -> Memory {
    let store = replay::store(rules);
    for (table, items) in dump {
        // The store refuses items with a wrong type in an index's key.
        for item in items {
            drop(store.seed(table, item.clone()));
        }
    }
    store
}

/// Audits every table in segments, each in invocations that read one or two pages.
fn audit(engine: &Engine, store: &Memory, rng: &mut Rng) -> Vec<Violation> {
    let mut violations = Vec::new();
    for table in 0..engine.rules().tables.len() {
        let segments = rng.u32(1..4);
        for segment in 0..segments {
            let read_units_max = rng.bool().then(|| f64::from(rng.u8(1..20)));
            let table = TableId(table);
            let mut part = Part { table, segment, segments, start: None, read_units_max };
            loop {
                let audited = engine.audit(part.clone(), Services::new(store, &Patient));
                let audited = pollster::block_on(audited).unwrap();
                assert_eq!((audited.error, audited.pages > 0), (None, true));
                violations.extend(audited.outcome.violations);
                part.start = audited.next;
                if part.start.is_none() {
                    break;
                }
            }
        }
    }
    violations
}

fn named(violations: &[Violation]) -> Vec<Audited> {
    let mut named: Vec<_> = violations.iter().map(|it| Audited::of(&it.finding)).collect();
    named.sort();
    // Several elements of one list may be broken, which the oracle reports once.
    named.dedup();
    named
}

#[test]
fn an_audit_finds_exactly_what_the_oracle_finds() {
    let mut kinds = BTreeSet::new();
    for (name, rules) in rule_sets() {
        let engine = Engine::new(rules.clone().in_mode(Mode::Observe));
        for seed in 0..TABLES {
            let mut rng = Rng::with_seed(seed);
            let store = store(&rules, &planted::tables(&rules, 6, &mut rng));
            let planted = store.dump();
            let violations = audit(&engine, &store, &mut rng);
            assert_eq!(store.dump(), planted, "{name} {seed}: nothing is written");
            let expected = Oracle::new(&rules, planted).audited();
            assert_eq!(named(&violations), expected, "{name} {seed}");
            kinds.extend(violations.iter().map(|it| it.kind().name()));
        }
    }
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

#[test]
fn an_audit_repairs_what_the_rules_repair() {
    let mut repaired = 0;
    for (name, rules) in rule_sets() {
        let (engine, observer) =
            (Engine::new(rules.clone()), Engine::new(rules.clone().in_mode(Mode::Observe)));
        for seed in 0..TABLES {
            let mut rng = Rng::with_seed(seed);
            let store = store(&rules, &planted::tables(&rules, 6, &mut rng));
            // A repair may delete what an item on an earlier page refers to.
            let passes = (0..6).map(|_| {
                let violations = audit(&engine, &store, &mut rng);
                let is = |it: &&Violation| it.resolution.response == Response::Repaired;
                violations.iter().filter(is).count()
            });
            let repairs: usize = passes.take_while(|repairs| *repairs > 0).sum();
            repaired += repairs;
            let left = audit(&observer, &store, &mut rng);
            let is_always_repaired = |violation: &&Violation| {
                let rule = rules.references.iter().find(|rule| rule.name == violation.finding.rule);
                rule.is_some_and(|rule| {
                    matches!(rule.on_missing, OnMissing::Delete | OnMissing::Unset)
                        && rule.mode == Mode::Enforce
                        && violation.kind() == Kind::DanglingReference
                })
            };
            let unrepaired: Vec<_> = left.iter().filter(is_always_repaired).collect();
            assert_eq!(unrepaired, Vec::<&Violation>::new(), "{name} {seed}");
            let expected = Oracle::new(&rules, store.dump()).audited();
            assert_eq!(named(&left), expected, "{name} {seed}");
        }
    }
    assert!(repaired > 500, "{repaired}");
}

const SHOP: &str = "
version: 1
tables:
  app: { key: [pk, sk] }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: '-' } }
  order: { table: app, key: { pk: 'order#{order}', sk: '-' }, attributes: { by: S } }
  member: { table: app, key: { pk: 'team#{team}', sk: 'user#{user}' }, attributes: { role: S } }
  member_of: { table: app, key: { pk: 'user#{user}', sk: 'team#{team}' } }
references:
  order_by: { from: order, to: user, on: { user: '{by}' }, on_missing: delete, find: none }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
";

fn shop() -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: SHOP.to_owned() };
    rules::load(&source, &|_| None).rules.unwrap()
}

fn order(pk: &str) -> String {
    format!("pk: {pk}, sk: '-', by: ann")
}

fn seed(store: &Memory, text: &str) {
    store.seed("app", item(text)).unwrap();
}

fn whole() -> Part {
    Part { table: TableId(0), segment: 0, segments: 1, start: None, read_units_max: None }
}

fn clock(deadline_ms: i64) -> Jumping {
    Jumping { now_ms: Rc::new(Cell::new(0)), deadline_ms }
}

fn run(store: &Memory, part: Part, clock: &Jumping) -> Result<engine::Audited, String> {
    let engine = Engine::new(shop());
    pollster::block_on(engine.audit(part, Services::new(store, clock))).map_err(|error| error.0)
}

#[test]
fn an_audit_waits_once_for_the_longest_grace_period() {
    let store = store(&shop(), &Dump::new());
    let patient = clock(60_000);
    run(&store, whole(), &patient).unwrap();
    assert_eq!(patient.now_ms.get(), 0, "nothing is suspicious");
    for pk in ["order#1", "order#2", "order#3"] {
        seed(&store, &order(pk));
    }
    let audited = run(&store, Part { read_units_max: Some(100.0), ..whole() }, &patient).unwrap();
    assert_eq!((patient.now_ms.get(), audited.outcome.violations.len()), (2_000, 3));
    assert_eq!(store.dump()["app"], Vec::<Item<'_>>::new());
}

#[test]
fn an_audit_without_time_for_the_grace_period_fails() {
    let store = store(&shop(), &Dump::new());
    let error = run(&store, whole(), &clock(2_000)).unwrap_err();
    assert!(error.contains("2000 ms are left"), "{error}");
}

/// Whichever request fails, each violation is reported and repaired exactly once.
#[test]
fn an_audit_continues_after_the_last_page_that_is_done() {
    let orders = ["order#1", "order#2", "order#3", "order#4", "order#5"];
    let mut failures = 0;
    for failing in 1.. {
        let store = store(&shop(), &Dump::new());
        for pk in orders {
            seed(&store, &order(pk));
        }
        store.set_faults(Box::new(move |call| {
            let error = StoreError::Retry("throttled".to_owned());
            if call.number == failing { Fault::Fail(error) } else { Fault::None }
        }));
        // Pages of two items. The lookup of their targets costs a unit each.
        let mut part = Part { read_units_max: Some(2.0), ..whole() };
        let mut found = Vec::new();
        let mut errors = 0;
        loop {
            let audited = run(&store, part.clone(), &clock(60_000)).unwrap();
            found.extend(audited.outcome.violations);
            errors += usize::from(audited.error.is_some());
            if audited.pages > 0 {
                part.start = audited.next;
            }
            if audited.pages > 0 && part.start.is_none() {
                break;
            }
        }
        let mut items: Vec<_> = named(&found).into_iter().map(|it| it.referencing.key).collect();
        items.dedup();
        assert_eq!((items.len(), found.len()), (orders.len(), orders.len()), "{failing}");
        assert_eq!(store.dump()["app"], Vec::<Item<'_>>::new(), "{failing}");
        failures += errors;
        if errors == 0 {
            break;
        }
    }
    assert!(failures > 10, "{failures}");
}

/// Returns the violations that an audit reports of these items, if other clients make the writes
/// between its two looks.
fn found(items: &[&str], meanwhile: &'static [Other<'static>]) -> Vec<&'static str> {
    let store = Rc::new(store(&shop(), &Dump::new()));
    for text in items {
        seed(&store, text);
    }
    before_requests(&store, move |store, at| {
        if at == (2, CallKind::BatchGet) {
            for other in meanwhile {
                other.on(store);
            }
        }
        Fault::None
    });
    let audited = run(&store, whole(), &clock(60_000)).unwrap();
    audited.outcome.violations.iter().map(|violation| violation.kind().name()).collect()
}

#[test]
fn items_that_change_between_the_looks_are_not_violations() {
    let order = ["pk: order#1, sk: '-', by: ann"];
    assert_eq!(found(&order, &[]), ["dangling_reference"]);
    assert_eq!(found(&order, &[Other::Puts("pk: user#ann, sk: '-'")]), [""; 0]);
    assert_eq!(found(&order, &[Other::Deletes("pk: order#1, sk: '-'")]), [""; 0]);
    // The new reference has a stream record of its own.
    assert_eq!(found(&order, &[Other::Puts("pk: order#1, sk: '-', by: bob")]), [""; 0]);
    let member = ["pk: team#t, sk: user#ann, role: a"];
    assert_eq!(found(&member, &[]), ["mirror_missing"]);
    assert_eq!(found(&member, &[Other::Deletes("pk: team#t, sk: user#ann")]), [""; 0]);
    // The mirror of a source that changes all the time is always a little late.
    assert_eq!(found(&member, &[Other::Puts("pk: team#t, sk: user#ann, role: b")]), [""; 0]);
    assert_eq!(
        found(&member, &[Other::Puts("pk: team#t, sk: user#ann, role: a, x: 1")]),
        ["mirror_missing"]
    );
    let unmarked = ["pk: user#ann, sk: team#t, role: a"];
    assert_eq!(found(&unmarked, &[]), ["mirror_extra"]);
    assert_eq!(found(&unmarked, &[Other::Deletes("pk: user#ann, sk: team#t")]), [""; 0]);
    assert_eq!(found(&unmarked, &[Other::Puts("pk: team#t, sk: user#ann, role: a")]), [""; 0]);
}

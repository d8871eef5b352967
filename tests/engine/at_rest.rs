//! Audits of tables: everything that is wrong is found, and nothing else.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use fastrand::Rng;
use kit::clocks::{Jumping, Patient};
use kit::fixture::rule_files;
use kit::oracle::{Audited, Dump, Oracle};
use kit::planted;
use referee::data::Item;
use referee::engine::{self, Engine, Part, Response, Violation};
use referee::replay;
use referee::rules::model::{Mode, Rules, TableId};
use referee::rules::{self, RuleSource};
use referee::store::{Action, Fault, Memory, Store as _, StoreError, Write};

/// How many random tables each rule file gets.
const TABLES: u64 = 60;

fn rule_sets() -> impl Iterator<Item = (String, Rules)> {
    rule_files().into_iter().map(|file| {
        let source = RuleSource::from_bytes("rules", std::fs::read(&file).unwrap()).unwrap();
        (file.display().to_string(), rules::load(&source, &|_| None).rules.unwrap())
    })
}

fn store(rules: &Rules, dump: &Dump) -> Memory {
    let store = replay::store(rules);
    for (table, items) in dump {
        for item in items {
            put(&store, table, item.clone());
        }
    }
    store
}

fn put(store: &Memory, table: &str, item: Item<'static>) {
    let write = Write { table: table.to_owned(), action: Action::Put(item), condition: None };
    pollster::block_on(store.write(write)).unwrap();
}

fn dump(rules: &Rules, store: &Memory) -> Dump {
    let tables = rules.tables.iter();
    tables.map(|table| (table.name.clone(), store.items(&table.name).unwrap())).collect()
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
                let audited = engine.audit(part.clone(), store, &Patient);
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
    let named = |violation: &Violation| {
        let name = |item: &referee::integrity::finding::ItemName| kit::oracle::ItemName {
            table: item.table,
            key: item.key.clone(),
        };
        let finding = &violation.finding;
        Audited {
            rule: finding.rule.clone(),
            kind: finding.kind().name().to_owned(),
            referencing: name(finding.referencing.as_ref().unwrap()),
            referenced: finding.referenced.as_ref().map(name),
        }
    };
    let mut named: Vec<_> = violations.iter().map(named).collect();
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
            let planted = planted::tables(&rules, 6, &mut rng);
            let store = store(&rules, &planted);
            let violations = audit(&engine, &store, &mut rng);
            assert_eq!(dump(&rules, &store), planted, "{name} {seed}: nothing is written");
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
            // A repair may break what an earlier page refers to.
            for _ in 0..4 {
                let violations = audit(&engine, &store, &mut rng);
                let is = |it: &&Violation| it.resolution.response == Response::Repaired;
                repaired += violations.iter().filter(is).count();
            }
            let left = audit(&observer, &store, &mut rng);
            let modes = rules.references.iter().map(|rule| (&rule.name, rule.mode));
            let modes = modes.chain(rules.mirrors.iter().map(|rule| (&rule.name, rule.mode)));
            let observed: BTreeSet<_> =
                modes.filter(|(_, mode)| *mode == Mode::Observe).map(|(name, _)| name).collect();
            let repairable = left.iter().filter(|it| {
                it.resolution.response == Response::WouldRepair
                    && !observed.contains(&it.finding.rule)
            });
            assert_eq!(repairable.collect::<Vec<_>>(), Vec::<&Violation>::new(), "{name} {seed}");
            let expected = Oracle::new(&rules, dump(&rules, &store)).audited();
            assert_eq!(named(&left), expected, "{name} {seed}");
        }
    }
    assert!(repaired > 1_000, "{repaired}");
}

const SHOP: &str = "
version: 1
tables:
  shop: { key: [pk, sk] }
entities:
  user: { table: shop, key: { pk: 'user#{user}', sk: '-' } }
  order: { table: shop, key: { pk: 'order#{order}', sk: '-' }, attributes: { by: S } }
  member: { table: shop, key: { pk: 'team#{team}', sk: 'user#{user}' } }
  member_of: { table: shop, key: { pk: 'user#{user}', sk: 'team#{team}' } }
references:
  order_by: { from: order, to: user, on: { user: '{by}' }, on_missing: delete, find: none }
mirrors:
  membership: { source: member, mirror: member_of }
";

fn shop() -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: SHOP.to_owned() };
    rules::load(&source, &|_| None).rules.unwrap()
}

fn item(attributes: &[(&'static str, &'static str)]) -> Item<'static> {
    attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn order(pk: &'static str) -> Item<'static> {
    item(&[("pk", pk), ("sk", "-"), ("by", "ann")])
}

fn whole() -> Part {
    Part { table: TableId(0), segment: 0, segments: 1, start: None, read_units_max: None }
}

fn clock(deadline_ms: i64) -> Jumping {
    Jumping { now_ms: Rc::new(Cell::new(0)), deadline_ms }
}

fn run(store: &Memory, part: Part, clock: &Jumping) -> Result<engine::Audited, String> {
    let engine = Engine::new(shop());
    pollster::block_on(engine.audit(part, store, clock)).map_err(|error| error.0)
}

#[test]
fn an_audit_waits_once_for_the_longest_grace_period() {
    let store = store(&shop(), &Dump::new());
    let patient = clock(60_000);
    run(&store, whole(), &patient).unwrap();
    assert_eq!(patient.now_ms.get(), 0, "nothing is suspicious");
    (0..3).for_each(|n| put(&store, "shop", order(["order#1", "order#2", "order#3"][n])));
    let audited = run(&store, Part { read_units_max: Some(100.0), ..whole() }, &patient).unwrap();
    assert_eq!((patient.now_ms.get(), audited.outcome.violations.len()), (2_000, 3));
    assert_eq!(store.items("shop").unwrap(), Vec::<Item<'_>>::new());
}

#[test]
fn an_audit_without_time_for_the_grace_period_fails() {
    let store = store(&shop(), &Dump::new());
    let error = run(&store, whole(), &clock(2_000)).unwrap_err();
    assert!(error.contains("2000 ms are left"), "{error}");
}

#[test]
fn an_audit_continues_after_the_last_page_that_is_done() {
    let store = store(&shop(), &Dump::new());
    let orders = ["order#1", "order#2", "order#3", "order#4", "order#5"];
    orders.into_iter().for_each(|pk| put(&store, "shop", order(pk)));
    let retry = || Fault::Fail(StoreError::Retry("throttled".to_owned()));
    // Pages of two items, each with a lookup of its targets.
    let part = Part { read_units_max: Some(2.0), ..whole() };
    let mut part = part;
    let mut found = Vec::new();
    let mut failed = 0;
    for call in 0.. {
        assert!(call < 40, "{part:?}");
        if call % 3 == 1 {
            store.fail_call(store.usage().calls + u64::from(call % 4), retry());
        }
        let audited = run(&store, part.clone(), &clock(60_000)).unwrap();
        found.extend(audited.outcome.violations);
        failed += usize::from(audited.error.is_some());
        if audited.pages == 0 {
            continue;
        }
        part.start = audited.next;
        if part.start.is_none() {
            break;
        }
    }
    assert!(failed > 0);
    assert_eq!(found.len(), orders.len(), "{found:?}");
}

//! Replays every fixture under `events/` with the worst deliveries that Lambda allows. The tables
//! must end with the same content as without faults, and every repair must have been reported.
//!
//! The content of the tables does not depend on time in any fixture. The reports may: if a target
//! is written late, an early check reports it as missing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a run prints how much it tried")]

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::fixture::Fixture;
use libtest_mimic::Trial;
use referee::data::Item;
use referee::engine::{Engine, Response, Violation};
use referee::integrity::finding::ItemName;
use referee::integrity::mark::MARK;
use referee::replay::{self, Options, Progress};
use referee::rules::model::Mode;
use referee::store::Memory;

/// How many seeds are tried for each case.
const SEEDS: u64 = 40;

/// Returns a trial for each case.
pub(crate) fn trials(fixtures: &[Arc<Fixture>]) -> Vec<Trial> {
    let trial = |fixture: Arc<Fixture>| {
        Trial::test(format!("chaos::{}", fixture.name), move || {
            chaos(&fixture);
            Ok(())
        })
    };
    fixtures.iter().cloned().map(trial).collect()
}

fn chaos(fixture: &Fixture) {
    let engine = Engine::new(fixture.rules.clone());
    let observer = Engine::new(fixture.rules.clone().in_mode(Mode::Observe));
    let (before, after) = (run(&observer, fixture, None).0, run(&engine, fixture, None).0);
    let (expected, repaired) = (replay::dump(&after), repaired(fixture, &before, &after));
    let (mut failing, mut unreported) = (Vec::new(), 0);
    for seed in 0..SEEDS {
        let (store, violations, started) = run(&engine, fixture, Some(seed));
        if replay::dump(&store) != expected {
            failing.push(seed);
        }
        let reported: BTreeSet<_> = violations.iter().flat_map(named).collect();
        let missing: Vec<_> = repaired.difference(&reported).collect();
        unreported += u64::from(!missing.is_empty());
        let is_known = missing.iter().all(|item| started.contains(*item));
        assert!(is_known, "`{}` with seed {seed}: not reported: {missing:?}", fixture.name);
    }
    assert!(failing.is_empty(), "`{}` ends differently with seeds {failing:?}", fixture.name);
    println!(
        "chaos: {}: {SEEDS} seeds end the same; in {unreported}, a repair is in no violation",
        fixture.name
    );
}

/// Replays a fixture. Returns the tables, the violations, and the items of the repairs that were
/// started in deliveries that were not finished.
fn run(
    engine: &Engine,
    fixture: &Fixture,
    chaos: Option<u64>,
) -> (Memory, Vec<Violation>, BTreeSet<ItemName>) {
    let (mut violations, mut started) = (Vec::new(), BTreeSet::new());
    let store = fixture.store();
    let options = Options { chaos, ..Options::default() };
    let report = |progress| match progress {
        Progress::Delivered(outcome, _) => violations.extend(outcome.violations),
        Progress::RepairsStarted(repairs) => started.extend(repairs.into_iter().map(|it| it.item)),
        Progress::Rejected(..) => {}
    };
    replay::replay(engine, &store, fixture.batches.clone(), options, report).unwrap();
    (store, violations, started)
}

/// The items that Referee changes in a fixture, except those that are mirrors, or become one.
fn repaired(fixture: &Fixture, before: &Memory, after: &Memory) -> BTreeSet<ItemName> {
    let (before, after) = (before.dump(), after.dump());
    let tables = before.keys().chain(after.keys()).collect::<BTreeSet<_>>();
    let of_table = |name: &String| {
        let (table, schema) = fixture.rules.table_named(name).unwrap();
        let named = |item: &Item<'static>| ItemName {
            table,
            key: schema.key_of(item).unwrap().into_owned(),
        };
        let items = [before.get(name), after.get(name)].map(|items| items.into_iter().flatten());
        let [old, new] = items.map(|items| items.cloned().collect::<Vec<_>>());
        let names_of = |items: &[Item<'static>]| items.iter().map(named).collect::<BTreeSet<_>>();
        let changed = old.iter().filter(|it| !new.contains(*it));
        let added = new.iter().filter(|it| !names_of(&old).contains(&named(it)));
        let mirrors = [&old, &new].map(|items| items.iter().filter(|it| it.contains_key(MARK)));
        let mirrors: BTreeSet<_> = mirrors.into_iter().flatten().map(named).collect();
        let repaired = changed.chain(added).map(named).filter(|it| !mirrors.contains(it));
        repaired.collect::<Vec<_>>()
    };
    tables.into_iter().flat_map(of_table).collect()
}

/// The items that a violation names, if it was repaired.
fn named(violation: &Violation) -> Vec<ItemName> {
    if violation.resolution.response != Response::Repaired {
        return Vec::new();
    }
    let finding = &violation.finding;
    let orphans = finding.orphans().zip(finding.referencing.as_ref());
    let orphans = orphans.into_iter().flat_map(|(orphans, first)| {
        orphans.keys.iter().map(|key| ItemName { table: first.table, key: key.clone() })
    });
    orphans.chain(finding.referencing.clone()).chain(finding.referenced.clone()).collect()
}

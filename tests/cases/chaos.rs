//! Every fixture under `events/`, with the worst deliveries that Lambda allows: the tables end as
//! without faults.
//!
//! No fixture's *content* depends on time. The *reports* may: a late target is missing in an early
//! check.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a run prints how much it tried")]

use kit::fixture::Fixture;
use libtest_mimic::Trial;
use referee::engine::Engine;
use referee::replay::{self, Options};

/// How many seeds of bad delivery are tried.
const SEEDS: u64 = 1_000;

/// A trial for each case.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |fixture: Fixture| {
        Trial::test(format!("chaos::{}", fixture.name), move || {
            chaos(&fixture);
            Ok(())
        })
    };
    Fixture::all().into_iter().map(trial).collect()
}

fn chaos(fixture: &Fixture) {
    let engine = Engine::new(fixture.rules.clone());
    let run = |chaos| {
        let store = fixture.store();
        let options = Options { chaos, ..Options::default() };
        replay::replay(&engine, &store, fixture.batches.clone(), options, |_| {}).unwrap();
        replay::dump(&store)
    };
    let expected = run(None);
    let failing: Vec<u64> = (0..SEEDS).filter(|seed| run(Some(*seed)) != expected).collect();
    assert!(failing.is_empty(), "`{}` ends differently with seeds {failing:?}", fixture.name);
    println!("chaos: {}: {SEEDS} seeds end the same", fixture.name);
}

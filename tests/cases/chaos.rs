//! Replays every fixture under `events/` with the worst deliveries that Lambda allows. The tables
//! must end with the same content as without faults.
//!
//! The content of the tables does not depend on time in any fixture. The reports may: if a target
//! is written late, an early check reports it as missing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a run prints how much it tried")]

use kit::fixture::Fixture;
use libtest_mimic::Trial;
use referee::engine::Engine;
use referee::replay::{self, Options};

/// How many seeds are tried for each case.
const SEEDS: u64 = 1_000;

/// Returns a trial for each case.
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

//! Every fixture under `events/`, with the worst deliveries that Lambda allows: the tables end as
//! without faults.
//!
//! No fixture's *content* depends on time. The *reports* may: a late target is missing in an early
//! check.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a run prints how much it tried")]
#![expect(clippy::unnecessary_wraps, reason = "the harness asks for results")]

#[path = "support/fixture.rs"]
mod fixture;

use std::path::Path;

use fixture::Fixture;
use referee::engine::Engine;
use referee::replay::{self, Options};

/// How many seeds of bad delivery are tried.
const SEEDS: u64 = 1_000;

fn chaos(rule_file: &Path) -> datatest_stable::Result<()> {
    let fixture = Fixture::read(rule_file);
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
    println!("{}: {SEEDS} seeds end the same", fixture.name);
    Ok(())
}

datatest_stable::harness! {
    { test = chaos, root = "events", pattern = r"/referee\.yaml$" },
}

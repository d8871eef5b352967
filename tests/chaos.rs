//! Every fixture under `events/`, delivered as badly as Lambda may, and with each request going
//! wrong in turn: the tables end as if all had gone well.
//!
//! No fixture's *content* depends on time. What is *reported* may: a target that comes late is
//! missing to one who looks early.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a run says how much it tried")]
#![expect(clippy::unnecessary_wraps, reason = "the harness asks for results")]

#[path = "support/fixture.rs"]
mod fixture;

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use fixture::Fixture;
use referee::engine::Engine;
use referee::replay::{self, Batch, Options};
use referee::store::memory::Fault;
use referee::store::{Memory, StoreError};

/// How many ways of delivering badly are tried.
const SEEDS: u64 = 1_000;

fn chaos(rule_file: &Path) -> datatest_stable::Result<()> {
    let fixture = Fixture::read(rule_file);
    let engine = Engine::new(fixture.rules.clone());
    let run = |chaos| {
        let store = fixture.store();
        deliver(&engine, &store, fixture.batches.clone(), chaos);
        replay::dump(&store)
    };
    let expected = run(None);
    let failing: Vec<u64> = (0..SEEDS).filter(|seed| run(Some(*seed)) != expected).collect();
    assert!(failing.is_empty(), "`{}` ends differently with seeds {failing:?}", fixture.name);
    println!("{}: {SEEDS} seeds end the same", fixture.name);
    Ok(())
}

/// The n-th request goes wrong, for each n and in each way.
fn fault_sweep(rule_file: &Path) -> datatest_stable::Result<()> {
    let fixture = Fixture::read(rule_file);
    let engine = Engine::new(fixture.rules.clone());
    let store = fixture.store();
    fixture.replay(&store);
    let expected = replay::dump(&store);

    let timeout = || StoreError::Retry("the request timed out".to_owned());
    let faults = [
        ("fails", Fault::Fail(timeout())),
        ("is lost", Fault::Lost(timeout())),
        ("lands late", Fault::Late(timeout())),
        ("crashes the worker before it", Fault::Crash { applied: false }),
        ("crashes the worker after it", Fault::Crash { applied: true }),
    ];
    let mut runs = 0;
    for (name, fault) in faults {
        for number in 1.. {
            let store = fixture.store();
            if !deliver_with(&engine, &store, &fixture, number, &fault) {
                break;
            }
            runs += 1;
            let context = format!("`{}`, request {number} {name}", fixture.name);
            assert_eq!(replay::dump(&store), expected, "{context}");
            fixture.replay(&store);
            assert_eq!(replay::dump(&store), expected, "{context}, and all is delivered again");
        }
    }
    println!("{}: {runs} faults end the same", fixture.name);
    Ok(())
}

/// Delivers a fixture with this fault at this request. Whether there was such a request.
fn deliver_with(
    engine: &Engine,
    store: &Memory,
    fixture: &Fixture,
    number: u64,
    fault: &Fault,
) -> bool {
    let met = Rc::new(Cell::new(false));
    let (fault, meets) = (fault.clone(), Rc::clone(&met));
    store.set_faults(Box::new(move |call| {
        if call.number == number {
            meets.set(true);
            fault.clone()
        } else {
            Fault::None
        }
    }));
    fixture.replay(store);
    store.clear_faults();
    store.land_all();
    // What landed late makes records of its own, and they alone must put things right.
    let nothing = Batch { file: String::new(), records: Vec::new() };
    deliver(engine, store, vec![nothing], None);
    met.get()
}

fn deliver(engine: &Engine, store: &Memory, batches: Vec<Batch>, chaos: Option<u64>) {
    let options = Options { chaos, ..Options::default() };
    replay::replay(engine, store, batches, options, |_| {}).unwrap();
}

datatest_stable::harness! {
    { test = chaos, root = "events", pattern = r"/referee\.yaml$" },
    { test = fault_sweep, root = "events", pattern = r"/referee\.yaml$" },
}

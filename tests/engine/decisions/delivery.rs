//! One batch, delivered at a time that the test chooses.

use std::cell::Cell;
use std::rc::Rc;

use referee::engine::{Engine, Outcome};
use referee::runtime::clock::Clock;
use referee::store::Store;

use kit::clocks::Jumping;
use kit::history::{BEGIN_S, History, load};

/// Returns a clock with this time and deadline, in seconds since histories begin.
pub(crate) fn clock(now: i64, deadline: i64) -> Jumping {
    Jumping { now_ms: Rc::new(Cell::new(ms(now))), deadline_ms: ms(deadline) }
}

/// Returns the clock's time, in whole seconds since histories begin.
pub(crate) fn seconds(clock: &Jumping) -> i64 {
    (clock.now_ms() - ms(0)) / 1_000
}

/// Converts seconds since histories begin to milliseconds since 1970.
fn ms(seconds: i64) -> i64 {
    (i64::try_from(BEGIN_S).unwrap() + seconds) * 1_000
}

/// Delivers a history's only batch and returns the engine's outcome. The writes that the records
/// describe are not applied to the store.
pub(crate) fn deliver(
    rules: &str,
    history: &History,
    store: &impl Store,
    clock: &Jumping,
) -> Outcome {
    let batch = history.batches().pop().unwrap();
    let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
    pollster::block_on(Engine::new(load(rules)).process(&records, store, clock)).unwrap()
}

//! One batch, delivered at a time of the test's choosing.

use std::cell::Cell;
use std::rc::Rc;

use referee::engine::{Engine, Outcome};
use referee::runtime::clock::Clock;
use referee::store::Store;

use crate::history::{BEGIN_S, History, load};
use crate::jumping::Jumping;

/// A clock that shows this time, with this deadline: in seconds since histories began.
pub(crate) fn clock(now: i64, deadline: i64) -> Jumping {
    Jumping { now_ms: Rc::new(Cell::new(ms(now))), deadline_ms: ms(deadline) }
}

/// The time that a clock shows, in whole seconds since histories began.
pub(crate) fn seconds(clock: &Jumping) -> i64 {
    (clock.now_ms() - ms(0)) / 1_000
}

/// The milliseconds since 1970 at so many seconds after histories begin.
fn ms(seconds: i64) -> i64 {
    (i64::try_from(BEGIN_S).unwrap() + seconds) * 1_000
}

/// What the engine says of a history's only batch. Nothing of it is written to the store.
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

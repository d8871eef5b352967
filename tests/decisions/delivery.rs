//! One batch, delivered at a time of the test's choosing.

use std::cell::Cell;

use referee::engine::{Clock, Engine, Outcome};
use referee::store::Store;

use crate::history::{BEGIN_S, History, load};

/// A clock that jumps to the time that is waited for, and stands still otherwise.
pub(crate) struct Jumping {
    now_ms: Cell<i64>,
    deadline_ms: i64,
}

impl Jumping {
    /// A clock that shows this time, with this deadline: in seconds since histories began.
    pub(crate) fn new(now: i64, deadline: i64) -> Self {
        Self { now_ms: Cell::new(ms(now)), deadline_ms: ms(deadline) }
    }

    /// A second passes.
    pub(crate) fn tick(&self) {
        self.now_ms.set(self.now_ms.get() + 1_000);
    }

    /// The time in whole seconds since histories began.
    pub(crate) fn seconds(&self) -> i64 {
        (self.now_ms.get() - ms(0)) / 1_000
    }
}

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.now_ms.set(self.now_ms.get().max(time_ms));
    }

    fn deadline_ms(&self) -> Option<i64> {
        Some(self.deadline_ms)
    }
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

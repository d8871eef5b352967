//! A request to stop.

use std::cell::Cell;

use super::clock::Clock;

/// A request to stop: work in progress is finished and saved, and no more is begun.
#[derive(Debug, Default)]
pub struct Stop(Cell<bool>);

/// The longest time for which a wait does not notice a request to stop, in milliseconds.
const SLICE_MS: i64 = 200;

impl Stop {
    /// Requests the stop.
    pub fn set(&self) {
        self.0.set(true);
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.get()
    }

    /// Waits this long, or until a stop is requested. Returns whether work may go on.
    ///
    /// It waits for a duration, not for a time: a clock that is set back does not prolong the wait.
    pub async fn wait_ms(&self, clock: &impl Clock, mut wait_ms: i64) -> bool {
        while wait_ms > 0 && !self.is_set() {
            let slice_ms = wait_ms.min(SLICE_MS);
            clock.sleep_until_ms(clock.now_ms().saturating_add(slice_ms)).await;
            wait_ms -= slice_ms;
        }
        !self.is_set()
    }
}

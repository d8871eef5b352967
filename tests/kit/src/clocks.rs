//! Clocks of engines on the in-memory store.

use std::cell::Cell;
use std::rc::Rc;

use referee::runtime::clock::Clock;

/// A clock that stands still until a caller waits: then it jumps to the end of the wait.
#[derive(Debug, Clone)]
pub struct Jumping {
    /// In milliseconds since 1970, like all times here.
    pub now_ms: Rc<Cell<i64>>,
    pub deadline_ms: i64,
}

impl Jumping {
    /// Advances the time.
    pub fn pass(&self, ms: i64) {
        self.now_ms.set(self.now_ms.get() + ms);
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

/// A clock whose waits end at once, for engines whose results do not depend on time.
pub struct Patient;

impl Clock for Patient {
    fn now_ms(&self) -> i64 {
        0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

/// A clock at which every grace period is over, so that nothing waits.
pub struct Late;

impl Clock for Late {
    fn now_ms(&self) -> i64 {
        1_000_000
    }

    async fn sleep_until_ms(&self, _: i64) {
        panic!("an old record needs no waiting");
    }
}

//! Clocks for engines that run on the in-memory store.

use std::cell::Cell;
use std::rc::Rc;

use referee::runtime::clock::Clock;

/// A clock that stands still until a caller waits, and then jumps to the end of the wait.
#[derive(Debug, Clone)]
pub struct Jumping {
    /// The current time, in milliseconds since 1970.
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

/// A clock whose waits end at once, for tests whose results do not depend on time.
pub struct Patient;

impl Clock for Patient {
    fn now_ms(&self) -> i64 {
        0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

/// A clock that stands still, at this time in milliseconds since 1970. Waits end at once.
pub struct Standing(pub i64);

impl Clock for Standing {
    fn now_ms(&self) -> i64 {
        self.0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

/// A clock that shows a time after every grace period, so that no caller has to wait.
pub struct Late;

impl Clock for Late {
    fn now_ms(&self) -> i64 {
        1_000_000
    }

    async fn sleep_until_ms(&self, _: i64) {
        panic!("an old record needs no waiting");
    }
}

/// A clock that shows the time of every record, so that no grace period is over. No caller waits.
pub struct Early;

impl Clock for Early {
    fn now_ms(&self) -> i64 {
        0
    }

    async fn sleep_until_ms(&self, _: i64) {
        panic!("a suspect waits on the queue");
    }
}

//! A clock for engines that are asked for nothing that depends on the time.

use referee::runtime::clock::Clock;

/// Time that passes while it is waited for.
pub(crate) struct Patient;

impl Clock for Patient {
    fn now_ms(&self) -> i64 {
        0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

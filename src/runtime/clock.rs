//! Time, passed as an argument.

use std::future::Future;

/// The time, and a way to wait.
pub trait Clock {
    /// The time, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Waits until this time, in milliseconds since 1970.
    fn sleep_until_ms(&self, time_ms: i64) -> impl Future<Output = ()>;

    /// The time by which the run must end, if there is one, in milliseconds since 1970. Work that
    /// cannot be done by then is left for another run.
    fn deadline_ms(&self) -> Option<i64> {
        None
    }

    /// Whether a request may still be started.
    fn has_time(&self) -> bool {
        self.deadline_ms().is_none_or(|deadline_ms| self.now_ms() < deadline_ms)
    }
}

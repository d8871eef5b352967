//! Time, as an argument.

use std::future::Future;

/// Time, as the engine needs it.
pub trait Clock {
    /// The time, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Waits until a time has come.
    fn sleep_until_ms(&self, time_ms: i64) -> impl Future<Output = ()>;

    /// The time at which the batch must be done, if there is one: what cannot be done by then is
    /// handed back.
    fn deadline_ms(&self) -> Option<i64> {
        None
    }
}

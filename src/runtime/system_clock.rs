//! The real clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::clock::Clock;

/// The system's own time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the edge that time comes in at")]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let wait_ms = time_ms.saturating_sub(self.now_ms());
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))).await;
    }
}

/// The system's own time, of which there is only so much.
#[derive(Debug, Clone, Copy)]
pub struct Until {
    /// When it is over, in milliseconds since 1970.
    pub deadline_ms: i64,
}

impl Clock for Until {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        SystemClock.sleep_until_ms(time_ms).await;
    }

    fn deadline_ms(&self) -> Option<i64> {
        Some(self.deadline_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_time_that_has_come_is_not_waited_for() {
        let clock = SystemClock;
        clock.sleep_until_ms(i64::MIN).await;
        let due_ms = clock.now_ms() + 5;
        clock.sleep_until_ms(due_ms).await;
        assert!(clock.now_ms() >= due_ms);
    }
}

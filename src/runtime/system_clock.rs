//! The system clock.

#[cfg(feature = "aws")]
use std::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "aws")]
use super::clock::Clock;

/// The system time, in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the system time enters the crate only here")]
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// The system time, without a deadline.
#[cfg(feature = "aws")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(feature = "aws")]
impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let wait_ms = time_ms.saturating_sub(self.now_ms());
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))).await;
    }
}

/// The system time, with a deadline.
#[cfg(feature = "aws")]
#[derive(Debug, Clone, Copy)]
pub struct DeadlineClock {
    /// The deadline, in milliseconds since 1970.
    pub deadline_ms: i64,
}

#[cfg(feature = "aws")]
impl Clock for DeadlineClock {
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

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_until_a_past_time_returns_at_once() {
        let clock = SystemClock;
        clock.sleep_until_ms(i64::MIN).await;
        let due_ms = clock.now_ms() + 5;
        clock.sleep_until_ms(due_ms).await;
        assert!(clock.now_ms() >= due_ms);
    }
}

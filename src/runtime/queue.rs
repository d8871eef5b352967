//! A queue on which suspects wait for the end of their grace period.

use std::future::Future;

/// The maximum size of a message, in bytes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// The longest delay of a message, in seconds.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const DELAY_SECONDS_MAX: u32 = 900;

/// A queue that delivers each message at least once, in any order.
pub trait Queue {
    /// Sends a message, which is delivered after the delay, at most [`DELAY_SECONDS_MAX`]. Returns
    /// when the queue has stored it. The error says why the queue may not have accepted it.
    fn send(&self, message: String, delay_seconds: u32)
    -> impl Future<Output = Result<(), String>>;
}

/// The queue where none is configured. It has no value, so nothing can be sent to it.
#[derive(Debug, Clone, Copy)]
pub enum NoQueue {}

impl Queue for NoQueue {
    async fn send(&self, _: String, _: u32) -> Result<(), String> {
        match *self {}
    }
}

/// The delay after which this time has come, in whole seconds, as far as a queue allows. A message
/// that comes back early is sent again.
pub(crate) fn delay_seconds(due_ms: i64, now_ms: i64) -> u32 {
    let left_ms = due_ms.saturating_sub(now_ms).max(0).unsigned_abs();
    u32::try_from(left_ms.div_ceil(1_000)).unwrap_or(u32::MAX).min(DELAY_SECONDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_covers_the_time_left_up_to_the_maximum() {
        for (left_ms, seconds) in [(-5, 0), (0, 0), (1, 1), (1_000, 1), (1_001, 2), (31_000, 31)] {
            assert_eq!(delay_seconds(7 + left_ms, 7), seconds, "{left_ms}");
        }
        assert_eq!(delay_seconds(i64::MAX, -1), DELAY_SECONDS_MAX);
    }
}

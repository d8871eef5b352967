//! The waits after failed attempts.

use backon::{BackoffBuilder as _, ExponentialBackoff};

use crate::aws::backoff::exponential;

/// The shortest and the longest wait.
const PAUSE_MS_MIN: u64 = 250;
const PAUSE_MS_MAX: u64 = 30_000;

/// Waits that grow with each consecutive failure. They have no jitter, because a simulation must
/// be reproducible and there is only one watcher of a stream.
#[derive(Debug)]
pub(super) struct Pauses {
    pauses: ExponentialBackoff,
    have_begun: bool,
}

impl Pauses {
    /// Begins with the shortest wait, as after a success.
    pub(super) fn new() -> Self {
        let pauses = exponential(PAUSE_MS_MIN, PAUSE_MS_MAX).without_max_times().build();
        Self { pauses, have_begun: false }
    }

    /// The next wait: twice as long as the last one, up to the longest.
    pub(super) fn next_ms(&mut self) -> i64 {
        self.have_begun = true;
        let pause_ms =
            self.pauses.next().map_or(u128::from(PAUSE_MS_MAX), |pause| pause.as_millis());
        i64::try_from(pause_ms).unwrap_or(i64::MAX)
    }

    /// Whether there was a wait since the last success.
    pub(super) const fn have_begun(&self) -> bool {
        self.have_begun
    }

    /// Starts again with the shortest wait, and returns it.
    pub(super) fn restart_ms(&mut self) -> i64 {
        *self = Self::new();
        self.next_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut pauses = Pauses::new();
        let waits_ms = std::iter::repeat_with(|| pauses.next_ms()).take(9).collect::<Vec<_>>();
        assert_eq!(waits_ms, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!([pauses.restart_ms(), pauses.next_ms()], [250, 500]);
    }
}

//! A limit on the read units that an audit consumes per second.
//!
//! It limits units, not items or pages, because units are what a table has and what is billed. How
//! many units a page consumes is known only afterwards. Therefore, a page is admitted with an
//! estimate, and the difference is settled when its answer is there.

use std::cell::RefCell;

use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;

/// How much may be saved up while nothing is read, in seconds of the rate.
const BURST_S: f64 = 1.0;

/// A token bucket of read units. It may be in debt: then nothing is admitted until the debt is paid
/// off at the rate.
#[derive(Debug, Clone)]
pub struct Bucket {
    units_per_second: f64,
    /// The units that may be consumed now; negative while in debt.
    level: f64,
    /// The time of the level, in milliseconds since 1970.
    at_ms: i64,
}

impl Bucket {
    /// An empty bucket with this rate, at this time in milliseconds since 1970.
    #[must_use]
    pub fn new(units_per_second: f64, now_ms: i64) -> Self {
        Self { units_per_second, level: 0.0, at_ms: now_ms }
    }

    /// Takes the units that a request will probably consume. Returns how long the request must wait
    /// before it is sent, in milliseconds.
    ///
    /// A request may take more than there is, so that a request larger than the burst is possible
    /// at all. The requests after it wait for that.
    pub fn take(&mut self, units: f64, now_ms: i64) -> i64 {
        self.refill(now_ms);
        let debt = (-self.level).max(0.0);
        self.level -= units;
        ms(debt / self.units_per_second)
    }

    /// Corrects the estimate of a request by what it consumed.
    pub fn settle(&mut self, estimated_units: f64, consumed_units: f64) {
        self.level += estimated_units - consumed_units;
    }

    /// Adds the units since the last call. If the clock was set back, it adds none; if it was set
    /// forward, it adds no more than a burst.
    fn refill(&mut self, now_ms: i64) {
        let elapsed_s = seconds(now_ms.saturating_sub(self.at_ms).max(0));
        let burst = self.units_per_second * BURST_S;
        self.level = (self.level + elapsed_s * self.units_per_second).min(burst);
        self.at_ms = now_ms;
    }
}

/// The limit of an audit, shared by everything that it reads.
#[derive(Debug)]
pub struct Limiter {
    bucket: Option<RefCell<Bucket>>,
}

impl Limiter {
    /// A limit of this many read units a second; none if absent.
    #[must_use]
    pub fn new(units_per_second: Option<f64>, clock: &impl Clock) -> Self {
        let bucket = units_per_second.map(|rate| RefCell::new(Bucket::new(rate, clock.now_ms())));
        Self { bucket }
    }

    /// The limit, in read units a second.
    #[must_use]
    pub fn units_per_second(&self) -> Option<f64> {
        self.bucket.as_ref().map(|bucket| bucket.borrow().units_per_second)
    }

    /// Waits until a request that will probably consume this many units may be sent. Returns whether
    /// it may, which it may not after a stop.
    pub async fn admit(&self, units: f64, clock: &impl Clock, stop: &Stop) -> bool {
        let Some(bucket) = &self.bucket else { return !stop.is_set() };
        let wait_ms = bucket.borrow_mut().take(units, clock.now_ms());
        stop.wait_ms(clock, wait_ms).await
    }

    /// Corrects the estimate of a request that was admitted by what it consumed.
    pub fn settle(&self, estimated_units: f64, consumed_units: f64) {
        if let Some(bucket) = &self.bucket {
            bucket.borrow_mut().settle(estimated_units, consumed_units);
        }
    }
}

/// Whole milliseconds, rounded up.
fn ms(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let ms = (seconds * 1_000.0).ceil() as i64;
    ms
}

fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact for the next 285,000 years")]
    let ms = ms as f64;
    ms / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_waits_until_those_before_it_are_paid_for() {
        let mut bucket = Bucket::new(100.0, 0);
        assert_eq!(bucket.take(128.0, 0), 0);
        assert_eq!(bucket.take(128.0, 0), 1_280);
        assert_eq!(bucket.take(128.0, 1_280), 1_280);
    }

    #[test]
    fn an_estimate_is_corrected() {
        let mut bucket = Bucket::new(100.0, 0);
        bucket.take(128.0, 0);
        bucket.settle(128.0, 28.0);
        assert_eq!(bucket.take(1.0, 0), 280);
        bucket.settle(1.0, 101.0);
        assert_eq!(bucket.take(1.0, 280), 1_010);
    }

    #[test]
    fn no_more_than_a_second_is_saved_up() {
        let mut bucket = Bucket::new(100.0, 0);
        assert_eq!(bucket.take(100.0, 1_000_000), 0);
        assert_eq!(bucket.take(100.0, 1_000_000), 0);
        assert_eq!(bucket.take(1.0, 1_000_000), 1_000);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_neither_requests_nor_the_limit() {
        let mut bucket = Bucket::new(100.0, 1_000_000);
        bucket.take(100.0, 1_000_000);
        assert_eq!(bucket.take(100.0, 0), 1_000);
        assert_eq!(bucket.take(100.0, 1_000), 1_000);
    }

    proptest! {
        /// Whatever the clock and the requests do, what is sent within any time is at most the rate,
        /// a burst, and the last request.
        #[test]
        fn the_rate_is_never_exceeded(
            rate in 1.0..1_000.0_f64,
            requests in proptest::collection::vec((0.0..500.0_f64, 0.2..3.0_f64, 0..5_000_i64), 1..50),
        ) {
            let mut bucket = Bucket::new(rate, 0);
            let (mut now_ms, mut sent) = (0, Vec::new());
            for (units, error, pause_ms) in requests {
                now_ms += pause_ms;
                let estimated = units * error;
                now_ms += bucket.take(estimated, now_ms);
                bucket.settle(estimated, units);
                sent.push((now_ms, units));
            }
            for (first, (from_ms, _)) in sent.iter().enumerate() {
                let mut units_before_last = 0.0;
                for (to_ms, units) in sent.iter().skip(first) {
                    let allowed = rate * (seconds(to_ms - from_ms) + BURST_S);
                    prop_assert!(units_before_last <= allowed + 1e-6);
                    units_before_last += units;
                }
            }
        }
    }
}

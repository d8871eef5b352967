//! How many segments are read at the same time.
//!
//! A table does not say how much it can take. So a scan begins with few segments at once, and
//! doubles them for as long as that makes it clearly faster. It stops growing once it does not: the
//! table, the rate limit, the network or this machine is at its limit, and more requests would only
//! wait for each other. Throttled requests wait for their retries, and so look the same. If a page
//! fails although its request was retried, the number is halved, and never grows again.

/// How many segments are read at once at first.
const WIDTH_MIN: u32 = 2;
/// How long a number of segments is tried, in milliseconds.
const TRIAL_MS: i64 = 1_000;
/// How many pages for each of the segments a trial must have, so that it measures more than chance.
const TRIAL_PAGES: u32 = 2;
/// By which factor a doubled number must be faster to be worth it.
const GAIN_MIN: f64 = 1.2;

/// The number of segments that are read at the same time.
#[derive(Debug)]
pub struct Width {
    now: u32,
    max: u32,
    /// The speed with half as many, in units per millisecond.
    before: f64,
    is_settled: bool,
    /// The trial of the current number.
    since_ms: i64,
    units: f64,
    pages: u32,
}

impl Width {
    /// Begins with few segments. There are never more than this many.
    #[must_use]
    pub fn new(max: u32, now_ms: i64) -> Self {
        let max = max.max(1);
        Self {
            now: WIDTH_MIN.min(max),
            max,
            before: 0.0,
            is_settled: false,
            since_ms: now_ms,
            units: 0.0,
            pages: 0,
        }
    }

    /// The number of segments to read now.
    #[must_use]
    pub const fn now(&self) -> u32 {
        self.now
    }

    /// Records a page that was read, and what it consumed.
    pub fn page(&mut self, units: f64, now_ms: i64) {
        if self.is_settled {
            return;
        }
        self.units += units;
        self.pages += 1;
        let elapsed_ms = now_ms.saturating_sub(self.since_ms);
        if elapsed_ms < 0 {
            // The clock was set back.
            self.restart(now_ms);
        } else if elapsed_ms >= TRIAL_MS && self.pages >= self.now.saturating_mul(TRIAL_PAGES) {
            #[expect(clippy::cast_precision_loss, reason = "a trial takes seconds")]
            self.judge(self.units / elapsed_ms as f64);
            self.restart(now_ms);
        }
    }

    /// Records that a page failed, although its request was retried.
    pub fn failed(&mut self) {
        self.now = (self.now / 2).max(1);
        self.is_settled = true;
    }

    /// Decides after a trial with this speed.
    fn judge(&mut self, speed: f64) {
        if self.now == self.max || speed < self.before * GAIN_MIN {
            self.is_settled = true;
        } else {
            self.before = speed;
            self.now = self.now.saturating_mul(2).min(self.max);
        }
    }

    fn restart(&mut self, now_ms: i64) {
        (self.since_ms, self.units, self.pages) = (now_ms, 0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of segments after some time, at a table where this many segments have
    /// this speed in units per millisecond.
    fn settled(max: u32, speed: impl Fn(u32) -> f64) -> u32 {
        let mut width = Width::new(max, 0);
        for now_ms in (0..60_000).step_by(10) {
            width.page(speed(width.now()) * 10.0, now_ms);
        }
        width.now()
    }

    #[test]
    fn it_grows_while_the_scan_gets_faster() {
        assert_eq!(settled(1, f64::from), 1);
        assert_eq!(settled(3, f64::from), 3);
        assert_eq!(settled(100, f64::from), 100);
        assert_eq!(settled(100, |width| f64::from(width.min(10))), 32);
        assert_eq!(settled(100, |_| 1.0), 4);
        assert_eq!(settled(100, |width| 1.0 / f64::from(width)), 4);
    }

    #[test]
    fn a_failed_page_halves_it_for_good() {
        let mut width = Width::new(64, 0);
        for now_ms in (0..6_000).step_by(10) {
            width.page(f64::from(width.now()), now_ms);
        }
        assert_eq!(width.now(), 64);
        width.failed();
        assert_eq!(width.now(), 32);
        (0..9).for_each(|_| width.failed());
        assert_eq!(width.now(), 1);
        for now_ms in (6_000..60_000).step_by(10) {
            width.page(1.0, now_ms);
        }
        assert_eq!(width.now(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_only_prolongs_a_trial() {
        let mut width = Width::new(64, 1_000_000);
        for now_ms in (0..6_000).step_by(10) {
            width.page(f64::from(width.now()), now_ms);
        }
        assert_eq!(width.now(), 64);
    }
}

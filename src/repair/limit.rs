//! A limit on the write units that are consumed per second.

use std::cell::Cell;

use crate::runtime::clock::Clock;

/// Write units a second. How many units a write consumes is known only afterwards, so each group of
/// writes waits until those before it are paid for at the rate.
#[derive(Debug)]
pub struct Limit {
    units_per_second: Option<f64>,
    /// When everything so far is paid for, in milliseconds since 1970.
    paid_at_ms: Cell<i64>,
}

impl Limit {
    /// A limit of this many write units a second; none if absent.
    #[must_use]
    pub const fn new(units_per_second: Option<f64>) -> Self {
        Self { units_per_second, paid_at_ms: Cell::new(i64::MIN) }
    }

    /// Whether so many units are more than a second may consume.
    pub(super) fn is_exceeded_by(&self, units: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a chunk has few units")]
        let units = units as f64;
        self.units_per_second.is_some_and(|rate| units > rate)
    }

    /// Waits until everything so far is paid for.
    pub(super) async fn wait(&self, clock: &impl Clock) {
        if self.paid_at_ms.get() > clock.now_ms() {
            clock.sleep_until_ms(self.paid_at_ms.get()).await;
        }
    }

    /// Accounts for units that were consumed by writes that began at this time.
    pub(super) fn consumed(&self, units: f64, began_ms: i64) {
        let Some(rate) = self.units_per_second.filter(|rate| *rate > 0.0) else { return };
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let cost_ms = (units / rate * 1_000.0).ceil() as i64;
        // A clock that was set back must not stop all writes.
        self.paid_at_ms.set(began_ms.saturating_add(cost_ms));
    }
}

//! Exponential back-off: the schedule of waits that every retry uses.

use std::time::Duration;

use backon::ExponentialBuilder;

/// Waits that begin with the minimum and double until they reach the maximum.
pub(crate) fn exponential(delay_ms_min: u64, delay_ms_max: u64) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_factor(2.0)
        .with_min_delay(Duration::from_millis(delay_ms_min))
        .with_max_delay(Duration::from_millis(delay_ms_max))
}

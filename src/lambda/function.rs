//! The handler: takes a batch of records and returns a partial batch response.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::log::Log;
use crate::engine::{Engine, PartialBatchResponse, answer, records};
use crate::metrics::Metrics;
use crate::runtime::clock::Clock as _;
use crate::runtime::error::Fatal;
use crate::runtime::system_clock::{DeadlineClock, SystemClock};
use crate::store::DynamoDb;

/// The time reserved at the end of an invocation for the metrics and the response, in milliseconds.
const MARGIN_MS_MAX: i64 = 1_000;
/// The part of this time that is reserved for the response, so that slow metrics cannot delay it.
const RESPONSE_MS: i64 = 100;

/// A time longer than any invocation: Lambda's limit is 15 minutes.
const DAY_MS: i64 = 86_400_000;

/// The immutable state that invocations share.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) engine: Engine,
    pub(super) store: DynamoDb,
    pub(super) metrics: Metrics,
    pub(super) logs_items: bool,
}

impl Function {
    /// Processes the records of an event until shortly before the deadline, which is in
    /// milliseconds since 1970.
    pub(super) async fn answer(
        &self,
        event: &[u8],
        request_id: &str,
        deadline_ms: i64,
    ) -> Result<PartialBatchResponse, Fatal> {
        let rules = self.engine.rules();
        let log = Log { rules, request_id, shows_items: self.logs_items };
        let began_ms = SystemClock.now_ms();
        let deadline_ms = believable_ms(deadline_ms, began_ms);
        let clock = DeadlineClock { deadline_ms: deadline_ms - margin_ms(deadline_ms - began_ms) };
        let store = self.store.until(instant(clock.deadline_ms, began_ms));
        let outcome = async {
            let event = std::str::from_utf8(event).map_err(|error| Fatal(error.to_string()))?;
            let records = records(event).map_err(|error| Fatal(error.to_string()))?;
            self.engine.check_stream(&records)?;
            let outcome = self.engine.process(&records, &store, &clock).await?;
            Ok((records, outcome))
        };
        let (records, outcome) = outcome.await.inspect_err(|error| log.fatal(error))?;

        let done_ms = SystemClock.now_ms();
        let published = self.metrics.publish(rules, &outcome, done_ms);
        let published = timeout_at(instant(deadline_ms - RESPONSE_MS, done_ms), published).await;
        let published = published.unwrap_or_else(|_| Err("there was no time left".to_owned()));
        published.unwrap_or_else(|error| log.metrics_lost(&error));
        log.outcome(&outcome, &records, SystemClock.now_ms() - began_ms);
        Ok(answer(&outcome))
    }
}

/// The deadline, or a day from now if it is in the past: `cargo lambda watch` has no deadline and
/// sends a constant.
const fn believable_ms(deadline_ms: i64, now_ms: i64) -> i64 {
    if deadline_ms > now_ms { deadline_ms } else { now_ms + DAY_MS }
}

/// The time to reserve out of the time left. It is at most a quarter, so that even a short
/// invocation makes progress.
fn margin_ms(left_ms: i64) -> i64 {
    MARGIN_MS_MAX.min(left_ms / 4)
}

/// A time on tokio's clock.
fn instant(time_ms: i64, now_ms: i64) -> Instant {
    let left_ms = time_ms.saturating_sub(now_ms).clamp(0, DAY_MS);
    Instant::now() + Duration::from_millis(left_ms.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_reserved_for_the_response() {
        for left_ms in [4, 100, 3_000, 900_000] {
            let margin_ms = margin_ms(left_ms);
            assert!(0 < margin_ms && margin_ms <= left_ms / 4, "{left_ms}: {margin_ms}");
        }
    }

    #[test]
    fn a_deadline_in_the_past_is_ignored() {
        assert_eq!(believable_ms(600_000, 1_700_000_000_000), 1_700_000_000_000 + DAY_MS);
        assert_eq!(believable_ms(1_700_000_000_001, 1_700_000_000_000), 1_700_000_000_001);
    }
}

//! Trying again: the one place that decides how often, and how long to wait in between.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use crate::store::StoreError;

/// How often a request is tried again.
const RETRIES_MAX: usize = 7;
/// The shortest wait before a request is tried again, and the longest.
const DELAY_MS_MIN: u64 = 25;
const DELAY_MS_MAX: u64 = 2_000;

/// The waits between attempts: each about twice as long as the one before, with jitter, so that
/// workers who were throttled together do not come back together.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
pub(super) fn back_off() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(DELAY_MS_MIN))
        .with_max_delay(Duration::from_millis(DELAY_MS_MAX))
        .with_max_times(RETRIES_MAX)
        .with_jitter()
}

/// Makes a request until it is answered with something other than "not now".
pub(super) async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
    attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    attempt.retry(back_off()).when(|error| matches!(error, StoreError::Retry(_))).await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Answers with these errors, one after the other, and then with success.
    async fn attempts(errors: Vec<StoreError>) -> (Result<(), StoreError>, usize) {
        let count = Cell::new(0);
        let answer = persist(|| {
            let answer = errors.get(count.get()).cloned().map_or(Ok(()), Err);
            count.set(count.get() + 1);
            async { answer }
        })
        .await;
        (answer, count.get())
    }

    fn retry() -> StoreError {
        StoreError::Retry("not now".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn not_now_is_asked_again() {
        assert_eq!(attempts(vec![retry(); RETRIES_MAX]).await, (Ok(()), RETRIES_MAX + 1));
        assert_eq!(attempts(vec![retry(); 99]).await, (Err(retry()), RETRIES_MAX + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_is_not_asked_again() {
        for error in [StoreError::Rejected("no".to_owned()), StoreError::Fatal("no".to_owned())] {
            assert_eq!(attempts(vec![error.clone()]).await, (Err(error), 1));
        }
    }
}

//! Retries: how often a request is sent again, and how long to wait between the attempts.

use std::future::Future;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder, Retryable as _};

use crate::aws::backoff::exponential;
use crate::store::StoreError;

/// The maximum number of retries of a request.
const RETRIES_MAX: usize = 7;
/// The shortest and the longest wait before a retry.
const DELAY_MS_MIN: u64 = 25;
const DELAY_MS_MAX: u64 = 2_000;

/// The waits between attempts, with jitter, so that clients that were throttled together do not
/// retry together.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn schedule() -> ExponentialBuilder {
    exponential(DELAY_MS_MIN, DELAY_MS_MAX).with_max_times(RETRIES_MAX).with_jitter()
}

/// The waits between attempts, for a caller that repeats a request itself.
pub(super) fn delays() -> ExponentialBackoff {
    schedule().build()
}

/// Sends a request until it succeeds, fails permanently, or has been retried [`RETRIES_MAX`] times.
///
/// A write whose answer was lost may have been applied. Its retry then fails its condition, and
/// the item that is returned with the failure shows why.
pub(super) async fn retrying<T, F: Future<Output = Result<T, StoreError>>>(
    attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    attempt.retry(schedule()).when(may_pass).await
}

/// Whether the same request may succeed later.
const fn may_pass(error: &StoreError) -> bool {
    matches!(error, StoreError::Retry(_) | StoreError::Throttled(_))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Answers with these errors, one after the other, and then with success.
    async fn attempts(errors: Vec<StoreError>) -> (Result<(), StoreError>, usize) {
        let count = Cell::new(0);
        let answer = retrying(|| {
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
    async fn transient_errors_are_retried_up_to_the_maximum() {
        assert_eq!(attempts(vec![retry(); RETRIES_MAX]).await, (Ok(()), RETRIES_MAX + 1));
        assert_eq!(attempts(vec![retry(); 99]).await, (Err(retry()), RETRIES_MAX + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn permanent_errors_are_not_retried() {
        for error in [StoreError::Rejected("no".to_owned()), StoreError::Fatal("no".to_owned())] {
            assert_eq!(attempts(vec![error.clone()]).await, (Err(error), 1));
        }
    }
}

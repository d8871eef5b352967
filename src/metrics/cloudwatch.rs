//! CloudWatch, accessed through the AWS SDK.
//!
//! Invariant: no other module uses the SDK's CloudWatch types.

#[cfg(feature = "live")]
mod alarms;

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

#[cfg(feature = "live")]
pub use alarms::DescribedAlarm;

use super::{DIMENSION, Datum, Unit};
use crate::aws::SdkConfig;
use crate::aws::error::Brief;

/// The maximum number of values in one request.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
const DATA_MAX: usize = 1_000;

/// The maximum number of attempts of a request. A second one helps if CloudWatch has closed the
/// connection meanwhile. Callers limit the time of all attempts together.
const ATTEMPTS_MAX: u32 = 2;

/// A client of CloudWatch.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    client: Client,
}

impl CloudWatch {
    /// A client for this configuration's account and Region.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
        let config = aws_sdk_cloudwatch::config::Builder::from(config).retry_config(retries);
        Self { client: Client::from_conf(config.build()) }
    }

    /// Publishes values, in as few requests as possible.
    ///
    /// `now_ms` is their timestamp. It should be the time of processing, not that of the changes:
    /// CloudWatch may take hours to show data that is hours old, so that the processing of a
    /// backlog would remain invisible.
    pub(super) async fn put(
        &self,
        namespace: &str,
        data: &[Datum],
        now_ms: i64,
    ) -> Result<(), String> {
        for chunk in data.chunks(DATA_MAX) {
            let data = chunk.iter().map(|datum| metric_datum(datum, now_ms)).collect();
            let request =
                self.client.put_metric_data().namespace(namespace).set_metric_data(Some(data));
            request.send().await.map_err(|error| brief("PutMetricData", &error))?;
        }
        Ok(())
    }
}

fn metric_datum(datum: &Datum, now_ms: i64) -> MetricDatum {
    let since_1970 = Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
    let dimension = |rule: &String| Dimension::builder().name(DIMENSION).value(rule).build();
    MetricDatum::builder()
        .metric_name(datum.name)
        .set_dimensions(datum.rule.as_ref().map(|rule| vec![dimension(rule)]))
        .timestamp(DateTime::from(UNIX_EPOCH + since_1970))
        .value(datum.value)
        .unit(match datum.unit {
            Unit::Count => StandardUnit::Count,
            Unit::Milliseconds => StandardUnit::Milliseconds,
        })
        .build()
}

/// An error in one line: CloudWatch's answer, or why there is none.
fn brief<E>(operation: &str, error: &SdkError<E>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let Some(code) = error.code() {
        let message = error.message().unwrap_or("no message");
        return format!("`{operation}`: {code}: {message}");
    }
    format!("`{operation}`: {}", Brief(error))
}

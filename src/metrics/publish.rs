//! Publishes metrics.

use std::io::Write as _;

use super::cloudwatch::CloudWatch;
use super::{Datum, Path, embedded};
use crate::aws::SdkConfig;

/// A publisher of metrics.
#[derive(Debug)]
pub struct Metrics {
    /// Where metrics are written.
    pub sink: Sink,
    /// The namespace of the metrics.
    pub namespace: String,
}

/// The configured destination of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// CloudWatch.
    CloudWatch,
    /// Standard output, in the embedded metric format.
    Embedded,
    /// No destination: metrics are not published.
    Nowhere,
}

impl Destination {
    /// The names of the destinations in `REFEREE_METRICS`.
    pub const NAMES: [&str; 3] = ["cloudwatch", "emf", "none"];

    /// The destination with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "cloudwatch" => Some(Self::CloudWatch),
            "emf" => Some(Self::Embedded),
            "none" => Some(Self::Nowhere),
            _ => None,
        }
    }

    /// The sink for this destination, for a program whose standard output is not a log in
    /// CloudWatch, in this configuration's account and Region.
    #[must_use]
    pub fn open(self, config: &SdkConfig) -> Sink {
        match self {
            Self::CloudWatch => Sink::Requests(CloudWatch::new(config)),
            Self::Embedded => Sink::Log,
            Self::Nowhere => Sink::Nowhere,
        }
    }

    /// The sink for this destination, for the function.
    #[must_use]
    pub fn open_in_function(self, config: &SdkConfig) -> Sink {
        match self {
            Self::CloudWatch => Sink::ByMetric(CloudWatch::new(config)),
            Self::Embedded | Self::Nowhere => self.open(config),
        }
    }
}

/// Where metrics are written.
#[derive(Debug)]
pub enum Sink {
    /// CloudWatch: each metric with a request or in the log, as its definition says.
    ByMetric(CloudWatch),
    /// CloudWatch, with requests.
    Requests(CloudWatch),
    /// Standard output, in the embedded metric format.
    Log,
    /// No sink: metrics are not published.
    Nowhere,
}

impl Metrics {
    /// Publishes values, if there are any. A failure must not fail the batch or the audit: the caller
    /// reports the error and continues.
    ///
    /// Lines are written before the first request is sent, so a caller may give up on the requests.
    pub async fn publish(&self, data: &[Datum], now_ms: i64) -> Result<(), String> {
        match &self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Log => self.write(data, now_ms),
            Sink::Requests(cloudwatch) => cloudwatch.put(&self.namespace, data, now_ms).await,
            Sink::ByMetric(cloudwatch) => {
                let all = data.iter().cloned();
                let (sent, written): (Vec<_>, Vec<_>) =
                    all.partition(|datum| datum.path == Path::Request);
                let written = self.write(&written, now_ms);
                cloudwatch.put(&self.namespace, &sent, now_ms).await.and(written)
            }
        }
    }

    /// Publishes values that must survive the process: as lines, which need no answer. A sink that
    /// only sends requests gets none.
    pub fn write_now(&self, data: &[Datum], now_ms: i64) -> Result<(), String> {
        match &self.sink {
            Sink::Nowhere | Sink::Requests(_) => Ok(()),
            Sink::Log | Sink::ByMetric(_) => self.write(data, now_ms),
        }
    }

    /// Writes values in the embedded metric format.
    fn write(&self, data: &[Datum], now_ms: i64) -> Result<(), String> {
        let lines = embedded::lines(&self.namespace, data, now_ms);
        // All lines are written at once, because CloudWatch ignores a line that is split.
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let written = std::io::stdout().lock().write_all(text.as_bytes());
        written.map_err(|error| format!("cannot write to standard output: {error}"))
    }
}

//! Publishes metrics.

use std::io::Write as _;

use super::cloudwatch::CloudWatch;
use super::{Datum, embedded};
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
    /// CloudWatch's API.
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

    /// The sink for this destination, in this configuration's account and Region.
    #[must_use]
    pub fn open(self, config: &SdkConfig) -> Sink {
        match self {
            Self::CloudWatch => Sink::CloudWatch(CloudWatch::new(config)),
            Self::Embedded => Sink::Embedded,
            Self::Nowhere => Sink::Nowhere,
        }
    }
}

/// Where metrics are written.
#[derive(Debug)]
pub enum Sink {
    /// CloudWatch's API, usually with one request for each batch.
    CloudWatch(CloudWatch),
    /// Standard output, in the embedded metric format.
    Embedded,
    /// No sink: metrics are not published.
    Nowhere,
}

impl Metrics {
    /// Publishes values, if there are any. A failure must not fail the batch or the audit: the caller
    /// reports the error and continues.
    pub async fn publish(&self, data: &[Datum], now_ms: i64) -> Result<(), String> {
        match &self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Embedded => {
                let lines = embedded::lines(&self.namespace, data, now_ms);
                // All lines are written at once, because CloudWatch ignores a line that is split.
                let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
                let written = std::io::stdout().lock().write_all(text.as_bytes());
                written.map_err(|error| format!("cannot write to standard output: {error}"))
            }
            Sink::CloudWatch(cloudwatch) => cloudwatch.put(&self.namespace, data, now_ms).await,
        }
    }
}

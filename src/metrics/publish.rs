//! Publishing: where the numbers of an outcome go.

use std::io::Write as _;

use super::cloudwatch::CloudWatch;
use super::{embedded, measure};
use crate::aws::SdkConfig;
use crate::engine::Outcome;
use crate::rules::model::Rules;

/// Where metrics go, and under which name.
#[derive(Debug)]
pub struct Metrics {
    /// Where they go.
    pub sink: Sink,
    /// Their namespace.
    pub namespace: String,
}

/// Where metrics are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To CloudWatch's API.
    CloudWatch,
    /// To standard output, in the embedded metric format.
    Embedded,
    /// Nowhere.
    Nowhere,
}

impl Destination {
    /// The names that `REFEREE_METRICS` gives them.
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

    /// The way there, with this account and Region.
    #[must_use]
    pub fn open(self, config: &SdkConfig) -> Sink {
        match self {
            Self::CloudWatch => Sink::CloudWatch(CloudWatch::new(config)),
            Self::Embedded => Sink::Embedded,
            Self::Nowhere => Sink::Nowhere,
        }
    }
}

/// Where metrics go.
#[derive(Debug)]
pub enum Sink {
    /// To CloudWatch's API: one request for each batch.
    CloudWatch(CloudWatch),
    /// To standard output, in the embedded metric format.
    Embedded,
    /// Nowhere.
    Nowhere,
}

impl Metrics {
    /// Publishes what an outcome says, if it says anything. Metrics may be lost, and a batch never
    /// is for that: whoever calls this logs the error and goes on.
    pub async fn publish(
        &self,
        rules: &Rules,
        outcome: &Outcome,
        now_ms: i64,
    ) -> Result<(), String> {
        if matches!(self.sink, Sink::Nowhere) {
            return Ok(());
        }
        let data = measure(rules, outcome, now_ms);
        match &self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Embedded => {
                let lines = embedded::lines(&self.namespace, &data, now_ms);
                // In one piece: a line that is cut in two is no metric.
                let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
                let written = std::io::stdout().lock().write_all(text.as_bytes());
                written.map_err(|error| format!("cannot write to standard output: {error}"))
            }
            Sink::CloudWatch(cloudwatch) => cloudwatch.put(&self.namespace, &data, now_ms).await,
        }
    }
}

//! Metrics: the numbers of a batch or an audit, for CloudWatch.
//!
//! [`METRICS`] defines every metric. The documentation is generated from it, and the alarms depend
//! on its names. A dimension never contains an item's key: each distinct value creates a metric,
//! which is billed. Keys belong in the log.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>

mod audit;
#[cfg(feature = "aws")]
mod cloudwatch;
#[cfg(feature = "aws")]
mod embedded;
mod processed;
#[cfg(feature = "aws")]
mod publish;
mod recheck;
mod started;

use std::collections::BTreeMap;

pub use audit::{AuditSummary, measure_audit, measure_audited};
#[cfg(feature = "aws")]
pub use cloudwatch::CloudWatch;
#[cfg(feature = "live")]
pub use cloudwatch::DescribedAlarm;
#[cfg(feature = "aws")]
pub use publish::{Destination, Metrics, Sink};
pub use recheck::measure_rechecked;
pub use started::measure_started;

use self::processed::Processed;
use crate::engine::{Outcome, Rechecked, Response};
use crate::rules::model::{Rules, Severity};

/// The default namespace of the metrics.
pub const NAMESPACE: &str = "Referee";

/// The only dimension.
pub const DIMENSION: &str = "Rule";

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// How the function publishes it.
    pub path: Path,
    /// What it measures, for the documentation.
    pub meaning: &'static str,
    /// How it is computed.
    measure: Measure,
}

/// How the function publishes a metric to CloudWatch, unless its destination is the log or none.
///
/// A request takes a part of the shard's time, and CloudWatch throttles the requests of an account.
/// Lambda drops lines of the log if the function's log level is above `INFO`. So requests are made
/// only for the metrics that alarms depend on, which a healthy batch does not have.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// With a request.
    Request,
    /// In a line of the log.
    Log,
}

impl Path {
    /// The name in the documentation.
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Log => "log",
        }
    }
}

/// The unit of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of occurrences.
    Count,
    /// A duration.
    Milliseconds,
}

impl Unit {
    /// The name that CloudWatch uses.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// How a metric is computed.
#[derive(Debug)]
enum Measure {
    /// The rule of each occurrence in a batch, from which a total and a count for each rule are
    /// computed.
    ByRule(for<'p> fn(&Processed<'p>) -> Vec<&'p str>),
    /// The same for repairs, which audits make too.
    RepairsByRule(for<'p> fn(&Processed<'p>) -> Vec<&'p str>),
    /// The rule of each repair that is about to be made, in batches and in audits.
    StartedByRule,
    /// One number for the whole batch; `None` publishes nothing.
    Total(fn(&Processed<'_>) -> Option<f64>),
    /// The same for a message of the re-check queue, too.
    TotalOfAny(fn(&Processed<'_>) -> Option<f64>),
    /// One number for a message of the re-check queue.
    Rechecked(fn(&Rechecked) -> usize),
    /// The count for each rule in an audit, from which the total is computed.
    AuditByRule(fn(&AuditSummary) -> &BTreeMap<String, u64>),
    /// One number for the whole audit.
    AuditTotal(fn(&AuditSummary) -> u64),
}

impl Metric {
    /// Whether there is a value for each rule in addition to the total.
    #[must_use]
    pub const fn is_by_rule(&self) -> bool {
        match self.measure {
            Measure::ByRule(_)
            | Measure::RepairsByRule(_)
            | Measure::StartedByRule
            | Measure::AuditByRule(_) => true,
            Measure::Total(_)
            | Measure::TotalOfAny(_)
            | Measure::Rechecked(_)
            | Measure::AuditTotal(_) => false,
        }
    }

    /// Whether it counts what repairs do, in batches and in audits.
    const fn counts_repairs(&self) -> bool {
        matches!(self.measure, Measure::RepairsByRule(_))
    }
}

/// Every metric.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Processed<'p>` is less general than a function pointer for any `'p`"
)]
pub static METRICS: [Metric; 19] = [
    Metric {
        name: "Violations",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "violations of rules whose `severity` is `error`, including repaired ones",
        measure: Measure::ByRule(|processed| processed.violations(Severity::Error)),
    },
    Metric {
        name: "Warnings",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "violations of rules whose `severity` is `warn`",
        measure: Measure::ByRule(|processed| processed.violations(Severity::Warn)),
    },
    Metric {
        name: "RepairsStarted",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "items whose repair was begun; counted before the write, so that repairs by an \
                  invocation that dies count too",
        measure: Measure::StartedByRule,
    },
    Metric {
        name: "Repairs",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "violations that were repaired",
        measure: Measure::RepairsByRule(|processed| processed.with_response(Response::Repaired)),
    },
    Metric {
        name: "RepairsFailed",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "violations whose repair failed permanently",
        measure: Measure::RepairsByRule(|processed| processed.with_response(Response::Failed)),
    },
    Metric {
        name: "MirrorWrites",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "writes of mirror items",
        measure: Measure::RepairsByRule(|processed| processed.mirror_writes()),
    },
    Metric {
        name: "RecordsProcessed",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "stream records that are done, including rejected ones",
        measure: Measure::Total(|processed| count_of(processed.end)),
    },
    Metric {
        name: "RecordsRejected",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "stream records that cannot be understood, or whose work DynamoDB always refuses; \
                  they are logged and skipped",
        measure: Measure::TotalOfAny(|processed| processed.rejected()),
    },
    Metric {
        name: "RecordsUnmatched",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "stream records whose items match no entity; a table may hold such items on purpose",
        measure: Measure::Total(|processed| processed.unmatched()),
    },
    Metric {
        name: "RecordsRetried",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "stream records that were returned to Lambda for redelivery",
        measure: Measure::Total(|processed| count_of(processed.outcome.records - processed.end)),
    },
    Metric {
        name: "RecordAge",
        unit: Unit::Milliseconds,
        path: Path::Log,
        meaning: "the age of the batch's oldest record that concerns a rule, at the end of processing",
        measure: Measure::Total(|processed| processed.age_ms()),
    },
    Metric {
        name: "SuspectsQueued",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "suspects that were sent to the re-check queue",
        measure: Measure::Total(|processed| count_of(processed.outcome.queued)),
    },
    Metric {
        name: "SuspectsNotQueued",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "suspects that the re-check queue did not accept, or that are too large for it; \
                  their batches waited for the grace period",
        measure: Measure::Total(|processed| processed.unqueued()),
    },
    Metric {
        name: "SuspectsDropped",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "suspects from the re-check queue that the rules no longer know",
        measure: Measure::Rechecked(|rechecked| rechecked.dropped.len()),
    },
    Metric {
        name: "MessagesReturned",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "messages of the re-check queue that were returned to it for redelivery",
        measure: Measure::Rechecked(|rechecked| {
            usize::from(rechecked.outcome.checkpoint().is_some())
        }),
    },
    Metric {
        name: "AuditViolations",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "violations that audits found, of rules whose `severity` is `error`",
        measure: Measure::AuditByRule(|audit| &audit.violations),
    },
    Metric {
        name: "AuditWarnings",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "violations that audits found, of rules whose `severity` is `warn`",
        measure: Measure::AuditByRule(|audit| &audit.warnings),
    },
    Metric {
        name: "AuditedItems",
        unit: Unit::Count,
        path: Path::Log,
        meaning: "items that audits read",
        measure: Measure::AuditTotal(|audit| audit.items),
    },
    Metric {
        name: "AuditsCompleted",
        unit: Unit::Count,
        path: Path::Request,
        meaning: "complete audits; the time of the value is the end of the audit",
        measure: Measure::AuditTotal(|audit| u64::from(audit.is_complete)),
    },
];

/// One value to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// How the function publishes it.
    pub path: Path,
    /// The rule that the value concerns; `None` for a total.
    pub rule: Option<String>,
    /// The value.
    pub value: f64,
}

/// The metrics of an outcome. Zeros are omitted.
///
/// Only records before the checkpoint count. The others are delivered again and count then. What was
/// repaired or written counts in any case, because the next delivery does not find it again.
#[must_use]
pub fn measure(rules: &Rules, outcome: &Outcome, now_ms: i64) -> Vec<Datum> {
    let end = outcome.checkpoint().map_or(outcome.records, |first| first.position);
    let processed = Processed { rules, outcome, end, now_ms };
    METRICS.iter().flat_map(|metric| metric.data(&processed)).collect()
}

impl Metric {
    /// The values to publish for a batch.
    fn data(&self, processed: &Processed<'_>) -> Vec<Datum> {
        match self.measure {
            Measure::Total(total) | Measure::TotalOfAny(total) => {
                total(processed).map(|value| self.datum(None, value)).into_iter().collect()
            }
            Measure::ByRule(occurrences) | Measure::RepairsByRule(occurrences) => {
                let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
                for rule in occurrences(processed) {
                    *by_rule.entry(rule).or_default() += 1;
                }
                self.total_and_by_rule(by_rule)
            }
            Measure::StartedByRule
            | Measure::Rechecked(_)
            | Measure::AuditByRule(_)
            | Measure::AuditTotal(_) => Vec::new(),
        }
    }

    /// The values to publish for an audit.
    fn data_of_audit(&self, summary: &AuditSummary) -> Vec<Datum> {
        match self.measure {
            Measure::AuditByRule(counts) => {
                self.total_and_by_rule(counts(summary).iter().map(|(rule, n)| (rule.as_str(), *n)))
            }
            Measure::AuditTotal(total) => {
                let value = count(total(summary));
                value.map(|value| self.datum(None, value)).into_iter().collect()
            }
            Measure::ByRule(_)
            | Measure::RepairsByRule(_)
            | Measure::StartedByRule
            | Measure::Total(_)
            | Measure::TotalOfAny(_)
            | Measure::Rechecked(_) => Vec::new(),
        }
    }

    fn total_and_by_rule<'r>(
        &self,
        by_rule: impl IntoIterator<Item = (&'r str, u64)>,
    ) -> Vec<Datum> {
        let by_rule: BTreeMap<&str, u64> = by_rule.into_iter().collect();
        let total = count(by_rule.values().sum()).map(|value| self.datum(None, value));
        let by_rule = by_rule.into_iter().filter_map(|(rule, number)| {
            count(number).map(|value| self.datum(Some(rule.to_owned()), value))
        });
        total.into_iter().chain(by_rule).collect()
    }

    fn datum(&self, rule: Option<String>, value: f64) -> Datum {
        Datum { name: self.name, unit: self.unit, path: self.path, rule, value }
    }
}

/// A count as CloudWatch's number; `None` for zero.
fn count(number: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a float is exact up to 9,000,000,000,000,000")]
    (number > 0).then_some(number as f64)
}

fn count_of(number: usize) -> Option<f64> {
    count(u64::try_from(number).unwrap_or(u64::MAX))
}

/// The documentation of the metrics, as a table in Markdown.
#[must_use]
pub fn manual() -> String {
    let rows = METRICS.iter().map(|metric| {
        let dimensions = if metric.is_by_rule() { "none; `Rule`" } else { "none" };
        let Metric { name, unit, path, meaning, .. } = metric;
        format!("| `{name}` | {} | {dimensions} | {} | {meaning} |\n", unit.name(), path.name())
    });
    let head = "| metric | unit | dimensions | published with | meaning |\n|---|---|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

#[cfg(test)]
mod tests;

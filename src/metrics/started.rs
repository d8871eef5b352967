//! The numbers of repairs that are about to be made.

use std::collections::BTreeMap;

use super::{Datum, METRICS, Measure};
use crate::runtime::repair_log::StartedRepair;

/// The metrics of repairs that are about to be made.
#[must_use]
pub fn measure_started(repairs: &[StartedRepair]) -> Vec<Datum> {
    let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
    for repair in repairs {
        *by_rule.entry(&repair.violation.rule).or_default() += 1;
    }
    let counts = METRICS.iter().filter(|metric| matches!(metric.measure, Measure::StartedByRule));
    let of_metric = |metric: &super::Metric| {
        metric.total_and_by_rule(by_rule.iter().map(|(rule, number)| (*rule, *number)))
    };
    counts.flat_map(of_metric).collect()
}

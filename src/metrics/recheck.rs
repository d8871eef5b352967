//! The numbers of a message of the re-check queue.

use super::processed::Processed;
use super::{Datum, METRICS, Measure, count_of};
use crate::engine::Rechecked;
use crate::rules::model::Rules;

/// The metrics of a message of the re-check queue. Zeros are omitted.
///
/// Its records have been counted in their batch. If the message is returned to the queue, those of
/// its violations that are not repaired count when it is done.
#[must_use]
pub fn measure_rechecked(rules: &Rules, rechecked: &Rechecked, now_ms: i64) -> Vec<Datum> {
    let outcome = &rechecked.outcome;
    let end = if outcome.checkpoint().is_some() { 0 } else { outcome.records };
    let processed = Processed { rules, outcome, end, now_ms };
    let data = METRICS.iter().flat_map(|metric| match metric.measure {
        Measure::ByRule(_) | Measure::RepairsByRule(_) | Measure::TotalOfAny(_) => {
            metric.data(&processed)
        }
        Measure::Rechecked(number) => {
            let value = count_of(number(rechecked));
            value.map(|value| metric.datum(None, value)).into_iter().collect()
        }
        Measure::StartedByRule
        | Measure::Total(_)
        | Measure::AuditByRule(_)
        | Measure::AuditTotal(_) => Vec::new(),
    });
    data.collect()
}

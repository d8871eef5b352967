//! The numbers of an audit.

use std::collections::BTreeMap;

use super::{Datum, METRICS, Processed};
use crate::engine::Outcome;
use crate::integrity::finding::Finding;
use crate::rules::model::{Rules, Severity};

/// The numbers of an audit, or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditSummary {
    /// How many items were audited.
    pub items: u64,
    /// The number of violations of each rule whose severity is `error`.
    pub violations: BTreeMap<String, u64>,
    /// The number of violations of each rule whose severity is `warn`.
    pub warnings: BTreeMap<String, u64>,
    /// Whether everything that the rules ask for has been audited. A part is never complete.
    pub is_complete: bool,
}

impl AuditSummary {
    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding) {
        let counts = match finding.severity {
            Severity::Error => &mut self.violations,
            Severity::Warn => &mut self.warnings,
        };
        *counts.entry(finding.rule.clone()).or_default() += 1;
    }
}

/// The metrics of an audit. Zeros are omitted.
#[must_use]
pub fn measure_audit(summary: &AuditSummary) -> Vec<Datum> {
    METRICS.iter().flat_map(|metric| metric.data_of_audit(summary)).collect()
}

/// The metrics of a part of an audit that may also have made repairs. Zeros are omitted.
#[must_use]
pub fn measure_audited(rules: &Rules, outcome: &Outcome, items: usize) -> Vec<Datum> {
    let items = u64::try_from(items).unwrap_or(u64::MAX);
    let mut summary = AuditSummary { items, ..AuditSummary::default() };
    outcome.violations.iter().for_each(|violation| summary.add(&violation.finding));
    // The outcome of an audit contains only what is done.
    let processed = Processed { rules, outcome, end: usize::MAX, now_ms: 0 };
    let repairs = METRICS.iter().filter(|metric| metric.counts_repairs());
    let repairs = repairs.flat_map(|metric| metric.data(&processed));
    measure_audit(&summary).into_iter().chain(repairs).collect()
}

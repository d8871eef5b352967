//! The totals of an audit.

use std::collections::BTreeMap;

use serde::Serialize;

use super::is_error;
use crate::audit::Audited;
use crate::cli::coverage::{Coverage, CoverageLine};
use crate::integrity::finding::Finding;
use crate::rules::model::{Mode, Rules};

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    by_rule: BTreeMap<String, usize>,
    errors: usize,
    warnings: usize,
}

impl Count {
    /// Counts a finding, and returns how many its rule has now.
    pub(super) fn add(&mut self, finding: &Finding) -> usize {
        *(if is_error(finding) { &mut self.errors } else { &mut self.warnings }) += 1;
        let of_rule = self.by_rule.entry(finding.rule.clone()).or_default();
        *of_rule += 1;
        *of_rule
    }

    /// The number of a rule's findings.
    pub(super) fn of(&self, rule: &str) -> usize {
        self.by_rule.get(rule).copied().unwrap_or_default()
    }
}

/// The totals of an audit.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'s> {
    /// Whether everything was looked at and judged.
    pub(super) complete: bool,
    /// The items that were read.
    pub(super) items: u64,
    /// The items that belong to no entity.
    pub(super) unknown: u64,
    /// The findings of rules with `severity: error`.
    pub(super) violations: usize,
    /// The findings of rules with `severity: warn`.
    pub(super) warnings: usize,
    /// The reasons why the audit is incomplete.
    pub(super) problems: usize,
    /// What only an audit of real tables has.
    #[serde(flatten)]
    pub(super) live: Option<OfTables>,
    /// What matched nothing.
    #[serde(flatten)]
    pub(super) coverage: CoverageLine<'s>,
    /// The rules, in the order of the file. Rules that are off are left out.
    pub(super) rules: Vec<OfRule<'s>>,
}

/// The totals of an audit of real tables.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct OfTables {
    /// The read units that it consumed.
    pub(super) read_units: f64,
    /// What looked wrong and is in order.
    pub(super) cleared: u64,
    /// What looked wrong in a different way each time that it was read: it changes too often to be
    /// judged, and is no finding.
    pub(super) unsettled: u64,
}

/// The totals of a rule.
#[derive(Debug, Serialize)]
pub(super) struct OfRule<'s> {
    /// The rule's name.
    pub(super) rule: &'s str,
    /// The values of the reference, or the mirrors that the rule requires.
    pub(super) checked: u64,
    /// The findings.
    pub(super) broken: usize,
    /// The findings, in percent of what was checked.
    pub(super) percent: f64,
}

impl<'s> Summary<'s> {
    pub(super) fn new(
        rules: &'s Rules,
        audited: &Audited,
        count: &Count,
        coverage: &Coverage,
    ) -> Self {
        let tally = &audited.tally;
        let references = rules.reference_rules().map(|(_, rule)| {
            let all = rules.references_named(&rule.name);
            let counts = all.filter_map(|(id, _)| tally.references.get(id.0));
            (rule, counts.sum())
        });
        let mirrors = rules.mirror_rules().map(|(_, rule)| {
            let all = rules.mirrors_named(&rule.name);
            (rule, all.filter_map(|(id, _)| tally.mirrors.get(id.0)).sum())
        });
        let of_rule = |(name, mode, checked): (&'s str, Mode, u64)| {
            let broken = count.of(name);
            let percent = percent(broken, checked);
            (mode != Mode::Off).then_some(OfRule { rule: name, checked, broken, percent })
        };
        Self {
            complete: audited.problems.is_empty(),
            items: tally.items,
            unknown: tally.unknown,
            violations: count.errors,
            warnings: count.warnings,
            problems: audited.problems.len(),
            live: None,
            coverage: coverage.line(rules),
            rules: references
                .map(|(rule, checked)| (rule.name.as_str(), rule.mode, checked))
                .chain(mirrors.map(|(rule, checked)| (rule.name.as_str(), rule.mode, checked)))
                .filter_map(of_rule)
                .collect(),
        }
    }
}

/// A part of a whole in percent, rounded down to hundredths: 100 only if everything is broken.
fn percent(part: usize, whole: u64) -> f64 {
    let part = u64::try_from(part).unwrap_or(u64::MAX);
    let hundredths = part.saturating_mul(10_000) / whole.max(part).max(1);
    f64::from(u32::try_from(hundredths).unwrap_or(10_000)) / 100.0
}

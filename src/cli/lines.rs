//! Findings and writes as JSON Lines.

use serde::Serialize;
use serde_json::value::RawValue;

use super::coverage::{Coverage, CoverageLine};
use super::names::item_name;
use crate::data::Item;
use crate::engine::{Violation, WriteMade};
use crate::replay::RecordLocation;
use crate::rules::Rules;
use crate::runtime::repair_log::StartedRepair;
use crate::wording::{ItemLine, ViolationLine};

/// One line of machine output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'l> {
    /// A violation.
    Violation(ViolationLine<'l>),
    /// A repair that is about to be made.
    RepairStarted {
        /// The id of the violation that it repairs.
        id: &'l str,
        /// The rule's name.
        rule: &'l str,
        /// The kind of violation.
        kind: &'static str,
        /// The sequence number of the record that revealed it.
        sequence: Option<&'l str>,
        /// The operation.
        op: &'static str,
        /// The item that is written.
        #[serde(flatten)]
        item: ItemLine<'l>,
    },
    /// A write that was done.
    Write(WriteLine<'l>),
    /// A write that a rule in observe mode would have done.
    WouldWrite(WriteLine<'l>),
    /// A rejected record: one that cannot be decoded.
    Rejected {
        /// Its sequence number, if it could be read.
        sequence: Option<&'l str>,
        /// What is wrong with it.
        error: &'l str,
        /// The file of the record; none for Referee's own writes.
        event: Option<&'l str>,
        /// The record's index in the file, from 0.
        record: Option<usize>,
        /// The record itself, unless it is in a file.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'l RawValue>,
    },
    /// The totals: always the last line.
    Summary {
        /// The numbers.
        #[serde(flatten)]
        totals: Totals,
        /// The number of records that match no entity.
        #[serde(skip_serializing_if = "is_zero")]
        unmatched: u64,
        /// What matched nothing.
        #[serde(flatten)]
        coverage: CoverageLine<'l>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A write, done or not.
#[derive(Debug, Serialize)]
pub(super) struct WriteLine<'l> {
    /// The rule that required it.
    rule: &'l str,
    /// The operation.
    op: &'static str,
    /// The table's name in DynamoDB.
    table: &'l str,
    /// The item's key in DynamoDB JSON.
    key: Item<'static>,
    /// What a repair changes in the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'l str>,
}

/// The totals.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Totals {
    /// Records delivered, including those of Referee's own writes.
    pub(super) records: usize,
    /// Batches delivered.
    pub(super) batches: usize,
    /// Violations, each counted once even if its record was delivered again.
    pub(super) violations: usize,
    /// Writes done.
    pub(super) writes: usize,
    /// Rejected records.
    pub(super) rejected: usize,
    /// Requests to the store.
    pub(super) requests: u64,
    /// Read units, as DynamoDB bills them.
    pub(super) read_units: f64,
    /// Write units, as DynamoDB bills them.
    pub(super) write_units: f64,
}

impl<'l> Line<'l> {
    pub(super) fn summary(rules: &'l Rules, totals: Totals, coverage: &Coverage) -> Self {
        Self::Summary { totals, unmatched: coverage.unmatched(), coverage: coverage.line(rules) }
    }

    pub(super) fn violation(rules: &'l Rules, violation: &'l Violation) -> Self {
        Self::Violation(ViolationLine::new(rules, violation))
    }

    pub(super) fn repair_started(rules: &'l Rules, repair: &'l StartedRepair) -> Self {
        let StartedRepair { violation, operation, item } = repair;
        Self::RepairStarted {
            id: &violation.id,
            rule: &violation.rule,
            kind: violation.kind.name(),
            sequence: violation.sequence.as_deref(),
            op: operation.name(),
            item: ItemLine::new(rules, item),
        }
    }

    pub(super) fn write(rules: &'l Rules, write: &'l WriteMade) -> Self {
        Self::Write(write_line(rules, write))
    }

    pub(super) fn would_write(rules: &'l Rules, write: &'l WriteMade) -> Self {
        Self::WouldWrite(write_line(rules, write))
    }

    pub(super) fn rejected(
        sequence: Option<&'l str>,
        error: &'l str,
        location: Option<&'l RecordLocation>,
    ) -> Self {
        Self::Rejected {
            sequence,
            error,
            event: location.map(|location| location.file.as_str()),
            record: location.map(|location| location.record),
            payload: None,
        }
    }
}

/// A repair that is about to be made, for people.
pub(super) fn repair_started_text(rules: &Rules, repair: &StartedRepair) -> String {
    let StartedRepair { violation, operation, item } = repair;
    let (name, op) = (item_name(rules, item.table, &item.key), operation.name());
    format!("repairing  {name}: {op}, for `{}`", violation.rule)
}

fn write_line<'l>(rules: &'l Rules, write: &'l WriteMade) -> WriteLine<'l> {
    let ItemLine { table, key } = ItemLine::new(rules, &write.item);
    let detail = write.detail.as_deref();
    WriteLine { rule: &write.rule, op: write.operation.name(), table, key, detail }
}

//! What was found and done, as JSON Lines.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::data::Item;
use crate::engine::{Violation, WriteMade};
use crate::replay::Place;
use crate::rules::Rules;
use crate::wording::{ItemLine, ViolationLine};

/// One line of machine output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'l> {
    /// Something wrong between items.
    Violation(ViolationLine<'l>),
    /// A write that was made.
    Write(WriteLine<'l>),
    /// A write that a rule in observe mode would have made.
    WouldWrite(WriteLine<'l>),
    /// A record that cannot be understood.
    Rejected {
        /// Its sequence number, where it could be read.
        sequence: Option<&'l str>,
        /// What is wrong with it.
        error: &'l str,
        /// The file that it is in; nothing for Referee's own writes.
        event: Option<&'l str>,
        /// The record's place in the file, from 0.
        record: Option<usize>,
        /// The record itself, where it is in no file.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'l RawValue>,
    },
    /// The totals: always the last line.
    Summary(Totals),
}

/// A write, made or not.
#[derive(Debug, Serialize)]
pub(super) struct WriteLine<'l> {
    /// The rule that asked for it.
    rule: &'l str,
    /// What it did.
    op: &'static str,
    /// The table's own name.
    table: &'l str,
    /// The item's key in DynamoDB's JSON.
    key: Item<'static>,
    /// Of a repair that changes an item, what it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'l str>,
}

/// The totals.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Totals {
    /// Records delivered, Referee's own included.
    pub(super) records: usize,
    /// Batches delivered.
    pub(super) batches: usize,
    /// Violations, each counted once however often its record was delivered.
    pub(super) violations: usize,
    /// Writes made.
    pub(super) writes: usize,
    /// Records that cannot be understood.
    pub(super) rejected: usize,
    /// Requests made of the store.
    pub(super) requests: u64,
    /// Read units, as DynamoDB bills them.
    pub(super) read_units: f64,
    /// Write units, as DynamoDB bills them.
    pub(super) write_units: f64,
}

impl<'l> Line<'l> {
    pub(super) fn violation(rules: &'l Rules, violation: &'l Violation) -> Self {
        Self::Violation(ViolationLine::new(rules, violation))
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
        place: Option<&'l Place>,
    ) -> Self {
        Self::Rejected {
            sequence,
            error,
            event: place.map(|place| place.file.as_str()),
            record: place.map(|place| place.record),
            payload: None,
        }
    }
}

fn write_line<'l>(rules: &'l Rules, write: &'l WriteMade) -> WriteLine<'l> {
    let ItemLine { table, key } = ItemLine::new(rules, &write.item);
    let detail = write.detail.as_deref();
    WriteLine { rule: &write.rule, op: write.operation.name(), table, key, detail }
}

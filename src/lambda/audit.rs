//! Audits: events that ask for an audit of a part of a table, and their answers.
//!
//! A state machine invokes the function for each segment of each table, again and again until
//! `next` is null, and at the end once for the whole audit.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::data::{Item, JsonItem, into_owned, without_position};
use crate::engine::{Audited, Part, Response};
use crate::rules::Rules;
use crate::rules::model::TableId;
use crate::runtime::error::Fatal;
use crate::store::scan::SEGMENTS_MAX;

/// What an event asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request<'e> {
    /// The audit of a part of a table.
    #[serde(borrow)]
    Audit(PartRequest<'e>),
    /// The end of an audit.
    AuditSummary(SummaryRequest),
}

/// The part of a table to audit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartRequest<'e> {
    /// The table's name in the rule file.
    pub(super) table: String,
    /// The segment, from zero.
    pub(super) segment: u32,
    /// The number of segments.
    pub(super) segments: u32,
    /// The key after which to begin, in DynamoDB's JSON; null or absent for the whole segment.
    #[serde(borrow, default)]
    start: Option<JsonItem<'e>>,
    /// The read units after which no further page is read; null or absent for no limit.
    #[serde(default)]
    read_units: Option<f64>,
    /// Whether to repair what is wrong, as the rules say; otherwise it is only reported.
    #[serde(default)]
    pub(super) apply: bool,
    /// The totals of the segment so far.
    #[serde(default)]
    totals: Option<Totals>,
}

/// The ends of all parts of an audit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryRequest {
    parts: Vec<PartEnd>,
}

/// How the audit of a part ended.
#[derive(Debug, Deserialize)]
struct PartEnd {
    table: String,
    segment: u32,
    #[serde(default)]
    totals: Option<Totals>,
    /// The error that ended it early, if one did.
    #[serde(default)]
    error: Option<String>,
}

/// Totals of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Totals {
    /// The items on pages that are done.
    pub(super) items: u64,
    /// The violations, including repaired ones.
    pub(super) violations: u64,
    /// The violations that were repaired.
    pub(super) repairs: u64,
    /// The writes that were made.
    pub(super) writes: u64,
    /// The read units that DynamoDB bills.
    pub(super) read_units: f64,
}

/// The answer to [`PartRequest`].
#[derive(Debug, Serialize)]
pub(super) struct PartAnswer {
    table: String,
    segment: u32,
    segments: u32,
    /// The key after which the next invocation begins, in DynamoDB's JSON; null if the segment is
    /// done.
    next: Option<Item<'static>>,
    /// What this invocation has done.
    #[serde(flatten)]
    done: Totals,
    /// The totals of the segment so far.
    totals: Totals,
    /// The error that ended this invocation early, if one did.
    error: Option<String>,
}

/// The answer to [`SummaryRequest`].
#[derive(Debug, Serialize)]
pub(super) struct SummaryAnswer {
    /// Whether every part was audited to its end.
    pub(super) complete: bool,
    /// The totals of all parts.
    pub(super) totals: Totals,
    /// The parts that were not audited to their end, each with the reason.
    pub(super) incomplete: Vec<String>,
}

/// The request in an event; `None` if the event is not an audit's.
pub(super) fn request(event: &str) -> Option<Result<Request<'_>, Fatal>> {
    #[derive(Deserialize)]
    struct Event<'e> {
        #[serde(borrow)]
        referee: &'e RawValue,
    }
    let Event { referee } = serde_json::from_str(event).ok()?;
    Some(serde_json::from_str(referee.get()).map_err(|error| {
        let error = without_position(&error);
        Fatal(format!("`referee` in the event is not a request that this version knows: {error}"))
    }))
}

impl PartRequest<'_> {
    /// The part that it describes.
    pub(super) fn part(&self, rules: &Rules) -> Result<Part, Fatal> {
        let Self { segment, segments, .. } = *self;
        let position = rules.tables.iter().position(|table| table.alias == self.table);
        let table = position.map(TableId).ok_or_else(|| {
            let known = rules.tables.iter().map(|table| format!("`{}`", table.alias));
            let known = known.collect::<Vec<_>>().join(", ");
            Fatal(format!("table `{}` is not in the rules, which have {known}", self.table))
        })?;
        if segments > SEGMENTS_MAX || segment >= segments {
            return Err(Fatal(format!(
                "there is no segment {segment} of {segments}: segments begin with 0, and there are \
                 1 to {SEGMENTS_MAX}"
            )));
        }
        let start = self.start.clone().map(|JsonItem(start)| into_owned(start));
        if let Some(error) = start.as_ref().and_then(|key| rules[table].key.key_of(key).err()) {
            return Err(Fatal(format!("`start` is not a key of table `{}`: {error}", self.table)));
        }
        Ok(Part { table, segment, segments, start, read_units_max: self.read_units })
    }

    /// The answer after this audit of the part.
    pub(super) fn answer(&self, audited: &Audited) -> PartAnswer {
        let done = Totals::of(audited);
        PartAnswer {
            table: self.table.clone(),
            segment: self.segment,
            segments: self.segments,
            next: audited.next.clone(),
            done,
            totals: self.totals.unwrap_or_default().plus(done),
            error: audited.error.clone(),
        }
    }
}

impl SummaryRequest {
    /// The answer for these parts.
    pub(super) fn answer(&self) -> SummaryAnswer {
        let totals = self.parts.iter().filter_map(|part| part.totals);
        let incomplete = self.parts.iter().filter_map(|part| {
            let PartEnd { table, segment, error, .. } = part;
            error.as_ref().map(|error| format!("segment {segment} of `{table}`: {error}"))
        });
        let incomplete: Vec<String> = incomplete.collect();
        SummaryAnswer {
            complete: incomplete.is_empty() && !self.parts.is_empty(),
            totals: totals.fold(Totals::default(), Totals::plus),
            incomplete,
        }
    }
}

impl Totals {
    fn of(audited: &Audited) -> Self {
        let outcome = &audited.outcome;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let repaired =
            outcome.violations.iter().filter(|it| it.resolution.response == Response::Repaired);
        Self {
            items: count(audited.items),
            violations: count(outcome.violations.len()),
            repairs: count(repaired.count()),
            writes: count(outcome.writes.len()),
            read_units: outcome.units.read,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            items: self.items + other.items,
            violations: self.violations + other.violations,
            repairs: self.repairs + other.repairs,
            writes: self.writes + other.writes,
            read_units: self.read_units + other.read_units,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::engine::Outcome;
    use crate::rules::{self, RuleSource};

    fn rules() -> Rules {
        let text = "
version: 1
tables:
  app: { name: app-prod, key: [pk, 'sk:N'] }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: '{n}' } }
  order: { table: app, key: { pk: 'order#{order}', sk: '{n}' } }
references:
  order_user: { from: order, to: user, on: { user: '{order}' }, find: none }
";
        let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
        rules::load(&source, &|_| None).rules.unwrap()
    }

    fn part(event: &str) -> Result<Part, String> {
        match request(event).expect("an audit").map_err(|error| error.0)? {
            Request::Audit(part) => part.part(&rules()).map_err(|error| error.0),
            Request::AuditSummary(_) => panic!("a part"),
        }
    }

    fn check(events: &[&str], expected: &Expect) {
        let lines = events.iter().map(|event| match part(event) {
            Ok(part) => format!("{part:?}\n"),
            Err(error) => format!("error: {error}\n"),
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_request_names_a_part_of_a_table() {
        check(
            &[
                r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":2,"segments":3,"start":null,
                    "read_units":null,"apply":true,"totals":null}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1,"read_units":100,
                    "start":{"pk":{"S":"user#\u0061"},"sk":{"N":"1"}}}}}"#,
            ],
            &expect![[r#"
                Part { table: TableId(0), segment: 0, segments: 1, start: None, read_units_max: None }
                Part { table: TableId(0), segment: 2, segments: 3, start: None, read_units_max: None }
                Part { table: TableId(0), segment: 0, segments: 1, start: Some({"pk": S("user#a"), "sk": N(Number("1"))}), read_units_max: Some(100.0) }
            "#]],
        );
    }

    #[test]
    fn a_wrong_request_is_refused() {
        check(
            &[
                r#"{"referee":{}}"#,
                r#"{"referee":{"adit":{"table":"app","segment":0,"segments":1}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":0}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1,"aply":true}}}"#,
                r#"{"referee":{"audit":{"table":"app-prod","segment":0,"segments":1}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":1,"segments":1}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1000001}}}"#,
                r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1,
                    "start":{"pk":{"S":"user#a"}}}}}"#,
            ],
            &expect![[r"
                error: `referee` in the event is not a request that this version knows: expected value
                error: `referee` in the event is not a request that this version knows: unknown variant `adit`, expected `audit` or `audit_summary`
                error: `referee` in the event is not a request that this version knows: missing field `segments`
                error: `referee` in the event is not a request that this version knows: unknown field `aply`, expected one of `table`, `segment`, `segments`, `start`, `read_units`, `apply`, `totals`
                error: table `app-prod` is not in the rules, which have `app`
                error: there is no segment 1 of 1: segments begin with 0, and there are 1 to 1000000
                error: there is no segment 0 of 1000001: segments begin with 0, and there are 1 to 1000000
                error: `start` is not a key of table `app`: key attribute `sk` is missing
            "]],
        );
        assert!(request(r#"{"Records":[]}"#).is_none());
        assert!(request("nonsense").is_none());
    }

    #[test]
    fn the_totals_of_a_segment_add_up() {
        let event = r#"{"referee":{"audit":{"table":"app","segment":0,"segments":1,"totals":
            {"items":10,"violations":2,"repairs":1,"writes":1,"read_units":0.5}}}}"#;
        let Request::Audit(part) = request(event).unwrap().unwrap() else { panic!("a part") };
        let audited = Audited {
            outcome: Outcome::default(),
            pages: 1,
            items: 5,
            next: Some([("pk".into(), "user#a".into())].into_iter().collect()),
            error: None,
        };
        expect![[r#"{"error":null,"items":5,"next":{"pk":{"S":"user#a"}},"read_units":0.0,"repairs":0,"segment":0,"segments":1,"table":"app","totals":{"items":15,"read_units":0.5,"repairs":1,"violations":2,"writes":1},"violations":0,"writes":0}"#]].assert_eq(&json!(part.answer(&audited)).to_string());
    }

    #[test]
    fn an_audit_is_complete_if_every_part_is() {
        let summary = |parts: serde_json::Value| {
            let event = json!({"referee": {"audit_summary": {"parts": parts}}}).to_string();
            let Request::AuditSummary(request) = request(&event).unwrap().unwrap() else {
                panic!("a summary")
            };
            json!(request.answer()).to_string() + "\n"
        };
        let totals =
            json!({"items": 2, "violations": 1, "repairs": 0, "writes": 0, "read_units": 1.5});
        let done =
            json!({"table": "app", "segment": 0, "segments": 2, "next": null, "totals": totals});
        let failed = json!({"table": "app", "segment": 1, "totals": null, "error": "Fatal"});
        let lines = [json!([done, done]), json!([done, failed]), json!([])].map(summary).concat();
        expect![[r#"
            {"complete":true,"incomplete":[],"totals":{"items":4,"read_units":3.0,"repairs":0,"violations":2,"writes":0}}
            {"complete":false,"incomplete":["segment 1 of `app`: Fatal"],"totals":{"items":2,"read_units":1.5,"repairs":0,"violations":1,"writes":0}}
            {"complete":false,"incomplete":[],"totals":{"items":0,"read_units":0.0,"repairs":0,"violations":0,"writes":0}}
        "#]].assert_eq(&lines);
    }
}

//! The results of a replay as text: a table of violations, a table of writes, and the totals.

use std::fmt::Write as _;

use comfy_table::Table;

use crate::cli::lines::Totals;
use crate::cli::names::item_name;
use crate::cli::tables::{count, table};
use crate::engine::{Rejected, Violation, WriteMade};
use crate::integrity::finding::ItemName;
use crate::replay::RecordLocation;
use crate::rules::model::{Rules, Severity};
use crate::wording;

/// The results of a replay, collected to be printed at its end.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) violations: Vec<Violation>,
    pub(super) writes: Vec<WriteMade>,
    pub(super) planned: Vec<WriteMade>,
    pub(super) rejected: Vec<(Option<RecordLocation>, Rejected)>,
}

/// The text of the results.
pub(super) fn text(rules: &Rules, findings: &Findings, totals: &Totals) -> String {
    let mut text = String::new();
    if !findings.violations.is_empty() {
        let _ = writeln!(text, "{}\n", violations(rules, &findings.violations).trim_fmt());
    }
    text += &obstacles(rules, &findings.violations);
    if !findings.writes.is_empty() {
        let _ = writeln!(text, "{}\n", writes(rules, "write", &findings.writes).trim_fmt());
    }
    if !findings.planned.is_empty() {
        let planned = writes(rules, "would write", &findings.planned);
        let _ = writeln!(text, "{}\n", planned.trim_fmt());
    }
    for (location, rejected) in &findings.rejected {
        let location = location.as_ref().map_or_else(
            || "the record of a write by Referee".to_owned(),
            |location| format!("{}, record {}", location.file, location.record),
        );
        let _ = writeln!(text, "rejected: {location}: {}", rejected.error);
    }
    if !findings.rejected.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{} in {}: {}, {}, {} rejected\n{}, {}, {}",
        count(totals.records, "record"),
        count(totals.batches, "batch"),
        count(totals.violations, "violation"),
        count(totals.writes, "write"),
        totals.rejected,
        count(totals.requests, "request"),
        count(totals.read_units, "read unit"),
        count(totals.write_units, "write unit"),
    );
    text
}

/// Why violations were not repaired, one line for each.
fn obstacles(rules: &Rules, violations: &[Violation]) -> String {
    let mut text = String::new();
    for violation in violations {
        let Some(obstacle) = &violation.resolution.obstacle else { continue };
        let finding = &violation.finding;
        let item = finding.referencing.as_ref().or(finding.referenced.as_ref());
        let item = item.map(|item| item_name(rules, item.table, &item.key)).unwrap_or_default();
        let _ = writeln!(
            text,
            "not repaired: {item}, for `{}`: {}",
            finding.rule,
            wording::obstacle(obstacle)
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn violations(rules: &Rules, violations: &[Violation]) -> Table {
    let mut table = table(["violation", "rule", "item", "refers to", "action"]);
    for violation in violations {
        let severity = match violation.finding.severity {
            Severity::Error => "",
            Severity::Warn => " (warning)",
        };
        let kind = format!("{}{severity}", violation.kind());
        let item =
            |item: Option<&ItemName>| item.map(|item| item_name(rules, item.table, &item.key));
        let referencing = match violation.finding.orphans() {
            Some(orphans) => {
                let more = if orphans.more { "at least " } else { "" };
                let first = item(violation.finding.referencing.as_ref()).unwrap_or_default();
                match orphans.count {
                    0 | 1 => first,
                    count => format!("{more}{count} items, first {first}"),
                }
            }
            None => item(violation.finding.referencing.as_ref()).unwrap_or_default(),
        };
        let referenced = item(violation.finding.referenced.as_ref())
            .unwrap_or_else(|| wording::violation(rules, violation));
        table.add_row([
            kind,
            violation.finding.rule.clone(),
            referencing,
            referenced,
            violation.resolution.response.name().to_owned(),
        ]);
    }
    table
}

fn writes(rules: &Rules, what: &str, writes: &[WriteMade]) -> Table {
    let has_details = writes.iter().any(|write| write.detail.is_some());
    let header = [what, "rule", "item", "change"].into_iter().take(if has_details { 4 } else { 3 });
    let mut table = table(header);
    for write in writes {
        let cells = [
            write.operation.name().to_owned(),
            write.rule.clone(),
            item_name(rules, write.item.table, &write.item.key),
        ];
        let detail = has_details.then(|| write.detail.clone().unwrap_or_default());
        table.add_row(cells.into_iter().chain(detail));
    }
    table
}

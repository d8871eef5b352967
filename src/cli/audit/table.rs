//! The results of an audit as text.

use std::fmt::Write as _;

use super::is_error;
use super::summary::{Count, OfTables, Summary};
use crate::cli::names::item_name;
use crate::cli::tables::{count as counted, table};
use crate::integrity::finding::{Finding, ItemName};
use crate::rules::model::Rules;
use crate::wording;

/// The text of the results: the first findings of each rule, the rules, and the totals.
pub(super) fn text(
    rules: &Rules,
    shown: &[Finding],
    count: &Count,
    summary: &Summary<'_>,
) -> String {
    let mut text = String::new();
    if !shown.is_empty() {
        let _ = writeln!(text, "{}\n", findings(rules, shown));
    }
    for (rule, hidden) in hidden(shown, count) {
        let _ = writeln!(text, "{rule}: {hidden} more; --json prints all");
    }
    let _ = writeln!(text, "{}\n", of_rules(summary));
    let unknown = match summary.unknown {
        0 => String::new(),
        unknown => format!(", {unknown} without an entity"),
    };
    let _ = writeln!(
        text,
        "{}{unknown}: {}, {}",
        counted(summary.items, "item"),
        counted(summary.violations, "violation"),
        counted(summary.warnings, "warning"),
    );
    if let Some(OfTables { read_units, cleared, unsettled }) = summary.live {
        let _ = writeln!(text, "{}", counted(read_units, "read unit"));
        if cleared > 0 {
            let _ = writeln!(text, "{} in order when read again", counted(cleared, "suspect"));
        }
        if unsettled > 0 {
            let _ = writeln!(
                text,
                "{} changed at each look, and could not be judged",
                counted(unsettled, "suspect")
            );
        }
    }
    text
}

fn findings(rules: &Rules, findings: &[Finding]) -> String {
    let mut table = table(["violation", "rule", "item", "refers to"]);
    let mut findings: Vec<&Finding> = findings.iter().collect();
    // The sort is stable: within a rule, the order of the source stays.
    findings.sort_by(|one, other| one.rule.cmp(&other.rule));
    for finding in findings {
        let severity = if is_error(finding) { "" } else { " (warning)" };
        let item = |item: &ItemName| item_name(rules, item.table, &item.key);
        table.add_row([
            format!("{}{severity}", finding.kind()),
            finding.rule.clone(),
            finding.referencing.as_ref().map(item).unwrap_or_default(),
            finding.referenced.as_ref().map_or_else(|| wording::finding(rules, finding), item),
        ]);
    }
    table.trim_fmt()
}

/// The rules that have more findings than are shown, and how many more.
fn hidden<'f>(shown: &'f [Finding], count: &Count) -> Vec<(&'f str, usize)> {
    let mut rules: Vec<&str> = shown.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    let mut hidden = Vec::new();
    for of_rule in rules.chunk_by(|one, other| one == other) {
        if let Some(rule) = of_rule.first() {
            hidden.push((*rule, count.of(rule) - of_rule.len()));
        }
    }
    hidden.retain(|(_, more)| *more > 0);
    hidden
}

fn of_rules(summary: &Summary<'_>) -> String {
    let mut table = table(["rule", "checked", "broken", "%"]);
    for rule in &summary.rules {
        table.add_row([
            rule.rule.to_owned(),
            rule.checked.to_string(),
            rule.broken.to_string(),
            format!("{:.2}", rule.percent),
        ]);
    }
    table.trim_fmt()
}

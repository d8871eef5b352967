//! The audit as SQL: a script that finds in exports what the native audit finds.
//!
//! Engines such as Athena and Spark read exports of any size. The script creates a relation for
//! each table, with the lines of its export, and has a query for each rule, whose results are lines
//! of JSON like those of the native audit.
//!
//! # Layout
//!
//! Rules become queries, queries consist of expressions, and a dialect prints them:
//!
//! - `reference`, `mirror`: the query of a rule, step by step.
//! - `tables`: the items of a table, and those of an entity.
//! - `keys`, `number`, `value`, `content`: key templates, numbers, values in DynamoDB's JSON, and
//!   the content of mirrors, as expressions.
//! - `expiry`: whether an item has expired.
//! - `finding`: a line of output.
//! - `query`, `expression`: SQL without a dialect.
//! - `dialect`: everything in which the dialects differ.
//!
//! Invariant: a script never reports a wrong finding because of input that it cannot read. Lines
//! that are not items of the table are counted in the summary.

mod broken;
mod condition;
mod content;
mod dialect;
mod discriminator;
mod elements;
mod expiry;
mod expression;
mod finding;
mod keys;
mod mirror;
mod number;
mod query;
mod reference;
mod tables;
mod union;
mod value;

use std::collections::BTreeMap;

use crate::rules::model::{Alternative, EntityId, Mode, Reference, ReferenceId, Rules, TableId};

pub use dialect::Dialect;

/// Where a script finds its input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The location of the data files of each table's export: a folder for Athena and Spark, a path
    /// or a pattern of paths for `DuckDB`. A table without one gets a placeholder to replace.
    pub locations: BTreeMap<TableId, String>,
    /// The time at which items have expired or not, in milliseconds since 1970.
    pub now_ms: i64,
}

/// The script: statements that create the relations, and a query for each rule.
#[must_use]
pub fn script(rules: &Rules, dialect: Dialect, options: &Options) -> String {
    let mut text = header(dialect);
    let tables = tables::used(rules);
    for table in &tables {
        let (relation, name) = (tables::names(rules, *table).lines, &rules[*table].name);
        let location = options.locations.get(table).cloned();
        let location = location.unwrap_or_else(|| dialect.placeholder(name));
        push_comment(&mut text, &format!("The lines of the export of table {name}."));
        for statement in dialect.reads_lines(&relation, &location) {
            push_statement(&mut text, &statement);
        }
    }
    for (id, reference) in (0..).map(ReferenceId).zip(&rules.references) {
        if reference.mode == Mode::Off || is_covered(rules, reference) {
            continue;
        }
        let to = match reference.alternative.count {
            1 => String::new(),
            _ => format!(" to {}", rules[reference.to].name),
        };
        let in_table = in_table(rules, reference.from);
        push_comment(&mut text, &format!("Reference {}{in_table}{to}.", reference.name));
        push_statement(&mut text, &reference::query(rules, id, options.now_ms).text(dialect));
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        let in_table = in_table(rules, mirror.source);
        push_comment(&mut text, &format!("Mirror {}{in_table}.", mirror.name));
        push_statement(&mut text, &mirror::query(rules, mirror, options.now_ms).text(dialect));
    }
    for table in &tables {
        let name = &rules[*table].name;
        push_comment(&mut text, &format!("Summary of table {name}. {SUMMARY}"));
        push_statement(&mut text, &tables::summary(rules, *table).text(dialect));
    }
    text
}

/// The table of an entity, if it has several.
fn in_table(rules: &Rules, entity: EntityId) -> String {
    if rules.has_several_tables(entity) {
        format!(" in table {}", rules.table_of(entity).name)
    } else {
        String::new()
    }
}

/// Whether the query of a rule's first alternative has all findings of this one: of a union, if the
/// keys are the same.
fn is_covered(rules: &Rules, reference: &Reference) -> bool {
    let Alternative { first, is_first, .. } = reference.alternative;
    let key = |reference: &Reference| &rules[reference.to].key;
    reference.alternative.is_union() && !is_first && key(reference) == key(&rules[first])
}

/// What a summary says.
const SUMMARY: &str = "The audit is complete only if `unreadable` and `repeated` are 0.";

/// What every script says first.
fn header(dialect: Dialect) -> String {
    let mut text = "-- An audit by Referee: see docs/audit-sql.md.\n".to_owned();
    for line in [
        "-- Each query returns lines of JSON, one for each finding.",
        "-- Binaries are compared as their base64 text, which DynamoDB writes in one way only.",
        "-- The findings have no `id`. The files are not compared with the export's manifest.",
    ] {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(dialect.remark());
    text
}

fn push_comment(text: &mut String, comment: &str) {
    text.push_str("\n-- ");
    text.push_str(comment);
    text.push('\n');
}

fn push_statement(text: &mut String, statement: &str) {
    text.push_str(statement);
    text.push_str(";\n");
}

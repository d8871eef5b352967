//! `referee diff`: what changes from one rule file to another, for the data and for permissions.

mod facts;
mod rights;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::facts::Facts;
use super::help::Example;
use super::{Context, Failure, Outcome, rule_file};
use crate::rules::model::Rules;

pub(super) const EXAMPLES: &[Example] = &[
    ("Show what a new version of the rules changes", "referee diff old.yaml new.yaml"),
    ("Print the changes as JSON Lines", "referee diff --json old.yaml new.yaml"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule file as it was.
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The rule file as it will be.
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

/// A change of one declaration.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// What is declared: `table`, `entity`, `reference` or `mirror`.
    of: &'static str,
    name: String,
    #[serde(rename = "change")]
    how: &'static str,
    /// The values that differ.
    fields: Vec<FieldChange>,
    /// What the change means for the items in the tables.
    data: Vec<String>,
}

/// A value that differs: before and after. An absent value is not declared.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct FieldChange {
    field: &'static str,
    old: Option<String>,
    new: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Change(&'l Change),
    Permission { change: &'static str, action: &'l str, resource: &'l str },
    Summary { changes: usize, permissions: usize },
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let old = load(&arguments.old, context)?;
    let new = load(&arguments.new, context)?;
    let changes = changes(&old, &new);
    let rights = rights::changes(&old, &new);
    if context.json {
        for change in &changes {
            context.output.json(&Line::Change(change))?;
        }
        for right in &rights {
            let change = if right.is_added { "added" } else { "removed" };
            let (action, resource) = (right.action.as_str(), right.resource.as_str());
            context.output.json(&Line::Permission { change, action, resource })?;
        }
        let (changes, permissions) = (changes.len(), rights.len());
        context.output.json(&Line::Summary { changes, permissions })?;
        return Ok(Outcome::Clean);
    }
    context.output.result(&text(&changes, &rights))?;
    Ok(Outcome::Clean)
}

fn load(file: &Path, context: &mut Context<'_>) -> Result<Rules, Failure> {
    file.clone_into(&mut context.rules);
    rule_file::load(context)
}

/// The declarations that differ, in the order of their kinds and names.
fn changes(old: &Rules, new: &Rules) -> Vec<Change> {
    let (before, after) = (facts::all(old), facts::all(new));
    let mut names: Vec<_> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let compare = |id: (usize, &str)| {
        let (before, after) = (before.get(&id), after.get(&id));
        let (of, fields) = (before.or(after)?.of, differing(before, after));
        let change = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) if fields.is_empty() => return None,
            (Some(_), Some(_)) => "changed",
        };
        let names: Vec<_> = fields.iter().map(|field| field.field).collect();
        let data = facts::consequences(of, id.1, change, &names, new);
        let fields = if change == "changed" { fields } else { Vec::new() };
        Some(Change { of, name: id.1.to_owned(), how: change, fields, data })
    };
    names.into_iter().filter_map(compare).collect()
}

/// The declarations that differ, such as `reference order_customer`.
pub(super) fn changed(old: &Rules, new: &Rules) -> Vec<String> {
    let changes = changes(old, new).into_iter();
    changes.map(|change| format!("{} `{}`", change.of, change.name)).collect()
}

fn differing(before: Option<&Facts>, after: Option<&Facts>) -> Vec<FieldChange> {
    let empty = BTreeMap::new();
    let old = before.map_or(&empty, |facts| &facts.fields);
    let new = after.map_or(&empty, |facts| &facts.fields);
    let mut names: Vec<_> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let changed = names.into_iter().filter(|name| old.get(name) != new.get(name));
    changed
        .map(|field| FieldChange {
            field,
            old: old.get(field).cloned(),
            new: new.get(field).cloned(),
        })
        .collect()
}

fn text(changes: &[Change], rights: &[rights::Right]) -> String {
    if changes.is_empty() {
        return "the rules are the same\n".to_owned();
    }
    let mut text = String::new();
    for change in changes {
        let _ = writeln!(text, "{} `{}`: {}", change.of, change.name, change.how);
        for FieldChange { field, old, new } in &change.fields {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let _ = writeln!(text, "  {field}: {} → {}", shown(old), shown(new));
        }
        for line in &change.data {
            let _ = writeln!(text, "  data: {line}");
        }
    }
    text.push_str("\npermissions of the function:\n");
    for right in rights {
        let sign = if right.is_added { '+' } else { '-' };
        let _ = writeln!(text, "  {sign} {} on {}", right.action, right.resource);
    }
    if rights.is_empty() {
        text.push_str("  the same\n");
    }
    text
}

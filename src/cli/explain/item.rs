//! What the rules see in an item: which entity it is, which rules look at it, and what each would
//! do.

use std::fmt::Write as _;

use crate::cli::names::{item_name, shown};
use crate::cli::{Context, Failure, Outcome, item, rule_file};
use crate::integrity::inspect::{Sighting, View, inspect};
use crate::rules::model::{OnDelete, OnMirrorDelete, OnMirrorEdit, OnMissing, Reference, Rules};
use crate::store::{Query, SortCondition};
use crate::wording;

pub(super) fn explain(
    item: &str,
    table: Option<&str>,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let item = item::read(item)?;
    let rules = rule_file::load(context)?;
    let table = item::find_table(&rules, table)?;
    let key = rules[table].key.key_of(&item).map_err(|error| {
        Failure::Usage(format!("the item is none of table `{}`: {error}", rules[table].alias))
    })?;
    let mut text = format!("{}\n", item_name(&rules, table, &key));
    let sightings = inspect(&rules, table, &key, &item);
    if sightings.is_empty() {
        text.push_str("  is of no entity: no rule looks at it\n");
    }
    for sighting in &sightings {
        write_sighting(&rules, sighting, &mut text);
    }
    context.output.result(&text)?;
    Ok(Outcome::Clean)
}

fn write_sighting(rules: &Rules, sighting: &Sighting, text: &mut String) {
    let entity = &rules[sighting.entity];
    let captures: Vec<String> = entity
        .key
        .captures()
        .iter()
        .zip(&sighting.captures)
        .map(|(name, value)| format!("{name} = {}", shown(value)))
        .collect();
    let captures = captures.join(", ");
    if !sighting.admitted {
        let _ =
            writeln!(text, "  has a key of `{}`, but not what its `where` asks for", entity.name);
        return;
    }
    let _ = writeln!(text, "  is of `{}`, with {captures}", entity.name);
    if sighting.views.is_empty() {
        text.push_str("    no rule looks at it\n");
    }
    for view in &sighting.views {
        write_view(rules, view, text);
    }
}

fn write_view(rules: &Rules, view: &View, text: &mut String) {
    let _ = match view {
        View::Refers { rule, values } => {
            let rule = &rules[*rule];
            if values.is_empty() {
                let _ = writeln!(text, "    {}: refers to no `{}`", rule.name, rules[rule.to].name);
            }
            for (target, path) in values {
                let by = path.as_ref().map(|path| format!(" by `{path}`")).unwrap_or_default();
                let _ = match target {
                    Ok(key) => {
                        let target = item_name(rules, rules[rule.to].table, key);
                        writeln!(
                            text,
                            "    {}: refers{by} to {target}; if that does not exist, {}",
                            rule.name,
                            if_missing(rule)
                        )
                    }
                    Err(defect) => {
                        writeln!(text, "    {}: {}", rule.name, wording::defect(defect))
                    }
                };
            }
            Ok(())
        }
        View::Referred { rule, query } => {
            write_referred(rules, &rules[*rule], query.as_ref(), text)
        }
        View::Mirrored { rule, mirror, content } => {
            let rule = &rules[*rule];
            let names = content.iter().flat_map(|item| item.keys());
            let is_key = |name: &str| rules.key_schema(rule.mirror).names().any(|key| key == name);
            let copied: Vec<_> =
                names.filter(|name| !is_key(name)).map(|name| format!("`{name}`")).collect();
            let with =
                if copied.is_empty() { "its key alone".to_owned() } else { copied.join(", ") };
            match mirror {
                Ok(key) => writeln!(
                    text,
                    "    {}: is mirrored at {}, with {with}",
                    rule.name,
                    item_name(rules, rules[rule.mirror].table, key)
                ),
                Err(why) => writeln!(text, "    {}: cannot be mirrored: {why}", rule.name),
            }
        }
        View::Mirrors { rule, source } => {
            let rule = &rules[*rule];
            let edit = match rule.on_mirror_edit {
                OnMirrorEdit::Overwrite => "edits are overwritten",
                OnMirrorEdit::Report => "edits are reported",
            };
            let delete = match rule.on_mirror_delete {
                OnMirrorDelete::Restore => "a delete is undone",
                OnMirrorDelete::DeleteSource => "a delete takes the source with it",
                OnMirrorDelete::Report => "a delete is reported",
            };
            match source {
                Ok(key) => writeln!(
                    text,
                    "    {}: mirrors {}; {edit}, and {delete}",
                    rule.name,
                    item_name(rules, rules[rule.source].table, key)
                ),
                Err(why) => writeln!(text, "    {}: can have no source: {why}", rule.name),
            }
        }
    };
}

/// What happens to those who refer to an item that is deleted.
fn write_referred(
    rules: &Rules,
    rule: &Reference,
    query: Option<&Query>,
    text: &mut String,
) -> std::fmt::Result {
    let from = &rules[rule.from].name;
    let left_behind = "those that a delete leaves behind";
    let done = match rule.on_delete {
        OnDelete::Ignore => None,
        OnDelete::Report => Some(format!("{left_behind} are reported")),
        OnDelete::Cascade => Some(format!("{left_behind} are deleted")),
        OnDelete::Unset => Some(format!("{left_behind} lose their reference")),
        OnDelete::SetDefault => Some(format!("{left_behind} get the default")),
        OnDelete::Restore => Some("a delete is undone while any does".to_owned()),
    };
    let how = match (done, query) {
        (None, _) => "nothing is done if it is deleted".to_owned(),
        (Some(_), None) => format!("{left_behind} are found by an audit only"),
        (Some(done), Some(query)) => format!("{done}, found by {}", found_by(query)),
    };
    writeln!(text, "    {}: each `{from}` may refer to it; {how}", rule.name)
}

/// What happens to an item that refers to what does not exist.
fn if_missing(rule: &Reference) -> &'static str {
    match rule.on_missing {
        OnMissing::Report => "it is reported",
        OnMissing::Delete => "the item is deleted",
        OnMissing::Unset => "the reference is removed",
        OnMissing::SetDefault => "the reference is set to its default",
        OnMissing::Revert => "the write is undone",
    }
}

fn found_by(query: &Query) -> String {
    let where_from = query.index.as_ref().map_or_else(
        || format!("table `{}`", query.table),
        |index| format!("index `{index}` of table `{}`", query.table),
    );
    let value = |value: &crate::data::Value<'_>| {
        crate::data::KeyValue::from_value(value).as_ref().map(shown).unwrap_or_default()
    };
    let (name, partition) = &query.partition;
    let sort = match &query.sort {
        None => String::new(),
        Some(SortCondition::Equals(name, prefix)) => format!(" and `{name}` = {}", value(prefix)),
        Some(SortCondition::BeginsWith(name, prefix)) => {
            format!(" and `{name}` beginning with {}", value(prefix))
        }
    };
    format!("{where_from} with `{name}` = {}{sort}", value(partition))
}

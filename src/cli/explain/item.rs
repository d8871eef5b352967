//! Explains how the rules apply to an item: its entity, the rules for it, and what each rule would
//! do.

use std::fmt::Write as _;

use crate::cli::names::{item_name, shown};
use crate::cli::{Context, Failure, Outcome, item, rule_file};
use crate::data::{Item, Key};
use crate::integrity::finding::Defect;
use crate::integrity::inspect::{Sighting, View, inspect};
use crate::integrity::reference::targets as targets_of;
use crate::rules::model::{
    Expired, Mirror, OnDelete, OnMirrorDelete, OnMirrorEdit, OnMissing, Reference, ReferenceId,
    Rules,
};
use crate::store::{Query, SortCondition};
use crate::wording;

pub(super) fn explain(
    item: &str,
    table: Option<&str>,
    is_plain: bool,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let item = item::read(item, is_plain)?;
    let rules = rule_file::load(context)?;
    let table = item::find_table(&rules, table)?;
    let key = rules[table].key.key_of(&item).map_err(|error| {
        Failure::Usage(format!(
            "the item does not belong to table `{}`: {error}",
            rules[table].alias
        ))
    })?;
    let mut text = format!("{}\n", item_name(&rules, table, &key));
    let sightings = inspect(&rules, table, &key, &item);
    if sightings.is_empty() {
        text.push_str("  matches no entity: no rule applies to it\n");
    }
    for sighting in &sightings {
        write_sighting(&rules, sighting, &item, &mut text);
    }
    context.output.result(&text)?;
    Ok(Outcome::Clean)
}

fn write_sighting(rules: &Rules, sighting: &Sighting, item: &Item<'_>, text: &mut String) {
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
        let _ = write!(text, "  matches the key of `{}`, but not its `where`", entity.name);
        let mut unmet =
            entity.conditions.iter().filter(|(path, test)| !test.holds(path.lookup(item)));
        if let Some((path, test)) = unmet.next() {
            let found = path.lookup(item).map_or_else(|| "absent".to_owned(), wording::value);
            let required = wording::test(test);
            let _ = write!(text, ": `{path}` is {found}, and must be {required}");
        }
        text.push('\n');
        return;
    }
    let with = if captures.is_empty() { String::new() } else { format!(", with {captures}") };
    let _ = writeln!(text, "  matches `{}`{with}", entity.name);
    if sighting.views.is_empty() {
        text.push_str("    no rule applies to it\n");
    }
    for view in &sighting.views {
        write_view(rules, view, text);
    }
}

fn write_view(rules: &Rules, view: &View, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = match view {
        View::Refers { rule, values } => write_references(rules, *rule, values, text),
        View::Referred { rule, query } => {
            write_referrers(rules, &rules[*rule], query.as_ref(), text)
        }
        View::Mirrored { rule, mirror, content } => {
            write_source(rules, &rules[*rule], mirror, content.as_ref(), text)
        }
        View::Mirrors { rule, source } => write_mirror(rules, &rules[*rule], source, text),
    };
}

/// Writes the targets of a reference, and what happens if they do not exist.
fn write_references(
    rules: &Rules,
    id: ReferenceId,
    targets: &[(Result<Key<'static>, Defect>, Option<String>)],
    text: &mut String,
) -> std::fmt::Result {
    let rule = &rules[id];
    if targets.is_empty() {
        let mut each: Vec<_> =
            rules.alternatives(id).map(|(_, it)| rules[it.to].name.clone()).collect();
        each.dedup();
        let to = wording::names(&each, "or");
        writeln!(text, "    {}: refers to no {to}", rule.name)?;
    }
    for (target, path) in targets {
        let by = path.as_ref().map(|path| format!(" by `{path}`")).unwrap_or_default();
        match target {
            Ok(key) => {
                let mut names: Vec<String> = Vec::new();
                for (rule, key) in targets_of(rules, id, key) {
                    let name = item_name(rules, rules.referenced(rule).table, &key);
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                let missing = match (names.len(), rule.expired) {
                    (0 | 1, _) => format!("that item {}", missing(rule)),
                    (_, Expired::Present) => "none of these items exists".to_owned(),
                    (_, Expired::Absent) => {
                        "each of these items is missing or has expired".to_owned()
                    }
                };
                let (name, names, then) = (&rule.name, names.join(" or "), if_missing(rule));
                writeln!(text, "    {name}: refers{by} to {names}; if {missing}, {then}")?;
            }
            Err(defect) => writeln!(text, "    {}: {}", rule.name, wording::defect(defect))?,
        }
    }
    Ok(())
}

/// Writes the mirror of a source.
fn write_source(
    rules: &Rules,
    rule: &Mirror,
    mirror: &Result<Key<'static>, String>,
    content: Option<&Item<'_>>,
    text: &mut String,
) -> std::fmt::Result {
    let is_key = |name: &str| rules.key_schema(rule.mirror).names().any(|key| key == name);
    let names = content.into_iter().flat_map(|item| item.keys());
    let copied: Vec<_> =
        names.filter(|name| !is_key(name)).map(|name| format!("`{name}`")).collect();
    let copied = if copied.is_empty() { "no attributes".to_owned() } else { copied.join(", ") };
    match mirror {
        Ok(key) => {
            let mirror = item_name(rules, rules[rule.mirror].table, key);
            writeln!(text, "    {}: is mirrored at {mirror}, copying {copied}", rule.name)
        }
        Err(why) => writeln!(text, "    {}: cannot be mirrored: {why}", rule.name),
    }
}

/// Writes the source of a mirror, and what happens to changes of the mirror.
fn write_mirror(
    rules: &Rules,
    rule: &Mirror,
    source: &Result<Key<'static>, String>,
    text: &mut String,
) -> std::fmt::Result {
    let edit = match rule.on_mirror_edit {
        OnMirrorEdit::Overwrite => "edits are overwritten",
        OnMirrorEdit::Report => "edits are reported",
    };
    let delete = match rule.on_mirror_delete {
        OnMirrorDelete::Restore => "deletes are undone",
        OnMirrorDelete::DeleteSource => "a delete also deletes the source",
        OnMirrorDelete::Report => "deletes are reported",
    };
    match source {
        Ok(key) => {
            let source = item_name(rules, rules[rule.source].table, key);
            writeln!(text, "    {}: mirrors {source}; {edit}, and {delete}", rule.name)
        }
        Err(why) => writeln!(text, "    {}: cannot have a source: {why}", rule.name),
    }
}

/// Writes what happens to the items that refer to a deleted item.
fn write_referrers(
    rules: &Rules,
    rule: &Reference,
    query: Option<&Query>,
    text: &mut String,
) -> std::fmt::Result {
    let from = &rules[rule.from].name;
    let action = match rule.on_delete {
        OnDelete::Ignore => None,
        OnDelete::Report => Some("the orphans are reported"),
        OnDelete::Cascade => Some("the orphans are deleted"),
        OnDelete::Unset => Some("the references of the orphans are removed"),
        OnDelete::SetDefault => Some("the references of the orphans are set to the default"),
        OnDelete::Restore => Some("it is restored if anything still refers to it"),
    };
    let then = match (action, query) {
        (None, _) => "nothing is done".to_owned(),
        (Some(_), None) => "the orphans are not found".to_owned(),
        (Some(action), Some(query)) => format!("{action} (found in {})", found_in(query)),
    };
    writeln!(text, "    {}: each `{from}` may refer to it; if it is deleted, {then}", rule.name)
}

/// When a reference's target is missing.
const fn missing(rule: &Reference) -> &'static str {
    match rule.expired {
        Expired::Present => "does not exist",
        Expired::Absent => "does not exist or has expired",
    }
}

/// What happens to a reference whose target does not exist.
fn if_missing(rule: &Reference) -> &'static str {
    match rule.on_missing {
        OnMissing::Report => "the reference is reported",
        OnMissing::Delete => "the referencing item is deleted",
        OnMissing::Unset => "the reference is removed",
        OnMissing::SetDefault => "the reference is set to its default",
        OnMissing::Revert => "the write is reverted",
    }
}

fn found_in(query: &Query) -> String {
    let source = query.index.as_ref().map_or_else(
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
    format!("{source} with `{name}` = {}{sort}", value(partition))
}

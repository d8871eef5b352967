//! Explains entities and tables in words.

use std::collections::BTreeSet;

use super::rule::literal;
use crate::rules::model::{Component, EntityId, Mode, Reference, Rules, TableId};
use crate::wording;

/// Explains an entity: its key, its conditions and the rules for it.
pub(in crate::cli) fn entity(rules: &Rules, id: EntityId) -> String {
    let entity = &rules[id];
    let table = rules.table_of(id);
    let all = rules.entities_named(&entity.name);
    let all: Vec<_> = all.map(|(id, _)| format!("`{}`", rules.table_of(id).alias)).collect();
    let tables = if all.len() > 1 { "tables" } else { "table" };
    let all = listed(&all);
    let mut lines = vec![
        format!("`{}` is an entity: a kind of item in the {tables} {all}.", entity.name),
        String::new(),
        "An item belongs to it if".to_owned(),
    ];
    let templates = std::iter::once(entity.key.partition()).chain(entity.key.sort());
    for (name, template) in table.key.names().zip(templates) {
        lines.push(format!("  - `{name}` matches \"{}\"", template.template()));
    }
    for (path, test) in entity.conditions.iter().filter(|(_, test)| !test.is_timed()) {
        lines.push(format!("  - `{path}` is {}", wording::test(test)));
    }
    if entity.is_timed() {
        lines.extend([String::new(), "For the references to it, it exists if".to_owned()]);
        for (path, test) in entity.conditions.iter().filter(|(_, test)| test.is_timed()) {
            lines.push(format!("  - `{path}` is {}", wording::test(test)));
        }
    }
    let formats = formats(rules, id);
    if !formats.is_empty() {
        lines.extend([String::new(), "In these templates,".to_owned()]);
        lines.extend(formats);
    }
    lines.push(String::new());
    let rules_for_it = rules_for(rules, id);
    if rules_for_it.is_empty() {
        lines.push("No rule uses it.".to_owned());
    }
    lines.extend(rules_for_it);
    lines.join("\n") + "\n"
}

/// The rules for an entity. A rule for several tables is listed once.
fn rules_for(rules: &Rules, id: EntityId) -> Vec<String> {
    let name = &rules[id].name;
    let is_it = |entity: EntityId| rules[entity].name == *name;
    let mut lines = Vec::new();
    for rule in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        if is_it(rule.from) {
            lines.push(format!("It refers to `{}`: `{}`.", rules[rule.to].name, rule.name));
        }
        if is_it(rules.declared(rule.to)) {
            lines.push(format!("`{}` refers to it: `{}`.", rules[rule.from].name, rule.name));
        }
    }
    for rule in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        if is_it(rule.source) {
            lines
                .push(format!("It is mirrored as `{}`: `{}`.", rules[rule.mirror].name, rule.name));
        }
        if is_it(rule.mirror) {
            lines.push(format!(
                "Referee writes it as the mirror of `{}`: `{}`.",
                rules[rule.source].name, rule.name
            ));
        }
    }
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// The captures of an entity's key that have a format, in words.
fn formats(rules: &Rules, id: EntityId) -> Vec<String> {
    let key = &rules[id].key;
    let templates = std::iter::once(key.partition()).chain(key.sort());
    let mut lines = Vec::new();
    for capture in templates.flat_map(|template| template.template().formatted()) {
        let Some(meaning) = capture.format.describe() else { continue };
        let line = format!("  - `{capture}` is {meaning}");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Explains a table: its key and its entities.
pub(super) fn table(rules: &Rules, id: TableId) -> String {
    let table = &rules[id];
    let keys: Vec<_> = table
        .key
        .attributes()
        .map(|attribute| format!("`{}` ({})", attribute.name, attribute.kind.as_type()))
        .collect();
    let entities = rules.entities.iter().filter(|entity| entity.table == id);
    let entities: Vec<_> = entities.map(|entity| format!("`{}`", entity.name)).collect();
    let mut lines = vec![
        format!("`{}` is a table, named `{}` in DynamoDB.", table.alias, table.name),
        String::new(),
        format!("Its key consists of {}.", listed(&keys)),
        format!("In key templates, a capture ends at `{}`.", table.separator),
    ];
    if let Some(ttl) = &table.ttl {
        lines.push(format!("TTL deletes its items at the time in `{ttl}`."));
    }
    if !entities.is_empty() {
        lines.push(format!("Its entities are {}.", listed(&entities)));
    }
    lines.join("\n") + "\n"
}

/// Where a part of a reference comes from, in words.
pub(in crate::cli) fn source(
    rules: &Rules,
    reference: &Reference,
    (index, component): (usize, &Component),
) -> String {
    let whole = match component {
        Component::Capture(index) => {
            let captures = rules[reference.from].key.captures();
            let name = captures.get(*index).map_or("", String::as_str);
            format!("`{{{name}}}` of the key of `{}`", rules[reference.from].name)
        }
        Component::Attribute(path, kind) => format!("the attribute `{path}` ({kind})"),
        Component::Elements(path, kind) => format!("each element of `{path}` ({kind})"),
        Component::Field(path, kind) => format!("each `{path}` ({kind})"),
        Component::Constant(value) => format!("always {}", literal(&value.to_value())),
    };
    let Some(contained) = reference.contained(index) else { return whole };
    let text = contained.text.partition().template();
    let captures = contained.text.captures();
    let name = contained.capture.and_then(|capture| captures.get(capture));
    name.map_or_else(
        || format!("{whole}, which matches \"{text}\""),
        |name| format!("`{{{name}}}` in {whole}, which matches \"{text}\""),
    )
}

/// Lists texts, as in `a, b and c`.
pub(super) fn listed(texts: &[String]) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

//! The edges of references and mirrors.

use super::entity::literal;
use super::health::Health;
use super::{mirror_id, reference_id};
use crate::diagram::{Edge, End, Line, Mark, Node, Status};
use crate::rules::model::{
    Component, Copied, Find, MirrorId, Mode, OnMissing, Reference, ReferenceId, Rules,
};

pub(super) fn reference(
    rules: &Rules,
    id: ReferenceId,
    [from, to]: [usize; 2],
    nodes: &[Node],
    health: Option<&Health>,
) -> Edge {
    let rule = &rules[id];
    let mut label = vec![rule.name.clone(), on_delete(rule)];
    label.extend(alternative(rules, rule));
    label.extend(mode(rule.mode));
    label.extend(findings(health, &rule.name));
    let mut edge_id = reference_id(&rule.name);
    if rules.references_named(&rule.name).next().is_none_or(|(first, _)| first.0 != id.0) {
        edge_id += &suffix(rules, rule);
    }
    Edge {
        id: edge_id,
        from: End {
            node: from,
            row: from_row(rules, rule, nodes.get(from)),
            mark: from_mark(rules, rule),
        },
        to: End { node: to, row: Some(0), mark: to_mark(rule) },
        label,
        line: Line::Solid,
        status: health.map_or(Status::Plain, |health| health.status(&rule.name, rule.mode)),
        note: note(rules, rule),
    }
}

/// What distinguishes the edges of one rule: the names of entities or tables.
fn suffix(rules: &Rules, rule: &Reference) -> String {
    let mut suffix = String::new();
    if !rule.alternative.is_first {
        suffix = format!("-{}", rules[rule.to].name);
    }
    for entity in [rule.from, rule.to] {
        if rules.has_several_tables(rules.declared(entity)) {
            suffix = format!("{suffix}-{}", rules.table_of(rules.declared(entity)).alias);
        }
    }
    suffix
}

fn on_delete(rule: &Reference) -> String {
    let [delete, ttl] = rule.on_deletes();
    if delete == ttl {
        format!("on delete: {}", delete.name())
    } else {
        format!("on delete: {}, by TTL: {}", delete.name(), ttl.name())
    }
}

/// When an item refers to this one of several entities.
fn alternative(rules: &Rules, rule: &Reference) -> Option<String> {
    let Some(discriminator) = &rule.alternative.discriminator else {
        let mut others = rule.alternative.others.iter();
        let is_of_table =
            others.all(|other| rules[rules[other.rule].to].name == rules[rule.to].name);
        let other = if is_of_table { "or in another table" } else { "or another entity" };
        return rule.alternative.is_union().then(|| other.to_owned());
    };
    let source = rule.components.get(discriminator.component)?;
    let name = match source {
        Component::Capture(index) => {
            format!("{{{}}}", rules[rule.from].key.captures().get(*index)?)
        }
        Component::Attribute(path, _)
        | Component::Field(path, _)
        | Component::Elements(path, _) => path.to_string(),
        Component::Constant(_) => return None,
    };
    Some(format!("{name} = {}", literal(&discriminator.value.to_value())))
}

fn mode(mode: Mode) -> Option<String> {
    match mode {
        Mode::Enforce => None,
        Mode::Off | Mode::Observe => Some(format!("mode: {}", mode.name())),
    }
}

/// The number of a rule's findings, as a line of its label.
fn findings(health: Option<&Health>, rule: &str) -> Option<String> {
    health.map(|health| health.of_rule(rule).words()).filter(|words| !words.is_empty())
}

/// The row of the reference: an attribute, or else the key attribute with its first capture.
fn from_row(rules: &Rules, rule: &Reference, node: Option<&Node>) -> Option<usize> {
    let rows = &node?.rows;
    let named = |name: String| rows.iter().position(|row| row.name == name);
    let attribute = rule.components.iter().find_map(|component| match component {
        Component::Capture(_) | Component::Constant(_) => None,
        Component::Attribute(path, _) | Component::Field(path, _) => named(path.to_string()),
        Component::Elements(path, _) => named(format!("{path}[*]")),
    });
    attribute.or_else(|| {
        let key = &rules[rule.from].key;
        // The last capture: in a key such as `tenant#{t}` / `user#{u}`, the one that distinguishes.
        let capture = rule.components.iter().rev().find_map(|component| match component {
            Component::Capture(index) => key.captures().get(*index),
            Component::Attribute(..)
            | Component::Elements(..)
            | Component::Field(..)
            | Component::Constant(_) => None,
        })?;
        key.templates().position(|template| template.captures().any(|name| name == capture))
    })
}

/// How many items may refer to one.
fn from_mark(rules: &Rules, rule: &Reference) -> Mark {
    let captures = rules[rule.from].key.captures();
    let is_determined =
        (0..captures.len()).all(|index| rule.components.contains(&Component::Capture(index)));
    if is_determined && !rule.has_elements() { Mark::ZeroOrOne } else { Mark::Many }
}

/// To how many items one may refer.
fn to_mark(rule: &Reference) -> Mark {
    let is_in_key = rule.components.iter().all(|it| it.path().is_none());
    match (rule.has_elements(), rule.required || is_in_key) {
        (true, true) => Mark::OneOrMore,
        (true, false) => Mark::Many,
        (false, true) => Mark::One,
        (false, false) => Mark::ZeroOrOne,
    }
}

fn note(rules: &Rules, rule: &Reference) -> String {
    let from = &rules[rule.from];
    let targets = rules[rule.to].key.captures();
    let on = rule.components.iter().zip(targets).map(|(component, target)| match component {
        Component::Capture(index) => {
            format!("{target} = {{{}}}", from.key.captures().get(*index).map_or("", String::as_str))
        }
        Component::Attribute(path, _) | Component::Field(path, _) => format!("{target} = {path}"),
        Component::Constant(value) => format!("{target} = {}", literal(&value.to_value())),
        Component::Elements(path, _) => format!("{target} = {path}[*]"),
    });
    let mut parts = vec![on.collect::<Vec<_>>().join(", ")];
    if rule.required {
        parts.push("required".to_owned());
    }
    if rule.on_missing != OnMissing::Report {
        parts.push(format!("on missing: {}", rule.on_missing.name()));
    }
    parts.push(find(rules, rule));
    parts.join("; ")
}

fn find(rules: &Rules, rule: &Reference) -> String {
    match &rule.find {
        Find::Derived => "found by a query of the table".to_owned(),
        Find::Index { index, .. } => {
            let table = rules.table_of(rule.from);
            let name = table.indexes.get(*index).map_or("", |index| index.name.as_str());
            format!("found in index {name}")
        }
        Find::Mirror(mirror) => format!("found through mirror {}", rules[*mirror].name),
        Find::None => "orphans are not found".to_owned(),
    }
}

pub(super) fn mirror(
    rules: &Rules,
    id: MirrorId,
    [from, to]: [usize; 2],
    health: Option<&Health>,
) -> Edge {
    let rule = &rules[id];
    let copied = match &rule.copy {
        Copied::All => "all attributes".to_owned(),
        Copied::Except(names) => format!("all attributes except {}", names.join(", ")),
        Copied::None => "the key only".to_owned(),
        Copied::List(names) => names.join(", "),
        Copied::Renamed(names) => {
            let as_new = names.iter().map(|(name, new)| format!("{name} as {new}"));
            as_new.collect::<Vec<_>>().join(", ")
        }
    };
    let mut label = vec![rule.name.clone(), format!("copies {copied}")];
    label.extend(mode(rule.mode));
    label.extend(findings(health, &rule.name));
    let mut edge_id = mirror_id(&rule.name);
    if rules.mirrors_named(&rule.name).next().is_none_or(|(first, _)| first != id) {
        edge_id = format!("{edge_id}-{}", rules.table_of(rule.source).alias);
    }
    Edge {
        id: edge_id,
        from: End { node: from, row: None, mark: Mark::One },
        to: End { node: to, row: None, mark: Mark::One },
        label,
        line: Line::Dashed,
        status: health.map_or(Status::Plain, |health| health.status(&rule.name, rule.mode)),
        note: format!(
            "mirror rule; on mirror delete: {}; on mirror edit: {}",
            rule.on_mirror_delete.name(),
            rule.on_mirror_edit.name()
        ),
    }
}

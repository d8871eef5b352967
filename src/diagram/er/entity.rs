//! The box of an entity.

use std::collections::BTreeMap;

use serde_json::json;

use super::health::Health;
use super::{entity_id, table_name};
use crate::data::{KeyAttribute, KeyKind, Value};
use crate::diagram::{Node, Row, Status};
use crate::rules::model::{Component, Entity, EntityId, Find, Reference, Rules, Test};
use crate::wording;

pub(super) fn node(
    rules: &Rules,
    id: EntityId,
    group: Option<usize>,
    keys_only: bool,
    health: Option<&Health>,
) -> Node {
    let entity = &rules[id];
    let count = health.map(|health| health.of_entity(rules, id));
    let is_mirror = rules.mirrors.iter().any(|rule| rule.mirror == id);
    let kind = if is_mirror { "mirror" } else { "entity" };
    let table = rules.table_of(id);
    let kind = match group {
        Some(_) => kind.to_owned(),
        None => format!("{kind} in table {}", table_name(table)),
    };
    Node {
        id: entity_id(rules, id),
        group,
        kind,
        title: if rules.has_several_tables(id) {
            format!("{} in {}", entity.name, table.alias)
        } else {
            entity.name.clone()
        },
        rows: rows(rules, id, keys_only),
        status: count.map_or(Status::Plain, super::Count::status),
        badge: count.map(super::Count::words).unwrap_or_default(),
        note: if is_mirror { "written by Referee".to_owned() } else { String::new() },
    }
}

/// The rows of key attributes, in the order of the key.
const KEY_MARKERS: [&str; 2] = ["PK", "SK"];

fn rows(rules: &Rules, id: EntityId, keys_only: bool) -> Vec<Row> {
    let entity = &rules[id];
    let key = rules.key_schema(id).attributes().zip(entity.key.templates()).zip(KEY_MARKERS);
    let mut rows: Vec<Row> = key
        .map(|((KeyAttribute { name, kind }, template), marker)| Row {
            marker: marker.to_owned(),
            name: name.clone(),
            kind: key_kind(*kind).to_owned(),
            detail: template.template().to_string(),
            ..Row::default()
        })
        .collect();
    if !keys_only {
        rows.extend(attributes(rules, id));
        rows.extend(entity.conditions.iter().map(|(path, test)| Row {
            marker: "IF".to_owned(),
            name: path.to_string(),
            kind: "any".to_owned(),
            detail: condition(test),
            ..Row::default()
        }));
        rows.extend(indexes(rules, id));
    }
    rows
}

const fn key_kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::S => "S",
        KeyKind::N => "N",
        KeyKind::B => "B",
    }
}

/// A condition: `= VALUE`, or in words.
fn condition(test: &Test) -> String {
    test.literal().map_or_else(|| wording::test(test), |value| format!("= {}", literal(value)))
}

/// A condition's value, as JSON would show it.
pub(super) fn literal(value: &Value<'_>) -> String {
    match value {
        Value::S(text) => json!(text).to_string(),
        Value::N(number) => number.to_string(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Null => "null".to_owned(),
        Value::B(_) | Value::L(_) | Value::M(_) | Value::Ss(_) | Value::Ns(_) | Value::Bs(_) => {
            "…".to_owned()
        }
    }
}

/// The references of an entity.
fn references(rules: &Rules, id: EntityId) -> impl Iterator<Item = &Reference> {
    rules.references.iter().filter(move |rule| rule.from == id)
}

/// The attributes that are declared, and those that are references.
fn attributes(rules: &Rules, id: EntityId) -> Vec<Row> {
    let Entity { attributes, .. } = &rules[id];
    let row = |marker: &str, name: String, kind: String| Row {
        marker: marker.to_owned(),
        name,
        kind,
        ..Row::default()
    };
    let mut rows: BTreeMap<String, Row> = attributes
        .iter()
        .map(|(path, kind)| (path.to_string(), row("", path.to_string(), kind.to_string())))
        .collect();
    for component in references(rules, id).flat_map(|rule| &rule.components) {
        let (path, kind, elements) = match component {
            Component::Capture(_) | Component::Constant(_) => continue,
            Component::Attribute(path, kind) | Component::Field(path, kind) => {
                (path.to_string(), kind, "")
            }
            Component::Elements(path, kind) => (path.to_string(), kind, "[*]"),
        };
        let name = format!("{path}{elements}");
        rows.entry(path)
            .and_modify(|row| {
                "FK".clone_into(&mut row.marker);
                row.name.clone_from(&name);
            })
            .or_insert_with(|| row("FK", name.clone(), kind.to_string()));
    }
    rows.into_values().collect()
}

/// The indexes in which items of the entity are looked up, each once.
fn indexes(rules: &Rules, id: EntityId) -> Vec<Row> {
    let table = rules.table_of(id);
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for rule in references(rules, id) {
        let Find::Index { index, partition, sort } = &rule.find else { continue };
        let Some(index) = table.indexes.get(*index) else { continue };
        let templates = std::iter::once(partition).chain(sort);
        let key = index
            .key
            .attributes()
            .zip(templates)
            .map(|(attribute, template)| format!("{} {}", attribute.name, template.template()));
        rows.entry(&index.name).or_insert_with(|| Row {
            marker: "IX".to_owned(),
            name: index.name.clone(),
            kind: "index".to_owned(),
            detail: key.collect::<Vec<_>>().join(", "),
            ..Row::default()
        });
    }
    rows.into_values().collect()
}

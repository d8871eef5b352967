//! Entities: shapes of keys with names, named captures, and conditions.

use std::collections::{BTreeMap, BTreeSet};

use super::capture::{Capture, Column, captures};
use super::names::{entity_name, is_root_word, snake};
use super::overlap::drop_overlaps;
use super::sample::{Row, TableSample};
use super::shape::{Keys, Shape, Slot};
use crate::data::{KeyKind, KeySchema, Value};

/// Names of attributes that usually contain an item's type.
pub(super) const TYPE_NAMES: [&str; 24] = [
    "__typename",
    "__edb_e__",
    "_et",
    "entityType",
    "EntityType",
    "entity_type",
    "ENTITY_TYPE",
    "_entity",
    "entity",
    "Entity",
    "_type",
    "__type",
    "itemType",
    "ItemType",
    "item_type",
    "recordType",
    "record_type",
    "objectType",
    "docType",
    "_t",
    "type",
    "Type",
    "TYPE",
    "kind",
];

/// The part of a key template that one token of a key matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The constant text.
    pub(super) literal: String,
    /// The capture behind it.
    pub(super) capture: Option<usize>,
}

/// The template of a key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) kind: KeyKind,
    pub(super) tokens: Vec<Token>,
}

impl Template {
    /// Splits a text, and calls `each` for every capture.
    pub(super) fn parse<'t>(
        &self,
        separator: char,
        text: &'t str,
        each: &mut dyn FnMut(usize, &'t str),
    ) -> bool {
        if self.kind != KeyKind::S {
            let Some(capture) = self.tokens.first().and_then(|token| token.capture) else {
                return false;
            };
            each(capture, text);
            return true;
        }
        let mut parts = text.split(separator);
        for token in &self.tokens {
            let Some(part) = parts.next() else { return false };
            match token.capture {
                None if part == token.literal => {}
                None => return false,
                Some(capture) => match part.strip_prefix(token.literal.as_str()) {
                    Some(value) if !value.is_empty() => each(capture, value),
                    _ => return false,
                },
            }
        }
        parts.next().is_none()
    }
}

/// A kind of item.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) table: usize,
    pub(super) key: Vec<Template>,
    pub(super) captures: Vec<Capture>,
    /// The value of the type attribute that distinguishes it.
    pub(super) condition: Option<(String, String)>,
    /// Its items in the sample.
    pub(super) rows: Vec<usize>,
    /// Whether it describes its partition as a whole.
    pub(super) is_root: bool,
}

impl Entity {
    /// The values of the captures of a key.
    pub(super) fn parse<'t>(&self, separator: char, key: &'t [String]) -> Option<Vec<&'t str>> {
        let mut values: Vec<Option<&str>> = vec![None; self.captures.len()];
        let mut is_same = true;
        for (template, text) in self.key.iter().zip(key) {
            let matches = template.parse(separator, text, &mut |capture, value| {
                if let Some(slot) = values.get_mut(capture) {
                    is_same &= slot.is_none_or(|before| before == value);
                    *slot = Some(value);
                }
            });
            if !matches || !is_same {
                return None;
            }
        }
        values.into_iter().collect()
    }

    /// Whether an item with the right key meets the condition.
    pub(super) fn admits(&self, item: &crate::data::Item<'_>) -> bool {
        self.condition.as_ref().is_none_or(|(name, value)| {
            matches!(item.get(name.as_str()), Some(Value::S(text)) if text == value)
        })
    }
}

/// The type attribute of a table, if it has one.
pub(super) fn type_name(rows: &[Row]) -> Option<&'static str> {
    TYPE_NAMES.into_iter().find(|name| {
        let mut values = BTreeSet::new();
        let present = rows
            .iter()
            .filter(|row| match row.item.get(*name) {
                Some(Value::S(text)) => {
                    values.insert(text);
                    true
                }
                _ => false,
            })
            .count();
        present * 10 >= rows.len() * 8 && values.len() <= 300 && values.len() * 2 <= rows.len() + 2
    })
}

/// The entities of a table.
pub(super) fn entities(
    table: usize,
    table_name: &str,
    sample: &TableSample,
    schema: &KeySchema,
    separator: char,
) -> Vec<Entity> {
    let kinds: Vec<KeyKind> = schema.attributes().map(|attribute| attribute.kind).collect();
    let is_text: Vec<bool> = kinds.iter().map(|kind| *kind == KeyKind::S).collect();
    let type_name = type_name(&sample.rows);
    let keys = Keys::new(&sample.rows, separator, &is_text, type_name);
    let shapes = by_type(keys.shapes(), &sample.rows, type_name);
    let mut entities: Vec<Entity> = Vec::new();
    for (shape, condition) in shapes {
        entities.push(entity(table, &sample.rows, schema, separator, shape, condition));
    }
    drop_overlaps(&mut entities, sample, separator, type_name);
    let is_only = entities.len() == 1;
    for entity in &mut entities {
        entity.name = name(entity, &sample.rows, table_name, type_name, is_only);
    }
    entities
}

/// Splits shapes by the type attribute, where items of one shape are of several types with
/// different attributes.
fn by_type(
    shapes: Vec<Shape>,
    rows: &[Row],
    type_name: Option<&str>,
) -> Vec<(Shape, Option<(String, String)>)> {
    let Some(type_name) = type_name else {
        return shapes.into_iter().map(|shape| (shape, None)).collect();
    };
    let is_sure =
        !matches!(type_name, "type" | "Type" | "TYPE" | "kind" | "entity" | "Entity" | "_t");
    let mut split = Vec::new();
    for shape in shapes {
        let mut values: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut untyped = 0;
        for row in &shape.rows {
            match rows.get(*row).and_then(|row| row.item.get(type_name)) {
                Some(Value::S(text)) => values.entry(text).or_default().push(*row),
                _ => untyped += 1,
            }
        }
        let attributes: Vec<BTreeSet<&str>> = values
            .values()
            .map(|of_value| {
                let all = of_value.iter().filter_map(|row| rows.get(*row));
                all.flat_map(|row| row.item.keys().map(AsRef::as_ref)).collect()
            })
            .collect();
        let differs = attributes.windows(2).all(|pair| match pair {
            [one, other] => one.intersection(other).count() * 10 < one.union(other).count() * 6,
            _ => false,
        });
        let is_split = untyped == 0
            && values.len() > 1
            && values.len() <= 24
            && values.len() * 2 <= shape.rows.len()
            && (is_sure || differs);
        if is_split {
            for (value, rows) in values {
                let condition = Some((type_name.to_owned(), value.to_owned()));
                split.push((Shape { rows, key: shape.key.clone() }, condition));
            }
        } else {
            split.push((shape, None));
        }
    }
    split
}

fn entity(
    table: usize,
    rows: &[Row],
    schema: &KeySchema,
    separator: char,
    shape: Shape,
    condition: Option<(String, String)>,
) -> Entity {
    let mut columns: Vec<(Column, Option<usize>)> = Vec::new();
    let mut key = Vec::new();
    let few: Vec<&Row> = shape.rows.iter().filter_map(|row| rows.get(*row)).take(2_000).collect();
    let mut used = 0;
    for (attribute, (slots, schema)) in shape.key.iter().zip(schema.attributes()).enumerate() {
        let mut tokens = Vec::new();
        let mut label = None;
        for (token, slot) in slots.iter().enumerate() {
            let prefix = match slot {
                Slot::Literal(text) => {
                    if !text.is_empty() {
                        label = Some(text.clone());
                    }
                    tokens.push(Token { literal: text.clone(), capture: None });
                    continue;
                }
                Slot::Capture { prefix } => prefix,
            };
            if !prefix.is_empty() {
                label = Some(prefix.clone());
            }
            let values: Vec<&str> = few
                .iter()
                .filter_map(|row| {
                    let text = row.key.get(attribute)?;
                    let part = if schema.kind == KeyKind::S {
                        text.split(separator).nth(token)?
                    } else {
                        text
                    };
                    part.get(prefix.len()..)
                })
                .collect();
            let mut different: Vec<&&str> = values.iter().collect();
            different.sort_unstable();
            different.dedup();
            // A few equal numbers behind different labels are a coincidence.
            let known = columns.iter().find(|(column, _)| {
                let is_likely = different.len() >= 4
                    || match (&column.label, &label) {
                        (Some(one), Some(two)) => snake(one) == snake(two) || is_root_word(two),
                        _ => true,
                    };
                column.values == values && column.kind == schema.kind && is_likely
            });
            let capture = if let Some((_, capture)) = known {
                *capture
            } else {
                used += 1;
                Some(used - 1)
            };
            if known.is_none() {
                let is_whole = slots.len() == 1 && prefix.is_empty();
                let attribute = is_whole.then(|| schema.name.clone());
                let label = label.take();
                columns.push((Column { values, label, attribute, kind: schema.kind }, capture));
            }
            tokens.push(Token { literal: prefix.clone(), capture });
        }
        key.push(Template { kind: schema.kind, tokens });
    }
    let captures = captures(columns, &few, schema);
    let is_root = is_root(&key, &captures);
    let name = String::new();
    Entity { name, table, key, captures, condition, rows: shape.rows, is_root }
}

/// Whether a key describes its partition as a whole: no capture but those of the partition key, and
/// a sort key such as `METADATA`.
fn is_root(key: &[Template], captures: &[Capture]) -> bool {
    let [partition, sort] = key else { return key.len() == 1 };
    let in_partition: BTreeSet<usize> =
        partition.tokens.iter().filter_map(|token| token.capture).collect();
    if in_partition.len() != captures.len() {
        return false;
    }
    let labels: Vec<String> = partition.tokens.iter().map(|token| plain(&token.literal)).collect();
    let repeats = sort.tokens.iter().any(|token| token.capture.is_some());
    repeats
        || sort
            .tokens
            .iter()
            .all(|token| is_root_word(&token.literal) || labels.contains(&plain(&token.literal)))
}

fn plain(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A name for an entity: by its type, the labels of its key, or its table.
fn name(
    entity: &Entity,
    rows: &[Row],
    table: &str,
    type_name: Option<&str>,
    is_only: bool,
) -> String {
    if let Some(name) = type_name {
        let mut values: BTreeMap<&str, usize> = BTreeMap::new();
        for row in entity.rows.iter().filter_map(|row| rows.get(*row)) {
            if let Some(Value::S(text)) = row.item.get(name) {
                *values.entry(text).or_default() += 1;
            }
        }
        if let Some(only) = values.keys().next().filter(|_| values.len() == 1) {
            let name = entity_name(only);
            if !name.is_empty() {
                return name;
            }
        }
    }
    let labels = |template: &Template| -> Vec<String> {
        let literal = |token: &Token| snake(&token.literal);
        template
            .tokens
            .iter()
            .map(literal)
            .filter(|label| label.contains(char::is_alphabetic) && !is_root_word(label))
            .collect()
    };
    let partition = entity.key.first().map(labels).unwrap_or_default();
    let sort = entity.key.get(1).map(labels).unwrap_or_default();
    let name = match (partition.last(), sort.last()) {
        _ if is_only && partition.is_empty() && sort.is_empty() => table,
        (Some(partition), _) if entity.is_root => partition,
        (_, Some(sort)) => sort,
        (Some(partition), None) => partition,
        (None, None) => table,
    };
    let name = entity_name(name);
    if name.is_empty() { "item".to_owned() } else { name }
}

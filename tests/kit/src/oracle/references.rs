//! Reads an item's references: the keys that they refer to, or why they are invalid.

use std::collections::BTreeSet;

use referee::data::{Item, Key, KeyValue, Value};
use referee::rules::model::{Component, Matching, Reference, Rules};
use referee::rules::template::Captures;

use super::tables::{Tables, captures};
use super::{Defect, ItemName, Kind};

/// What a reference of an item refers to, or why it is invalid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceValue {
    RefersTo(Key<'static>),
    Wrong(Kind),
}

/// Returns the values of an item's reference. The result is empty if the item does not belong to
/// the referencing entity.
pub fn reference_values(
    rules: &Rules,
    reference: &Reference,
    key: &Key<'static>,
    item: &Item<'static>,
) -> BTreeSet<ReferenceValue> {
    captures(rules, reference.from, key, item)
        .map(|captures| values(rules, reference, &captures, item))
        .unwrap_or_default()
}

/// Finds the defects of a rule's references.
pub(super) fn find(tables: &Tables<'_>, reference: &Reference, found: &mut Vec<Defect>) {
    for (key, item, captures) in tables.of_entity(reference.from) {
        for value in values(tables.rules, reference, &captures, item) {
            let (kind, referenced) = match value {
                ReferenceValue::RefersTo(target) if tables.exists(reference, &target) => {
                    continue;
                }
                ReferenceValue::RefersTo(key) => {
                    let table = tables.rules[reference.to].table;
                    (Kind::DanglingReference, Some(ItemName { table, key }))
                }
                ReferenceValue::Wrong(kind) => (kind, None),
            };
            let referencing = tables.name(reference.from, key);
            found.push(Defect { rule: reference.name.clone(), kind, referencing, referenced });
        }
    }
}

fn values(
    rules: &Rules,
    reference: &Reference,
    captures: &Captures<'_>,
    item: &Item<'static>,
) -> BTreeSet<ReferenceValue> {
    let parts: Vec<Option<Vec<Value<'static>>>> =
        reference.components.iter().map(|source| part(reference, source, captures, item)).collect();
    let is_own = |source: &&Component| !matches!(source, Component::Capture(_));
    let own = reference.components.iter().filter(is_own).count();
    let absent = parts.iter().filter(|part| part.is_none()).count();
    let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else {
        let is_part = own > absent && reference.matching == Matching::Full;
        let partial = is_part.then_some(ReferenceValue::Wrong(Kind::PartialReference));
        let missing = reference.required.then_some(ReferenceValue::Wrong(Kind::MissingReference));
        return partial.or(missing).into_iter().collect();
    };
    let ways = parts.iter().map(Vec::len).max().unwrap();
    let way = |way: usize| {
        let values = parts.iter().map(|part| KeyValue::from_value(part.get(way).or(part.first())?));
        let values = values.collect::<Option<Vec<_>>>();
        let key = values.and_then(|values| rules[reference.to].key.build(&values).ok());
        key.map_or(ReferenceValue::Wrong(Kind::MalformedReference), ReferenceValue::RefersTo)
    };
    (0..ways).map(way).collect()
}

/// Returns the values of one part of a reference, or `None` if the part is absent. A value of the
/// wrong type is replaced with `NULL`.
fn part(
    reference: &Reference,
    source: &Component,
    captures: &Captures<'_>,
    item: &Item<'static>,
) -> Option<Vec<Value<'static>>> {
    let (path, kind, is_each) = match source {
        Component::Capture(place) => return Some(vec![captures[*place].to_value()]),
        Component::Attribute(path, kind) => (path, kind, false),
        Component::Elements(path, kind) => (path, kind, true),
    };
    let is_none = |value: &Value<'_>| reference.none.iter().any(|none| none == value);
    let value = path.lookup(item).filter(|value| !is_none(value))?;
    if value.kind() != *kind {
        return Some(vec![Value::Null]);
    }
    if !is_each {
        return Some(vec![value.clone()]);
    }
    let values: Vec<Value<'static>> = match value.clone() {
        Value::Ss(set) => set.into_iter().map(Value::S).collect(),
        Value::Ns(set) => set.into_iter().map(Value::N).collect(),
        Value::Bs(set) => set.into_iter().map(Value::B).collect(),
        // A `NULL` in a list refers to nothing.
        Value::L(list) => list.into_iter().filter(|element| *element != Value::Null).collect(),
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::M(_) => {
            panic!("`{path}` has no elements")
        }
    };
    let values: Vec<_> = values.into_iter().filter(|value| !is_none(value)).collect();
    Some(values).filter(|values| !values.is_empty())
}

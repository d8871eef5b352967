//! Reads an item's references: the keys that they refer to, or why they are invalid.

use std::collections::BTreeSet;

use referee::data::{Item, Key, KeyValue, Path, Step, Type, Value};
use referee::rules::model::{Component, Matching, Reference, Rules};
use referee::rules::template::Captures;

use super::tables::{Tables, captures};
use super::{Defect, Kind};

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
    let rules = tables.rules;
    let is_union = reference.alternative.count > 1 && reference.alternative.discriminator.is_none();
    let alternatives: Vec<&Reference> = if is_union {
        // The rule exists for each table of the referencing entity.
        let of_rule = rules.references.iter().filter(|it| it.name == reference.name);
        of_rule.filter(|it| it.from == reference.from).collect()
    } else {
        vec![reference]
    };
    // The first entity of a union stands for all of them.
    if *alternatives[0] != *reference {
        return;
    }
    let mut once = BTreeSet::new();
    for (key, item, captures) in tables.of_entity(reference.from) {
        let each = alternatives.iter().map(|it| each_value(rules, it, &captures, item));
        let each: Vec<_> = each.collect();
        for element in 0..each[0].len() {
            let values = || alternatives.iter().zip(each.iter().map(|values| &values[element]));
            let targets: Vec<_> = values()
                .filter_map(|(it, value)| match value {
                    Some(ReferenceValue::RefersTo(key)) => Some((*it, key)),
                    Some(ReferenceValue::Wrong(_)) | None => None,
                })
                .collect();
            if targets.iter().any(|(it, key)| tables.exists(it, key)) {
                continue;
            }
            let mut names = targets.iter().map(|(it, key)| tables.name(it.to, key));
            let (kind, referenced) = match (names.next(), &each[0][element]) {
                (Some(name), _) => (Kind::DanglingReference, Some(name)),
                (None, Some(ReferenceValue::Wrong(kind))) => (*kind, None),
                (None, _) => continue,
            };
            let (rule, others) = (reference.name.clone(), names.collect());
            let referencing = tables.name(reference.from, key);
            let defect = Defect { rule, kind, referencing, referenced, others };
            if once.insert(defect.clone()) {
                found.push(defect);
            }
        }
    }
}

fn values(
    rules: &Rules,
    reference: &Reference,
    captures: &Captures<'_>,
    item: &Item<'static>,
) -> BTreeSet<ReferenceValue> {
    each_value(rules, reference, captures, item).into_iter().flatten().collect()
}

/// The value of each element; `None` if it is absent, or leads to another entity of the rule.
fn each_value(
    rules: &Rules,
    reference: &Reference,
    captures: &Captures<'_>,
    item: &Item<'static>,
) -> Vec<Option<ReferenceValue>> {
    let components = &reference.components;
    let own = components.iter().filter(|it| it.path().is_some()).count();
    let elements = match components.iter().find(|it| it.is_of_element()) {
        Some(component) => elements(reference, component, item, &[]),
        None => vec![Element::At(Vec::new())],
    };
    let value = |element: &Element| {
        let parts = components.iter().enumerate().map(|(index, it)| {
            let part = part(reference, it, captures, item, element)?;
            Some(inside(reference, index, part))
        });
        let parts: Vec<Option<Value<'static>>> = parts.collect();
        let lead = lead(reference, &parts)?;
        let absent = parts.iter().filter(|part| part.is_none()).count();
        let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else {
            let is_part = own > absent && reference.matching == Matching::Full;
            let partial = is_part.then_some(ReferenceValue::Wrong(Kind::PartialReference));
            let missing =
                reference.required.then_some(ReferenceValue::Wrong(Kind::MissingReference));
            return partial.or(missing);
        };
        let values = parts.iter().map(KeyValue::from_value).collect::<Option<Vec<_>>>();
        let agree = |values: &Vec<KeyValue<'_>>| {
            reference.agreeing.iter().all(|(one, other)| values[*one] == values[*other])
        };
        let key = values
            .filter(|_| lead == Lead::Here)
            .filter(agree)
            .and_then(|values| rules[reference.to].key.build(&values).ok());
        let wrong = ReferenceValue::Wrong(Kind::MalformedReference);
        Some(key.map_or(wrong, ReferenceValue::RefersTo))
    };
    elements.iter().map(value).collect()
}

/// Whether a value leads to the entity of a reference.
#[derive(PartialEq, Eq)]
enum Lead {
    Here,
    Nowhere,
}

/// Where a value leads; `None` if another entity of the rule answers for it. The first one answers
/// for values of the discriminator that no entity has.
fn lead(reference: &Reference, parts: &[Option<Value<'static>>]) -> Option<Lead> {
    let Some(discriminator) = &reference.alternative.discriminator else { return Some(Lead::Here) };
    let found = parts[discriminator.component].as_ref();
    if found == Some(&discriminator.value.to_value()) {
        return Some(Lead::Here);
    }
    let is_other = discriminator.others.iter().any(|other| found == Some(&other.to_value()));
    let is_value = matches!(found, Some(Value::S(_) | Value::N(_)));
    let is_answerable = reference.alternative.is_first && !is_other;
    is_answerable.then_some(if is_value { Lead::Nowhere } else { Lead::Here })
}

/// The part that a value contains; `NULL` if the value does not match the template.
fn inside(reference: &Reference, index: usize, value: Value<'static>) -> Value<'static> {
    let Some(contained) = reference.contained(index) else { return value };
    let Value::S(text) = &value else { return Value::Null };
    let key = Key { partition: KeyValue::S(text.clone()), sort: None };
    match (contained.text.parse(&key), contained.capture) {
        (None, _) => Value::Null,
        (Some(captures), Some(capture)) => captures[capture].to_value(),
        (Some(_), None) => value,
    }
}

/// An element of a list or set, by its indexes, or why there is none.
enum Element {
    At(Vec<usize>),
    Absent,
    Wrong,
}

/// Returns the elements of a reference below the element with these indexes.
fn elements(
    reference: &Reference,
    component: &Component,
    item: &Item<'static>,
    indexes: &[usize],
) -> Vec<Element> {
    let each = component.each().unwrap();
    let lists: Vec<Path> =
        std::iter::successors(each.innermost_list(), Path::innermost_list).collect();
    let list = &lists[lists.len() - 1 - indexes.len()];
    if let Some((_, around)) = indexes.split_last() {
        let around =
            list.innermost_list().unwrap().at(around).element_at(indexes[indexes.len() - 1]);
        let is_nested = list.steps().ends_with(&[Step::Each]);
        if !is_nested && !matches!(around.lookup(item), Some(Value::M(_))) {
            return vec![Element::Wrong];
        }
    }
    let is_none = |value: &Value<'_>| reference.none.iter().any(|none| none == value);
    let Some(value) = list.at(indexes).lookup(item).filter(|value| !is_none(value)) else {
        return vec![Element::Absent];
    };
    let is_innermost = lists.len() == indexes.len() + 1;
    let kind = match component {
        Component::Elements(_, kind) if is_innermost => *kind,
        Component::Capture(_)
        | Component::Attribute(..)
        | Component::Elements(..)
        | Component::Field(..)
        | Component::Constant(_) => Type::L,
    };
    if value.kind() != kind {
        return vec![Element::Wrong];
    }
    let is_value = is_innermost && matches!(component, Component::Elements(..));
    let mut found = Vec::new();
    for (index, element) in members(value).iter().enumerate() {
        // A `NULL` in a list refers to nothing.
        if *element == Value::Null || is_value && is_none(element) {
            continue;
        }
        let indexes = [indexes, &[index]].concat();
        if is_innermost {
            found.push(Element::At(indexes));
        } else {
            found.extend(elements(reference, component, item, &indexes));
        }
    }
    if found.is_empty() { vec![Element::Absent] } else { found }
}

fn members(value: &Value<'static>) -> Vec<Value<'static>> {
    match value.clone() {
        Value::Ss(set) => set.into_iter().map(Value::S).collect(),
        Value::Ns(set) => set.into_iter().map(Value::N).collect(),
        Value::Bs(set) => set.into_iter().map(Value::B).collect(),
        Value::L(list) => list,
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::M(_) => {
            panic!("{value:?} has no elements")
        }
    }
}

/// Returns one part of a reference, or `None` if the part is absent. A value of the wrong type is
/// replaced with `NULL`.
fn part(
    reference: &Reference,
    source: &Component,
    captures: &Captures<'_>,
    item: &Item<'static>,
    element: &Element,
) -> Option<Value<'static>> {
    let is_none = |value: &Value<'_>| reference.none.iter().any(|none| none == value);
    let checked = |path: &Path, kind: Type| {
        let value = path.lookup(item).filter(|value| !is_none(value))?;
        Some(if value.kind() == kind { value.clone() } else { Value::Null })
    };
    match (source, element) {
        (Component::Capture(place), _) => Some(captures[*place].to_value()),
        (Component::Constant(value), _) => Some(value.to_value()),
        (Component::Attribute(path, kind), _) => checked(path, *kind),
        (_, Element::Absent) => None,
        (_, Element::Wrong) => Some(Value::Null),
        (Component::Elements(path, _), Element::At(indexes)) => {
            let (index, around) = indexes.split_last().unwrap();
            Some(members(path.at(around).lookup(item).unwrap())[*index].clone())
        }
        (Component::Field(path, kind), Element::At(indexes)) => {
            let map = path.innermost_list().unwrap().each().at(indexes);
            match map.lookup(item) {
                Some(Value::M(_)) => checked(&path.at(indexes), *kind),
                _ => Some(Value::Null),
            }
        }
    }
}

//! Evaluates references: from a referencing item's image to the keys that it refers to.

use std::collections::BTreeSet;

use crate::data::{Item, Key, KeyValue, Path, Type, Value};
use crate::integrity::finding::Defect;
use crate::rules::model::{Component, Matching, Reference, Rules};

/// One value of a reference in an item's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferenceValue {
    /// What the value refers to, or what is wrong with it.
    pub(crate) state: ReferenceState,
    /// The index of the list or set element that the value comes from, if any.
    pub(crate) element: Option<usize>,
}

/// What a reference's value refers to, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReferenceState {
    /// It refers to the item with this key.
    Refers(Key<'static>),
    /// It is malformed or incomplete.
    Broken(Defect),
}

impl ReferenceState {
    /// The referenced item's key, if there is one.
    pub(crate) const fn key(&self) -> Option<&Key<'static>> {
        match self {
            Self::Refers(key) => Some(key),
            Self::Broken(_) => None,
        }
    }

    /// Whether this is a reference to the item with this key.
    pub(crate) fn refers_to(&self, target: &Key<'_>) -> bool {
        matches!(self, Self::Refers(key) if key == target)
    }
}

/// The path of a reference's value in its item; `None` if the value is in the key alone.
pub(crate) fn path_of(reference: &Reference, value: &ReferenceValue) -> Option<String> {
    let mut paths: Vec<String> = Vec::new();
    for component in &reference.components {
        let path = match component {
            Component::Capture(_) => None,
            Component::Attribute(path, _) => Some(path.to_string()),
            Component::Elements(path, kind) => Some(match value.element {
                Some(index) if *kind == Type::L => format!("{path}[{index}]"),
                Some(_) => format!("{path}[*]"),
                None => path.to_string(),
            }),
        };
        paths.extend(path.filter(|path| !paths.contains(path)));
    }
    (!paths.is_empty()).then(|| paths.join(", "))
}

/// Returns the values of a reference in a referencing item's image, which its entity must admit.
pub(crate) fn evaluate(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
) -> Vec<ReferenceValue> {
    let parts: Vec<Part<'_>> = reference
        .components
        .iter()
        .map(|component| part(reference, component, captures, image))
        .collect();
    let absent = parts.iter().filter(|part| matches!(part, Part::Absent)).count();
    if absent > 0 {
        return incomplete(reference, absent);
    }
    let each = parts.iter().find_map(|part| match part {
        Part::Each(elements) => Some(elements),
        Part::Absent | Part::One(_) | Part::Malformed(_) => None,
    });
    let Some(elements) = each else { return vec![value_of(rules, reference, &parts, None)] };
    let mut values: Vec<ReferenceValue> = Vec::with_capacity(elements.len());
    let mut states = BTreeSet::new();
    for element in elements {
        let value = value_of(rules, reference, &parts, Some(element));
        if states.insert(value.state.clone()) {
            values.push(value);
        }
    }
    values
}

/// Returns the states of a reference in an item; empty if the item does not belong to the
/// referencing entity.
pub(crate) fn states(
    rules: &Rules,
    reference: &Reference,
    key: &Key<'_>,
    item: &Item<'_>,
) -> BTreeSet<ReferenceState> {
    let from = &rules[reference.from];
    let Some(captures) = from.key.parse(key).filter(|_| from.admits(item)) else {
        return BTreeSet::new();
    };
    let values = evaluate(rules, reference, &captures, item);
    values.into_iter().map(|value| value.state).collect()
}

/// The attributes and elements that make an image refer to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grounds {
    /// The attributes that are parts of the reference, with their values.
    pub(crate) attributes: Vec<(Path, Value<'static>)>,
    /// The elements of a list or set that refer to the target, if the reference has elements.
    pub(crate) elements: Option<Elements>,
}

/// Elements of one list or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elements {
    /// The path of the list or set.
    pub(crate) path: Path,
    /// The whole list or set.
    pub(crate) whole: Value<'static>,
    /// The elements' indexes and values.
    pub(crate) chosen: Vec<(usize, Value<'static>)>,
}

/// Returns the attributes and elements that make an image refer to a target; `None` if it does not.
pub(crate) fn grounds(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
    target: &Key<'_>,
) -> Option<Grounds> {
    let refers = |value: ReferenceValue| value.state.refers_to(target);
    let parts: Vec<Part<'_>> = reference
        .components
        .iter()
        .map(|component| part(reference, component, captures, image))
        .collect();
    if parts.iter().any(|part| matches!(part, Part::Absent)) {
        return None;
    }
    let mut grounds = Grounds { attributes: Vec::new(), elements: None };
    for (component, part) in reference.components.iter().zip(&parts) {
        match (component, part) {
            // One attribute may be several parts of a reference.
            (Component::Attribute(path, _), _)
                if grounds.attributes.iter().any(|(known, _)| known == path) => {}
            (Component::Attribute(path, _), _) => {
                grounds.attributes.push((path.clone(), path.lookup(image)?.clone().into_owned()));
            }
            (Component::Elements(path, _), Part::Each(elements)) => {
                let chosen = elements.iter().filter_map(|element| {
                    refers(value_of(rules, reference, &parts, Some(element)))
                        .then_some((element.0, element.1.as_ref().ok()?.to_value()))
                });
                let chosen: Vec<_> = chosen.collect();
                if chosen.is_empty() {
                    return None;
                }
                let whole = path.lookup(image)?.clone().into_owned();
                grounds.elements = Some(Elements { path: path.clone(), whole, chosen });
            }
            (Component::Capture(_) | Component::Elements(..), _) => {}
        }
    }
    (grounds.elements.is_some() || refers(value_of(rules, reference, &parts, None)))
        .then_some(grounds)
}

/// Whether a reference has the same value in two images. Compares attributes, and builds no key.
pub(crate) fn is_unchanged(
    reference: &Reference,
    before: Option<&Item<'_>>,
    after: Option<&Item<'_>>,
) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none() && after.is_none();
    };
    reference.paths().all(|path| path.lookup(before) == path.lookup(after))
}

/// One component's value in an image.
enum Part<'i> {
    Absent,
    One(KeyValue<'i>),
    Each(Vec<Element<'i>>),
    Malformed(Defect),
}

/// One element of a list or set: its index, and its value or what is wrong with it.
type Element<'i> = (usize, Result<KeyValue<'i>, Defect>);

fn part<'i>(
    reference: &Reference,
    component: &Component,
    captures: &[KeyValue<'i>],
    image: &Item<'i>,
) -> Part<'i> {
    let is_none = |value: &Value<'_>| reference.none.iter().any(|none| none == value);
    match component {
        Component::Capture(index) => captures.get(*index).cloned().map_or(Part::Absent, Part::One),
        Component::Attribute(path, kind) => {
            let Some(value) = path.lookup(image).filter(|value| !is_none(value)) else {
                return Part::Absent;
            };
            match KeyValue::from_value(value).filter(|_| value.kind() == *kind) {
                Some(value) => Part::One(value),
                None => Part::Malformed(wrong_type(path, value, *kind)),
            }
        }
        Component::Elements(path, kind) => {
            let Some(value) = path.lookup(image).filter(|value| !is_none(value)) else {
                return Part::Absent;
            };
            if value.kind() != *kind {
                return Part::Malformed(wrong_type(path, value, *kind));
            }
            let mut elements = elements_of(value, path);
            let is_reference = |value: &KeyValue<'_>| !is_none(&value.to_value());
            elements.retain(|(_, value)| value.as_ref().map_or(true, is_reference));
            if elements.is_empty() { Part::Absent } else { Part::Each(elements) }
        }
    }
}

fn wrong_type(path: &Path, value: &Value<'_>, declared: Type) -> Defect {
    Defect::WrongType { path: path.clone(), found: value.kind(), declared }
}

fn elements_of<'i>(value: &Value<'i>, path: &Path) -> Vec<Element<'i>> {
    match value {
        Value::Ss(set) => set.iter().cloned().map(KeyValue::S).map(Ok).enumerate().collect(),
        Value::Ns(set) => set.iter().cloned().map(KeyValue::N).map(Ok).enumerate().collect(),
        Value::Bs(set) => set.iter().cloned().map(KeyValue::B).map(Ok).enumerate().collect(),
        Value::L(list) => list
            .iter()
            .enumerate()
            .filter(|(_, element)| **element != Value::Null)
            .map(|(index, element)| {
                let wrong_type =
                    || Defect::WrongElementType { path: path.clone(), found: element.kind() };
                (index, KeyValue::from_value(element).ok_or_else(wrong_type))
            })
            .collect(),
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::M(_) => {
            Vec::new()
        }
    }
}

/// The value of a reference with an absent part.
///
/// Parts from the referencing item's own key are always present, so only the other parts decide
/// whether the reference is partly or completely absent.
fn incomplete(reference: &Reference, absent: usize) -> Vec<ReferenceValue> {
    let paths = || reference.paths().cloned().collect();
    let defect = if reference.paths().count() > absent && reference.matching == Matching::Full {
        Defect::PartiallyAbsent(paths())
    } else if reference.required {
        Defect::RequiredAbsent(paths())
    } else {
        return Vec::new();
    };
    vec![ReferenceValue { state: ReferenceState::Broken(defect), element: None }]
}

/// Combines these parts, and the element of a list or set if there is one, into a value.
fn value_of(
    rules: &Rules,
    reference: &Reference,
    parts: &[Part<'_>],
    element: Option<&Element<'_>>,
) -> ReferenceValue {
    let mut values = Vec::with_capacity(parts.len());
    let mut malformed = None;
    for part in parts {
        match (part, element) {
            (Part::One(value), _) | (Part::Each(_), Some((_, Ok(value)))) => {
                values.push(value.clone());
            }
            (Part::Malformed(defect), _) | (Part::Each(_), Some((_, Err(defect)))) => {
                malformed = malformed.or(Some(defect));
            }
            (Part::Absent, _) | (Part::Each(_), None) => {}
        }
    }
    let state = match malformed {
        Some(defect) => ReferenceState::Broken(defect.clone()),
        None => match rules[reference.to].key.build(&values) {
            Ok(key) => ReferenceState::Refers(key),
            Err(error) => ReferenceState::Broken(Defect::InvalidKey(error)),
        },
    };
    ReferenceValue { state, element: element.map(|(index, _)| *index) }
}

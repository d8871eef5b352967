//! Evaluates references: from a referencing item's image to the keys that it refers to.

use std::collections::BTreeSet;

use super::alternatives::{self, Lead};
use super::elements::{Element, Found, Position, elements};
use crate::data::{Item, Key, KeyValue, Path, Step, Type, Value, follow};
use crate::integrity::finding::Defect;
use crate::rules::model::{Component, Matching, Reference, Rules};

/// One value of a reference in an item's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferenceValue {
    /// What the value refers to, or what is wrong with it.
    pub(crate) state: ReferenceState,
    /// The position of the list or set element that the value comes from.
    pub(crate) element: Position,
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
            Component::Capture(_) | Component::Constant(_) => None,
            // The elements of a set have no indexes.
            Component::Elements(path, kind) if *kind != Type::L => {
                let is_element = value.element.len() > collections_around(path);
                let each = if is_element { "[*]" } else { "" };
                Some(format!("{}{each}", path.at(&value.element)))
            }
            Component::Elements(path, _) if value.element.len() > collections_around(path) => {
                Some(path.each().at(&value.element).to_string())
            }
            Component::Attribute(path, _)
            | Component::Elements(path, _)
            | Component::Field(path, _) => Some(path.at(&value.element).to_string()),
        };
        paths.extend(path.filter(|path| !paths.contains(path)));
    }
    (!paths.is_empty()).then(|| paths.join(", "))
}

/// The number of lists around the value at a path.
fn collections_around(path: &Path) -> usize {
    path.steps().iter().filter(|step| **step == Step::Each).count()
}

/// Returns the values of a reference in a referencing item's image, which its entity must admit.
///
/// A value that leads to several entities of a rule is a value of the first of these only.
pub(crate) fn evaluate(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
) -> Vec<ReferenceValue> {
    let mut values = own_values(rules, reference, captures, image);
    if reference.alternative.is_union() {
        alternatives::retain_own(rules, reference, captures, image, &mut values);
    }
    let mut states = BTreeSet::new();
    if values.len() > 1 {
        values.retain(|value| states.insert(value.state.clone()));
    }
    values
}

/// Returns the values that lead to this alternative of a rule, at most one for each element.
pub(super) fn own_values(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
) -> Vec<ReferenceValue> {
    let shared = shared_parts(reference, captures, image);
    let value = |parts: &[Part<'_>], position: Position| match alternatives::lead(reference, parts)
    {
        Lead::Elsewhere => None,
        Lead::Here | Lead::Nowhere(_) if count_absent(parts) > 0 => {
            incomplete(reference, count_absent(parts), position)
        }
        Lead::Here => Some(value_of(rules, reference, parts, position)),
        Lead::Nowhere(defect) => {
            Some(ReferenceValue { state: ReferenceState::Broken(defect), element: position })
        }
    };
    let Some(each) = reference.components.iter().find(|it| it.is_of_element()) else {
        return value(&shared, Position::new()).into_iter().collect();
    };
    let lacks_shared = count_absent(&shared) > 0;
    let values = elements(reference, each, image).into_iter().filter_map(|element| {
        let parts = parts_of(reference, &shared, &element);
        // Without a part that all elements share, the reference is one value.
        let position = if lacks_shared { Position::new() } else { element.position };
        value(&parts, position)
    });
    values.collect()
}

/// Returns the keys of this alternative's entity to which an item refers, whether or not it also
/// refers to items of other alternatives; empty if the item does not belong to the referencing
/// entity.
pub(crate) fn own_keys(
    rules: &Rules,
    reference: &Reference,
    key: &Key<'_>,
    item: &Item<'_>,
) -> BTreeSet<Key<'static>> {
    let from = &rules[reference.from];
    let Some(captures) = from.key.parse(key).filter(|_| from.admits(item)) else {
        return BTreeSet::new();
    };
    let values = own_values(rules, reference, &captures, item).into_iter();
    let keys = values.filter_map(|value| match value.state {
        ReferenceState::Refers(key) => Some(key),
        ReferenceState::Broken(_) => None,
    });
    keys.collect()
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

/// Whether a reference has the same value in two images. Compares attributes, and builds no key.
pub(crate) fn is_unchanged(
    reference: &Reference,
    before: Option<&Item<'_>>,
    after: Option<&Item<'_>>,
) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none() && after.is_none();
    };
    reference.components.iter().all(|component| match component {
        Component::Capture(_) | Component::Constant(_) => true,
        Component::Attribute(path, _) => path.lookup(before) == path.lookup(after),
        Component::Elements(path, _) | Component::Field(path, _) => {
            // The outermost list is compared as a whole.
            let outermost = path.sections().next().unwrap_or_default();
            follow(before, outermost) == follow(after, outermost)
        }
    })
}

/// One component's value in an image.
#[derive(Clone)]
pub(crate) enum Part<'i> {
    Absent,
    One(KeyValue<'i>),
    Malformed(Defect),
    /// It depends on the element.
    OfElement,
}

pub(super) fn count_absent(parts: &[Part<'_>]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Absent)).count()
}

/// The parts of a reference that do not depend on the element.
pub(crate) fn shared_parts<'i>(
    reference: &Reference,
    captures: &[KeyValue<'i>],
    image: &Item<'i>,
) -> Vec<Part<'i>> {
    let part = |component: &Component| match component {
        Component::Capture(index) => captures.get(*index).cloned().map_or(Part::Absent, Part::One),
        Component::Constant(value) => Part::One(value.clone()),
        Component::Attribute(path, kind) => attribute(reference, path, *kind, path.lookup(image)),
        Component::Elements(..) | Component::Field(..) => Part::OfElement,
    };
    let parts = reference.components.iter().map(part).enumerate();
    parts.map(|(index, part)| contained(reference, index, part)).collect()
}

/// All parts of a reference for one element.
pub(super) fn parts_of<'i>(
    reference: &Reference,
    shared: &[Part<'i>],
    element: &Element<'_, 'i>,
) -> Vec<Part<'i>> {
    let parts = reference.components.iter().zip(shared).enumerate();
    let part = |(index, (component, shared)): (usize, (&Component, &Part<'i>))| match shared {
        Part::OfElement => contained(reference, index, part_of(reference, component, element)),
        Part::Absent | Part::One(_) | Part::Malformed(_) => shared.clone(),
    };
    parts.map(part).collect()
}

/// The part that a source's value contains.
fn contained<'i>(reference: &Reference, index: usize, part: Part<'i>) -> Part<'i> {
    match (reference.contained(index), part) {
        (Some(contained), Part::One(value)) => match contained.read(value) {
            Some(part) => Part::One(part),
            None => Part::Malformed(Defect::OtherText {
                path: reference.components.get(index).and_then(Component::path).cloned(),
                template: contained.text.partition().template().to_string(),
            }),
        },
        (_, part) => part,
    }
}

/// The part of a reference that comes from an element.
fn part_of<'i>(
    reference: &Reference,
    component: &Component,
    element: &Element<'_, 'i>,
) -> Part<'i> {
    let wrong_type = |path: &Path, found: &Value<'_>| {
        Part::Malformed(Defect::WrongElementType { path: path.clone(), found: found.kind() })
    };
    match (&element.found, component) {
        (Found::Absent, _) => Part::Absent,
        (Found::Malformed(defect), _) => Part::Malformed(defect.clone()),
        (Found::Member(value), _) => Part::One(value.clone()),
        (Found::Element(Value::M(map)), Component::Field(path, kind)) => {
            let inner = path.sections().last().unwrap_or_default();
            let value = follow(map, inner).filter(|value| **value != Value::Null);
            attribute(reference, path, *kind, value)
        }
        (Found::Element(found), Component::Field(path, _)) => {
            wrong_type(&path.innermost_list().unwrap_or_else(|| path.clone()), found)
        }
        (Found::Element(found), Component::Elements(path, _)) => {
            KeyValue::from_value(found).map_or_else(|| wrong_type(path, found), Part::One)
        }
        (
            Found::Element(_),
            Component::Capture(_) | Component::Constant(_) | Component::Attribute(..),
        ) => Part::OfElement,
    }
}

/// The value of an attribute, which may be absent or have the wrong type.
fn attribute<'i>(
    reference: &Reference,
    path: &Path,
    declared: Type,
    value: Option<&Value<'i>>,
) -> Part<'i> {
    let is_none = |value: &&Value<'_>| reference.none.iter().any(|none| none == *value);
    let Some(value) = value.filter(|value| !is_none(value)) else { return Part::Absent };
    match KeyValue::from_value(value).filter(|_| value.kind() == declared) {
        Some(value) => Part::One(value),
        None => {
            Part::Malformed(Defect::WrongType { path: path.clone(), found: value.kind(), declared })
        }
    }
}

/// The value of a reference with an absent part.
///
/// Parts from the referencing item's own key are always present, so only the other parts decide
/// whether the reference is partly or completely absent.
fn incomplete(reference: &Reference, absent: usize, element: Position) -> Option<ReferenceValue> {
    let paths = || reference.paths().cloned().collect();
    let defect = if reference.paths().count() > absent && reference.matching == Matching::Full {
        Defect::PartiallyAbsent(paths())
    } else if reference.required {
        Defect::RequiredAbsent(paths())
    } else {
        return None;
    };
    Some(ReferenceValue { state: ReferenceState::Broken(defect), element })
}

/// Combines these parts into a value.
pub(super) fn value_of(
    rules: &Rules,
    reference: &Reference,
    parts: &[Part<'_>],
    element: Position,
) -> ReferenceValue {
    let mut values = Vec::with_capacity(parts.len());
    let mut malformed = None;
    for part in parts {
        match part {
            Part::One(value) => values.push(value.clone()),
            Part::Malformed(defect) => malformed = malformed.or(Some(defect)),
            Part::Absent | Part::OfElement => {}
        }
    }
    let disagree = reference.agreeing.iter().find(|(one, other)| {
        !matches!((values.get(*one), values.get(*other)), (Some(one), Some(other)) if one == other)
    });
    let path = |index: usize| reference.components.get(index).and_then(Component::path).cloned();
    let state = match (malformed, disagree) {
        (Some(defect), _) => ReferenceState::Broken(defect.clone()),
        (None, Some((one, other))) => {
            ReferenceState::Broken(Defect::OtherKey(path(*one), path(*other)))
        }
        (None, None) => match rules[reference.to].key.build(&values) {
            Ok(key) => ReferenceState::Refers(key),
            Err(error) => ReferenceState::Broken(Defect::InvalidKey(error)),
        },
    };
    ReferenceValue { state, element }
}

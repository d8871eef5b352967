//! Why an item refers to another one: the attributes and elements that make it do so.

use super::alternatives::{Lead, lead};
use super::elements::{Element, Position, elements};
use super::evaluate::{Part, count_absent, parts_of, shared_parts, value_of};
use crate::data::{Item, Key, KeyValue, Path, Type, Value, follow};
use crate::rules::model::{Component, Reference, Rules};

/// The attributes and elements that make an image refer to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grounds {
    /// The attributes that are parts of the reference, with their values. They belong to no element.
    pub(crate) attributes: Vec<(Path, Value<'static>)>,
    /// The elements of a list or set that refer to the target, if the reference has elements.
    pub(crate) elements: Option<Elements>,
}

/// Elements of lists and sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elements {
    /// The path of the outermost list, or of the set.
    pub(crate) path: Path,
    /// This list or set.
    pub(crate) whole: Value<'static>,
    /// The elements that refer to the target.
    pub(crate) chosen: Vec<ChosenElement>,
}

/// An element that refers to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenElement {
    /// The element's path; in a set, the set's path.
    pub(crate) path: Path,
    /// The parts of the reference that the element gives.
    pub(crate) parts: Vec<ElementPart>,
}

/// A part of a reference that an element gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ElementPart {
    /// The part's position in the reference's components.
    pub(crate) component: usize,
    /// The value's path; in a set, the set's path.
    pub(crate) path: Path,
    /// The value.
    pub(crate) value: Value<'static>,
    /// The set that contains the value, and the value's index in it.
    pub(crate) set: Option<(Value<'static>, usize)>,
}

/// Returns the attributes and elements that make an image refer to a target; `None` if it does not.
pub(crate) fn grounds(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
    target: &Key<'_>,
) -> Option<Grounds> {
    let shared = shared_parts(reference, captures, image);
    let refers = |parts: &[Part<'_>]| {
        count_absent(parts) == 0
            && matches!(lead(reference, parts), Lead::Here)
            && value_of(rules, reference, parts, Position::new()).state.refers_to(target)
    };
    let mut attributes: Vec<(Path, Value<'static>)> = Vec::new();
    for component in &reference.components {
        // One attribute may be several parts of a reference.
        if let Component::Attribute(path, _) = component
            && attributes.iter().all(|(known, _)| known != path)
        {
            attributes.push((path.clone(), path.lookup(image)?.clone().into_owned()));
        }
    }
    let Some(each) = reference.components.iter().find(|it| it.is_of_element()) else {
        return refers(&shared).then_some(Grounds { attributes, elements: None });
    };
    let found = elements(reference, each, image);
    let referring = found.iter().filter(|it| refers(&parts_of(reference, &shared, it)));
    let chosen = referring.map(|element| chosen(reference, image, element));
    let chosen = chosen.collect::<Option<Vec<_>>>().filter(|chosen| !chosen.is_empty())?;
    let outermost = each.path()?.sections().next()?;
    let whole = follow(image, outermost)?.clone().into_owned();
    let elements = Elements { path: Path::of(outermost), whole, chosen };
    Some(Grounds { attributes, elements: Some(elements) })
}

/// The parts that an element gives to the reference.
fn chosen(
    reference: &Reference,
    image: &Item<'_>,
    element: &Element<'_, '_>,
) -> Option<ChosenElement> {
    let mut parts: Vec<ElementPart> = Vec::new();
    let mut path = None;
    for (index, component) in reference.components.iter().enumerate() {
        let part = match component {
            Component::Capture(_) | Component::Constant(_) | Component::Attribute(..) => continue,
            Component::Elements(set, kind) if *kind != Type::L => {
                let (at, around) = element.position.split_last()?;
                let set = set.at(around);
                let whole = set.lookup(image)?.clone().into_owned();
                let value = member(&whole, *at)?;
                ElementPart { component: index, path: set, value, set: Some((whole, *at)) }
            }
            Component::Elements(list, _) => {
                let path = list.each().at(&element.position);
                let value = path.lookup(image)?.clone().into_owned();
                ElementPart { component: index, path, value, set: None }
            }
            Component::Field(field, _) => {
                let path = field.at(&element.position);
                let value = path.lookup(image)?.clone().into_owned();
                ElementPart { component: index, path, value, set: None }
            }
        };
        path = path.or_else(|| match &part.set {
            Some(_) => Some(part.path.clone()),
            None => Some(component.each()?.at(&element.position)),
        });
        // One attribute may be several parts of a reference.
        if parts.iter().all(|known| known.path != part.path) {
            parts.push(part);
        }
    }
    Some(ChosenElement { path: path?, parts })
}

/// An element of a set, by its index.
fn member(set: &Value<'static>, index: usize) -> Option<Value<'static>> {
    Some(match set {
        Value::Ss(set) => Value::S(set.get(index)?.clone()),
        Value::Ns(set) => Value::N(set.get(index)?.clone()),
        Value::Bs(set) => Value::B(set.get(index)?.clone()),
        Value::S(_)
        | Value::N(_)
        | Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::L(_)
        | Value::M(_) => return None,
    })
}

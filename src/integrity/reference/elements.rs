//! The elements of lists and sets that give a reference its values.

use crate::data::{Item, KeyValue, Path, Step, Type, Value, follow};
use crate::integrity::finding::Defect;
use crate::rules::model::{Component, Reference};

/// Where an element is: its index in each list on the way to it, from the outermost on, and its
/// index in its list or set. Empty for a reference without elements.
pub(crate) type Position = Vec<usize>;

/// An element, or the reason why there is none at a position.
pub(crate) struct Element<'r, 'i> {
    pub(crate) position: Position,
    pub(crate) found: Found<'r, 'i>,
}

/// What is at an element's position.
pub(crate) enum Found<'r, 'i> {
    /// The list or set is absent or empty.
    Absent,
    /// The list or set, or an element on the way to it, has the wrong type.
    Malformed(Defect),
    /// An element of a list.
    Element(&'r Value<'i>),
    /// An element of a set.
    Member(KeyValue<'i>),
}

/// The steps to each list or set through which a part of a reference leads, from the outermost on.
pub(crate) fn collections(component: &Component) -> Vec<&[Step]> {
    let Some(path) = component.path() else { return Vec::new() };
    let steps = path.steps();
    let lists = steps.iter().enumerate().filter(|(_, step)| **step == Step::Each);
    let lists = lists.filter_map(|(length, _)| steps.get(..length));
    let whole = matches!(component, Component::Elements(..)).then_some(steps);
    lists.chain(whole).collect()
}

/// The elements of an item from which this part of a reference takes its values.
///
/// `NULL` in a list, and the values that mean that there is no reference, are left out. A list or
/// set without other elements counts as absent.
pub(crate) fn elements<'r, 'i>(
    reference: &Reference,
    component: &Component,
    image: &'r Item<'i>,
) -> Vec<Element<'r, 'i>> {
    let kind = match component {
        Component::Elements(_, kind) => *kind,
        Component::Capture(_)
        | Component::Constant(_)
        | Component::Attribute(..)
        | Component::Field(..) => Type::L,
    };
    let is_whole = matches!(component, Component::Elements(..));
    let walk = Walk { reference, collections: collections(component), kind, is_whole };
    let mut elements = Vec::new();
    let outermost = walk.collections.first().and_then(|steps| follow(image, steps));
    walk.enter(0, outermost, &Position::new(), &mut elements);
    elements
}

/// The walk through the lists that contain a reference's elements.
struct Walk<'w> {
    reference: &'w Reference,
    collections: Vec<&'w [Step]>,
    /// The type of the innermost list or set.
    kind: Type,
    /// Whether its elements are the values themselves, and not the maps that contain them.
    is_whole: bool,
}

impl Walk<'_> {
    /// Adds the elements of the list or set at this level.
    fn enter<'r, 'i>(
        &self,
        level: usize,
        value: Option<&'r Value<'i>>,
        position: &Position,
        out: &mut Vec<Element<'r, 'i>>,
    ) {
        let is_innermost = level + 1 >= self.collections.len();
        let kind = if is_innermost { self.kind } else { Type::L };
        let mut add = |position: &Position, found| {
            out.push(Element { position: position.clone(), found });
        };
        let Some(value) = value.filter(|it| **it != Value::Null && !self.is_none(it)) else {
            return add(position, Found::Absent);
        };
        if value.kind() != kind {
            let path = self.path(level);
            let wrong = Defect::WrongType { path, found: value.kind(), declared: kind };
            return add(position, Found::Malformed(wrong));
        }
        let before = out.len();
        match value {
            Value::L(list) => {
                for (index, element) in list.iter().enumerate() {
                    let is_left_out = is_innermost && self.is_whole && self.is_none(element);
                    if *element != Value::Null && !is_left_out {
                        let position = at(position, index);
                        self.element(level, element, position, out);
                    }
                }
            }
            Value::Ss(set) => self.members(set.iter().cloned().map(KeyValue::S), position, out),
            Value::Ns(set) => self.members(set.iter().cloned().map(KeyValue::N), position, out),
            Value::Bs(set) => self.members(set.iter().cloned().map(KeyValue::B), position, out),
            Value::S(_)
            | Value::N(_)
            | Value::B(_)
            | Value::Bool(_)
            | Value::Null
            | Value::M(_) => {}
        }
        if out.len() == before {
            out.push(Element { position: position.clone(), found: Found::Absent });
        }
    }

    /// Adds an element of a list, or the elements of the list inside it.
    fn element<'r, 'i>(
        &self,
        level: usize,
        element: &'r Value<'i>,
        position: Position,
        out: &mut Vec<Element<'r, 'i>>,
    ) {
        let steps = |level: usize| self.collections.get(level).copied();
        let next = steps(level).zip(steps(level + 1));
        let Some(inner) = next.and_then(|(outer, inner)| inner.get(outer.len() + 1..)) else {
            return out.push(Element { position, found: Found::Element(element) });
        };
        match (inner, element) {
            ([], element) => self.enter(level + 1, Some(element), &position, out),
            (steps, Value::M(map)) => self.enter(level + 1, follow(map, steps), &position, out),
            _ => {
                let wrong =
                    Defect::WrongElementType { path: self.path(level), found: element.kind() };
                out.push(Element { position, found: Found::Malformed(wrong) });
            }
        }
    }

    fn members<'i>(
        &self,
        set: impl Iterator<Item = KeyValue<'i>>,
        position: &Position,
        out: &mut Vec<Element<'_, 'i>>,
    ) {
        for (index, member) in set.enumerate() {
            if !self.is_none(&member.to_value()) {
                let found = Found::Member(member);
                out.push(Element { position: at(position, index), found });
            }
        }
    }

    fn is_none(&self, value: &Value<'_>) -> bool {
        self.reference.none.iter().any(|none| none == value)
    }

    fn path(&self, level: usize) -> Path {
        Path::of(self.collections.get(level).copied().unwrap_or_default())
    }
}

fn at(position: &Position, index: usize) -> Position {
    let mut position = position.clone();
    position.push(index);
    position
}

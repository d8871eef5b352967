//! What the clauses of an update make of an item.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::check::Invalid;
use crate::data::{Item, Path, Value};
use crate::store::Clause;

/// Carries out the clauses of an update, which all speak of the item as it was before.
///
/// Elements of lists are named by their places before the update: they are replaced while all are
/// in their places, removed from the end of the list on, and added when the others are gone.
pub(super) fn apply(item: &mut Item<'static>, clauses: Vec<Clause>) -> Result<(), Invalid> {
    let (mut gone, mut added) = (Vec::new(), Vec::new());
    for clause in clauses {
        match clause {
            Clause::Set(path, value) => {
                if let Some(value) = Slot::at(item, &path)?.set(value) {
                    added.push((path, value));
                }
            }
            Clause::Remove(path) => {
                Slot::at(item, &path)?;
                gone.push(path);
            }
            Clause::Delete(path, elements) => {
                if let Some(set) = Slot::at(item, &path)?.value()
                    && is_emptied(set, &elements)?
                {
                    gone.push(path);
                }
            }
        }
    }
    gone.sort_by_key(|path| Reverse(path.element()));
    for path in gone {
        Slot::at(item, &path)?.remove();
    }
    // However far beyond the end they were to be, they are put at it, in this order.
    added.sort_by_key(|(path, _)| path.element());
    for (path, value) in added {
        if let Slot::Element(list, _) = Slot::at(item, &path)? {
            list.push(value);
        }
    }
    Ok(())
}

/// Where a path ends, whether or not there is anything.
enum Slot<'i, 'p> {
    Name(&'i mut Item<'static>, &'p str),
    Element(&'i mut Vec<Value<'static>>, usize),
}

impl<'i, 'p> Slot<'i, 'p> {
    /// The place that a path leads to; everything above it must be there.
    fn at(mut map: &'i mut Item<'static>, path: &'p Path) -> Result<Self, Invalid> {
        let (name, parents) = path.segments().split_last().ok_or_else(nowhere)?;
        for parent in parents {
            let Some(Value::M(inner)) = map.get_mut(parent.as_str()) else {
                return Err(nowhere());
            };
            map = inner;
        }
        let Some(place) = path.element() else { return Ok(Self::Name(map, name)) };
        match map.get_mut(name.as_str()) {
            Some(Value::L(list)) => Ok(Self::Element(list, place)),
            _ => Err(nowhere()),
        }
    }

    fn value(self) -> Option<&'i mut Value<'static>> {
        match self {
            Self::Name(map, name) => map.get_mut(name),
            Self::Element(list, place) => list.get_mut(place),
        }
    }

    /// Puts a value here; gives it back if this is beyond the end of a list.
    fn set(self, value: Value<'static>) -> Option<Value<'static>> {
        match self {
            Self::Name(map, name) => {
                map.insert(Cow::Owned(name.to_owned()), value);
                None
            }
            Self::Element(list, place) => match list.get_mut(place) {
                Some(element) => {
                    *element = value;
                    None
                }
                None => Some(value),
            },
        }
    }

    fn remove(self) {
        match self {
            Self::Name(map, name) => {
                map.remove(name);
            }
            Self::Element(list, place) => {
                if place < list.len() {
                    list.remove(place);
                }
            }
        }
    }
}

fn nowhere() -> Invalid {
    let message = "The document path provided in the update expression is invalid for update";
    Invalid(message.to_owned())
}

/// Takes elements out of a set of their type, and tells whether none is left.
fn is_emptied(set: &mut Value<'static>, elements: &Value<'static>) -> Result<bool, Invalid> {
    match (set, elements) {
        (Value::Ss(set), Value::Ss(gone)) => Ok(without(set, gone)),
        (Value::Ns(set), Value::Ns(gone)) => Ok(without(set, gone)),
        (Value::Bs(set), Value::Bs(gone)) => Ok(without(set, gone)),
        _ => {
            let message = "An operand in the update expression has an incorrect data type";
            Err(Invalid(message.to_owned()))
        }
    }
}

fn without<T: PartialEq>(set: &mut Vec<T>, gone: &[T]) -> bool {
    set.retain(|element| !gone.contains(element));
    set.is_empty()
}

//! Applies the clauses of an update to an item.

use std::borrow::Cow;

use super::invalid::Invalid;
use crate::data::{Item, Path, Step, Value};
use crate::store::{Clause, StoreError};

/// The item after an update, without the checks of a table's indexes.
pub(crate) fn updated(
    mut item: Item<'static>,
    clauses: Vec<Clause>,
) -> Result<Item<'static>, StoreError> {
    apply(&mut item, clauses)?;
    Ok(item)
}

/// Applies the clauses of an update, which all refer to the item as it was before the update.
///
/// A list index refers to the list before the update. Elements are therefore replaced first, then
/// removed from the end of the list to its beginning, and appended last.
pub(super) fn apply(item: &mut Item<'static>, clauses: Vec<Clause>) -> Result<(), Invalid> {
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for clause in clauses {
        match clause {
            Clause::Set(path, value) => {
                if let Some(value) = Slot::at(item, &path)?.set(value) {
                    added.push((path, value));
                }
            }
            Clause::Remove(path) => {
                Slot::at(item, &path)?;
                removed.push(path);
            }
            Clause::Delete(path, elements) => {
                if let Some(set) = Slot::at(item, &path)?.value()
                    && remove_elements(set, &elements)?
                {
                    removed.push(path);
                }
            }
        }
    }
    removed.sort_by(|one, other| other.cmp(one));
    for path in removed {
        Slot::at(item, &path)?.remove();
    }
    // An index beyond the end of the list appends, in the order of the indexes.
    added.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, value) in added {
        if let Slot::Element(list, _) = Slot::at(item, &path)? {
            list.push(value);
        }
    }
    Ok(())
}

/// The location that a path leads to, with or without a value.
enum Slot<'i, 'p> {
    Name(&'i mut Item<'static>, &'p str),
    Element(&'i mut Vec<Value<'static>>, usize),
}

impl<'i, 'p> Slot<'i, 'p> {
    /// The location that a path leads to; its parents must exist.
    fn at(item: &'i mut Item<'static>, path: &'p Path) -> Result<Self, Invalid> {
        let Some((Step::Name(root), steps)) = path.steps().split_first() else {
            return Err(invalid_path());
        };
        let mut slot = Self::Name(item, root);
        for step in steps {
            slot = match (slot.value(), step) {
                (Some(Value::M(map)), Step::Name(name)) => Self::Name(map, name),
                (Some(Value::L(list)), Step::Index(index)) => Self::Element(list, *index),
                _ => return Err(invalid_path()),
            };
        }
        Ok(slot)
    }

    fn value(self) -> Option<&'i mut Value<'static>> {
        match self {
            Self::Name(map, name) => map.get_mut(name),
            Self::Element(list, index) => list.get_mut(index),
        }
    }

    /// Sets the value. Returns it if the index is beyond the end of the list.
    fn set(self, value: Value<'static>) -> Option<Value<'static>> {
        match self {
            Self::Name(map, name) => {
                map.insert(Cow::Owned(name.to_owned()), value);
                None
            }
            Self::Element(list, index) => match list.get_mut(index) {
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
            Self::Element(list, index) => {
                if index < list.len() {
                    list.remove(index);
                }
            }
        }
    }
}

fn invalid_path() -> Invalid {
    let message = "The document path provided in the update expression is invalid for update";
    Invalid(message.to_owned())
}

/// Removes elements from a set of the same type. Returns whether the set is now empty.
fn remove_elements(set: &mut Value<'static>, elements: &Value<'static>) -> Result<bool, Invalid> {
    match (set, elements) {
        (Value::Ss(set), Value::Ss(removed)) => Ok(remove_all(set, removed)),
        (Value::Ns(set), Value::Ns(removed)) => Ok(remove_all(set, removed)),
        (Value::Bs(set), Value::Bs(removed)) => Ok(remove_all(set, removed)),
        _ => {
            let message = "An operand in the update expression has an incorrect data type";
            Err(Invalid(message.to_owned()))
        }
    }
}

fn remove_all<T: PartialEq>(set: &mut Vec<T>, removed: &[T]) -> bool {
    set.retain(|element| !removed.contains(element));
    set.is_empty()
}

//! What the clauses of an update make of an item.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::data::{Item, Path, Value};
use crate::store::Clause;

/// Carries out the clauses of an update; nothing if one of their paths leads nowhere.
///
/// Elements of lists are named by their places before the update, so they are removed from the end.
pub(super) fn apply(item: &mut Item<'static>, clauses: Vec<Clause>) -> Option<()> {
    let mut removed = Vec::new();
    for clause in clauses {
        match clause {
            Clause::Set(path, value) => assign(item, &path, value)?,
            Clause::Delete(path, value) => delete(item, &path, &value)?,
            Clause::Remove(path) => removed.push(path),
        }
    }
    removed.sort_by_key(|path| Reverse(path.element()));
    removed.iter().try_for_each(|path| remove(item, path))
}

/// Sets the value at a path, if everything above it is a map. An element beyond a list's end is
/// added at its end.
fn assign(item: &mut Item<'static>, path: &Path, value: Value<'static>) -> Option<()> {
    let (parent, last) = parent(item, path)?;
    match path.element() {
        None => {
            parent.insert(Cow::Owned(last.to_owned()), value);
        }
        Some(place) => {
            let Some(Value::L(elements)) = parent.get_mut(last) else { return None };
            match elements.get_mut(place) {
                Some(element) => *element = value,
                None => elements.push(value),
            }
        }
    }
    Some(())
}

/// Removes what is at a path, if there is anything.
fn remove(item: &mut Item<'static>, path: &Path) -> Option<()> {
    let (parent, last) = parent(item, path)?;
    match path.element() {
        None => {
            parent.remove(last);
        }
        Some(place) => {
            let Some(Value::L(elements)) = parent.get_mut(last) else { return None };
            if place < elements.len() {
                elements.remove(place);
            }
        }
    }
    Some(())
}

/// Takes elements out of a set, if it is there; an emptied set disappears.
fn delete(item: &mut Item<'static>, path: &Path, elements: &Value<'static>) -> Option<()> {
    let (parent, last) = parent(item, path)?;
    let is_empty = match (parent.get_mut(last), elements) {
        (None, _) => false,
        (Some(Value::Ss(set)), Value::Ss(gone)) => without(set, gone),
        (Some(Value::Ns(set)), Value::Ns(gone)) => without(set, gone),
        (Some(Value::Bs(set)), Value::Bs(gone)) => without(set, gone),
        (Some(_), _) => return None,
    };
    if is_empty {
        parent.remove(last);
    }
    Some(())
}

/// Takes these elements out, and tells whether none is left.
fn without<T: PartialEq>(set: &mut Vec<T>, gone: &[T]) -> bool {
    set.retain(|element| !gone.contains(element));
    set.is_empty()
}

/// The map that a path ends in, and the last name on it.
fn parent<'i, 'p>(
    mut map: &'i mut Item<'static>,
    path: &'p Path,
) -> Option<(&'i mut Item<'static>, &'p str)> {
    let (last, parents) = path.segments().split_last()?;
    for name in parents {
        let Some(Value::M(inner)) = map.get_mut(name.as_str()) else { return None };
        map = inner;
    }
    Some((map, last))
}

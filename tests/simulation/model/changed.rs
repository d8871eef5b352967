//! Items after an action: without a reference, or with the default.

use super::{Content, Name, Val, has_index_key, index_value, kind, of_parts, same, target};
use crate::form::written;
use crate::schema::{Place, Reference, Schema};

/// Returns the item without its references to a target.
pub(crate) fn unset(
    schema: &Schema,
    reference: &Reference,
    content: &Content,
    of: &Name,
) -> Content {
    let of = &same(reference, of);
    let refers = referring(schema, reference, content, of);
    let mut content = content.clone();
    if let Some(key) = reference.index_key().filter(|_| has_index_key(reference, &content, &of[0]))
    {
        content.remove(&key);
    }
    if let Place::Pair(one, other) = &reference.place {
        content.retain(|name, _| name != one && name != other);
    }
    if let Some(choice) = reference.choice()
        && matches!(reference.place, Place::Text(_) | Place::Nested(_))
    {
        content.remove(&choice);
    }
    let Some(attribute) = reference.place.attribute() else { return content };
    match content.get_mut(attribute) {
        Some(Val::Set(values)) => {
            values.retain(|value| !refers(value));
            if values.is_empty() {
                content.remove(attribute);
            }
        }
        Some(Val::List(values)) => values.retain(|value| !refers(value)),
        Some(Val::Lines(lines)) => {
            let refers = |line: &Option<String>| line.as_ref().is_some_and(&refers);
            if matches!(reference.place, Place::Lines(_, true)) {
                lines.retain(|line| !refers(line));
            } else {
                lines.iter_mut().filter(|line| refers(line)).for_each(|line| *line = None);
            }
            if lines.is_empty() {
                content.insert(attribute.to_owned(), Val::List(Vec::new()));
            }
        }
        // The map stays, without the value.
        Some(Val::Nested(_)) => {
            content.insert(attribute.to_owned(), Val::Nested(String::new()));
        }
        Some(Val::Text(_)) => {
            content.remove(attribute);
        }
        Some(Val::Number(_)) | None => {}
    }
    content
}

/// Returns the item with its references to a target replaced by the default.
pub(crate) fn set_default(
    schema: &Schema,
    reference: &Reference,
    content: &Content,
    of: &Name,
) -> Content {
    let of = &same(reference, of);
    let refers = referring(schema, reference, content, of);
    let default = schema.alphabet.value(reference.default);
    let default = written(schema, reference, true, &default).unwrap();
    let mut content = content.clone();
    if let Some(key) = reference.index_key().filter(|_| has_index_key(reference, &content, &of[0]))
    {
        content.insert(key, index_value(&default_target(schema, reference, &content.clone())));
    }
    let Some(attribute) = reference.place.attribute() else { return content };
    match content.get_mut(attribute) {
        Some(Val::Set(values)) => {
            values.retain(|value| !refers(value));
            values.insert(default);
        }
        Some(Val::List(values)) => {
            values.iter_mut().filter(|it| refers(it)).for_each(|it| it.clone_from(&default));
        }
        Some(Val::Lines(lines)) => {
            let values = lines.iter_mut().flatten();
            values.filter(|it| refers(it)).for_each(|it| it.clone_from(&default));
        }
        Some(Val::Text(it) | Val::Nested(it)) => *it = default,
        Some(Val::Number(_)) | None => {}
    }
    content
}

/// Tells which values of an item refer to one of these targets.
fn referring<'r>(
    schema: &'r Schema,
    reference: &'r Reference,
    content: &Content,
    of: &'r [Name],
) -> impl Fn(&String) -> bool + 'r {
    let to = kind(reference, content).ok().flatten().unwrap_or(reference.to);
    move |value| {
        target(schema, reference, to, std::slice::from_ref(value))
            .is_ok_and(|target| of.contains(&target))
    }
}

/// Returns the target of an item with the default.
pub(crate) fn default_target(schema: &Schema, reference: &Reference, content: &Content) -> Name {
    let to = kind(reference, content).ok().flatten().unwrap_or(reference.to);
    of_parts(schema, reference, to, &[schema.alphabet.value(reference.default)]).unwrap()
}

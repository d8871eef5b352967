//! Paths to values in items.

use std::collections::BTreeMap;

use crate::data::{Type, Value};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Name(String),
    /// Each element of a list or a set.
    Each,
}

/// The path as the rule file writes it.
pub(super) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Each => text.push_str("[*]"),
        }
    }
    text
}

/// The text of a value that may be a part of a key.
pub(super) fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::S(text) => Some(text),
        Value::N(number) => Some(number.as_str()),
        Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => None,
    }
}

/// Calls `each` for every scalar at a path.
pub(super) fn visit<'v>(
    item: &'v crate::data::Item<'static>,
    path: &[Step],
    each: &mut dyn FnMut(&'v Value<'static>),
) {
    let Some((Step::Name(name), rest)) = path.split_first() else { return };
    if let Some(value) = item.get(name.as_str()) {
        visit_value(value, rest, each);
    }
}

fn visit_value<'v>(
    value: &'v Value<'static>,
    path: &[Step],
    each: &mut dyn FnMut(&'v Value<'static>),
) {
    match (path.split_first(), value) {
        (None, value) => each(value),
        (Some((Step::Name(name), rest)), Value::M(map)) => {
            if let Some(value) = map.get(name.as_str()) {
                visit_value(value, rest, each);
            }
        }
        (Some((Step::Each, rest)), Value::L(list)) => {
            for value in list {
                visit_value(value, rest, each);
            }
        }
        _ => {}
    }
}

/// The paths of the sets in the items of a table.
pub(super) type Sets = BTreeMap<String, Type>;

/// Turns sets into lists, so that both are visited alike, and notes where they were.
pub(super) fn with_lists(item: &mut crate::data::Item<'static>, sets: &mut Sets) {
    for (name, value) in item.iter_mut() {
        as_list(value, name, sets);
    }
}

fn as_list(value: &mut Value<'static>, path: &str, sets: &mut Sets) {
    match value {
        Value::Ss(set) => {
            sets.insert(format!("{path}[*]"), Type::Ss);
            *value = Value::L(set.drain(..).map(Value::S).collect());
        }
        Value::Ns(set) => {
            sets.insert(format!("{path}[*]"), Type::Ns);
            *value = Value::L(set.drain(..).map(Value::N).collect());
        }
        Value::M(map) => {
            for (name, value) in map.iter_mut() {
                as_list(value, &format!("{path}.{name}"), sets);
            }
        }
        Value::L(list) => {
            let path = format!("{path}[*]");
            for value in list {
                as_list(value, &path, sets);
            }
        }
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::Bs(_) => {}
    }
}

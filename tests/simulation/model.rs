//! A naive model of the rules: changes happen one at a time, and their effects follow at once. It
//! shares no code with the engine.

mod changed;
mod effects;
mod mirrors;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::changed::{default_target, set_default, unset};
pub(crate) use self::effects::Effects;
pub(crate) use self::mirrors::{
    has_impossible_mirror, mirror_of, mirrored, mirrored_at, possible_mirrors, source_of,
};
use crate::form::read;
use crate::format::NONE;
use crate::schema::{Also, CHOICES, Place, Reference, Schema};

/// An item's key: partition and sort key.
pub(crate) type Name = (String, String);

/// An item's attributes besides its key.
pub(crate) type Content = BTreeMap<String, Val>;

/// The items of all tables; no two have the same key.
pub(crate) type State = BTreeMap<Name, Content>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Val {
    Text(String),
    Nested(String),
    Set(BTreeSet<String>),
    List(Vec<String>),
    /// A list of maps with the value `x`, or without it. An empty list is a [`Self::List`].
    Lines(Vec<Option<String>>),
    /// A whole number, such as a time in seconds since 1970.
    Number(i64),
}

/// The name of the TTL attribute.
pub(crate) const TTL: &str = "ttl";
/// When every history begins. All of them are shorter than a day.
pub(crate) const BEGIN_S: i64 = 1_700_000_000;
/// A time before every history.
pub(crate) const PAST_S: i64 = BEGIN_S - 86_400;
/// A time after every history.
pub(crate) const FUTURE_S: i64 = BEGIN_S + 86_400;
/// A time that is too long ago for TTL.
pub(crate) const IGNORED_S: i64 = 1_000_000_000;

/// A write by the application.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Put(Name, Content),
    Delete(Name),
    /// Time to live deletes the item.
    Expire(Name),
    /// One attribute of an existing item is changed.
    Edit(Name, String),
    /// A transaction of the application.
    Transaction(Vec<Act>),
}

/// The role of an item, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An item of the application, of this kind.
    Own(usize),
    /// An item at the key of a mirror with this number.
    Mirror(usize),
}

/// Returns the key of an item of this kind.
pub(crate) fn name(schema: &Schema, kind: usize, parent: usize, id: usize) -> Name {
    let text =
        |kind: usize, id| schema.entities[kind].format.write(&schema.alphabet.value(id)).unwrap();
    match schema.entities[kind].parent {
        None => (format!("e{kind}#{}", text(kind, id)), "-".to_owned()),
        Some(of) => (format!("e{of}#{}", text(of, parent)), format!("c{kind}#{}", text(kind, id))),
    }
}

/// The role of an item, by its key.
pub(crate) fn role_of((pk, sk): &Name) -> Role {
    let text = if sk == "-" { pk } else { sk };
    let number = text[1..].split('#').next().unwrap().parse().unwrap();
    if text.starts_with('m') { Role::Mirror(number) } else { Role::Own(number) }
}

fn id(text: &str) -> &str {
    text.split('#').nth(1).unwrap()
}

/// Returns the table that an item is in.
pub(crate) fn table(schema: &Schema, name: &Name) -> usize {
    match role_of(name) {
        Role::Own(kind) => schema.entities[kind].table,
        Role::Mirror(id) => schema.mirror(id).map_or(0, |mirror| mirror.table),
    }
}

/// Whether an item is of the kind that its key indicates.
pub(crate) fn is_of_its_kind(schema: &Schema, name: &Name, content: &Content) -> bool {
    match role_of(name) {
        Role::Own(kind) => schema.entities[kind].required.admits(kind, content),
        Role::Mirror(_) => true,
    }
}

/// Whether the time of an item allows that it counts as existing.
pub(crate) fn is_in_time(schema: &Schema, name: &Name, content: &Content) -> bool {
    match role_of(name) {
        Role::Own(kind) => schema.entities[kind].until.is_none_or(|until| until.admits(content)),
        Role::Mirror(_) => true,
    }
}

/// Whether an item has expired: TTL may delete it at any time.
pub(crate) fn has_expired(schema: &Schema, name: &Name, content: &Content) -> bool {
    schema.ttl[table(schema, name)] && content.get(TTL) == Some(&Val::Number(PAST_S))
}

/// Whether an item at the key of a target exists for a reference.
pub(crate) fn is_target(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    content: &Content,
) -> bool {
    let is_absent = reference.ends_with_expiry && has_expired(schema, name, content);
    is_of_its_kind(schema, name, content) && is_in_time(schema, name, content) && !is_absent
}

/// The attribute with the key of an index.
pub(crate) const ALIAS: &str = "alias";

/// Whether the item has the key of an index that this name stands for.
pub(crate) fn has_alias(reference: &Reference, alias: &Name, of: &Name, content: &Content) -> bool {
    let found = content.get(ALIAS);
    role_of(of) == Role::Own(reference.to)
        && matches!(found, Some(Val::Text(found)) if *found == alias.0)
}

/// Whether a target of a reference exists: this item, or another one that is enough.
pub(crate) fn exists(schema: &Schema, state: &State, reference: &Reference, name: &Name) -> bool {
    if reference.is_in_index {
        return state.iter().any(|(of, content)| {
            has_alias(reference, name, of, content) && is_target(schema, reference, of, content)
        });
    }
    same(reference, name).iter().any(|name| {
        state.get(name).is_some_and(|content| is_target(schema, reference, name, content))
    })
}

/// The items of which one is enough for a reference to one of them, beginning with that one.
pub(crate) fn same(reference: &Reference, name: &Name) -> Vec<Name> {
    let mut same = vec![name.clone()];
    if let Some(Also { kind, is_chosen: false }) = reference.also {
        let of_kind = |kind: usize| (format!("e{kind}#{}", id(&name.0)), "-".to_owned());
        same.extend([of_kind(reference.to), of_kind(kind)].into_iter().filter(|it| it != name));
    }
    same
}

/// Whether an item refers to another one.
pub(crate) fn refers(
    schema: &Schema,
    reference: &Reference,
    (of, content): (&Name, &Content),
    name: &Name,
) -> bool {
    let targets = targets(schema, reference, of, content);
    same(reference, name).iter().any(|name| targets.contains(name))
}

/// The kind of item to which a reference leads; `None` if that is not said, and an error if the item
/// says something else.
fn kind(reference: &Reference, content: &Content) -> Result<Option<usize>, ()> {
    let Some((choice, also)) = reference.choice().zip(reference.also.as_ref()) else {
        return Ok(Some(reference.to));
    };
    let [one, other, _] = CHOICES;
    match content.get(&choice) {
        Some(Val::Text(text)) if text == one => Ok(Some(reference.to)),
        Some(Val::Text(text)) if text == other => Ok(Some(also.kind)),
        Some(_) => Err(()),
        None => Ok(None),
    }
}

/// Returns the targets of an item's reference.
pub(crate) fn targets(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    content: &Content,
) -> BTreeSet<Name> {
    evaluate(schema, reference, name, content).into_iter().filter_map(Result::ok).collect()
}

/// Returns the values of an item's reference that cannot be written in a key.
pub(crate) fn malformed(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    content: &Content,
) -> BTreeSet<Vec<String>> {
    evaluate(schema, reference, name, content).into_iter().filter_map(Result::err).collect()
}

/// Returns what an item refers to: the target, or values that cannot be written in a key. `None` is
/// not among them.
fn evaluate(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    content: &Content,
) -> Vec<Result<Name, Vec<String>>> {
    if role_of(name) != Role::Own(reference.from) || !is_of_its_kind(schema, name, content) {
        return Vec::new();
    }
    let own = schema.entities[reference.from].format;
    match &reference.place {
        Place::Key => vec![Ok((name.0.clone(), "-".to_owned()))],
        Place::Own => {
            let own = own.read(id(&name.1)).unwrap();
            vec![target(schema, reference, reference.to, &[own])]
        }
        Place::Pair(..)
        | Place::Text(_)
        | Place::Nested(_)
        | Place::Set(_)
        | Place::List(_)
        | Place::Lines(..) => {
            let values = values(reference, content).into_iter();
            match kind(reference, content) {
                Ok(Some(kind)) => {
                    values.map(|values| target(schema, reference, kind, &values)).collect()
                }
                Ok(None) => Vec::new(),
                Err(()) => values.map(Err).collect(),
            }
        }
    }
}

/// Returns the target of this kind that these values refer to: the key of an item, or the key of an
/// index.
fn target(
    schema: &Schema,
    reference: &Reference,
    to: usize,
    values: &[String],
) -> Result<Name, Vec<String>> {
    let parts = read(schema, reference, values).ok_or_else(|| values.to_vec())?;
    of_parts(schema, reference, to, &parts).ok_or_else(|| values.to_vec())
}

/// Returns the target of this kind with these ids.
fn of_parts(schema: &Schema, reference: &Reference, to: usize, parts: &[String]) -> Option<Name> {
    let text = |kind: usize, value: &String| schema.entities[kind].format.write(value);
    match (parts, schema.entities[to].parent) {
        ([parent, value], Some(of)) => {
            Some((format!("e{of}#{}", text(of, parent)?), format!("c{to}#{}", text(to, value)?)))
        }
        ([value], None) if reference.is_in_index => {
            Some((Schema::alias(to, &text(to, value)?), "-".to_owned()))
        }
        ([value], None) => Some((format!("e{to}#{}", text(to, value)?), "-".to_owned())),
        _ => panic!("a reference to {to} has the parts {parts:?}"),
    }
}

/// Returns the values of a reference in attributes, each with all its parts.
fn values(reference: &Reference, content: &Content) -> Vec<Vec<String>> {
    let one = |name: &str| match content.get(name) {
        Some(Val::Text(value) | Val::Nested(value)) => {
            is_value(reference, value).then(|| value.clone())
        }
        _ => None,
    };
    let many = |values: &mut dyn Iterator<Item = &String>| {
        let values = values.filter(|value| is_value(reference, value));
        values.map(|value| vec![value.clone()]).collect()
    };
    match &reference.place {
        Place::Key | Place::Own => Vec::new(),
        Place::Pair(parent, own) => {
            one(parent).zip(one(own)).map(|(parent, own)| vec![parent, own]).into_iter().collect()
        }
        Place::Text(name) | Place::Nested(name) => {
            one(name).map(|value| vec![value]).into_iter().collect()
        }
        Place::Set(name) | Place::List(name) => match content.get(name) {
            Some(Val::Set(values)) => many(&mut values.iter()),
            Some(Val::List(values)) => many(&mut values.iter()),
            _ => Vec::new(),
        },
        Place::Lines(name, _) => match content.get(name) {
            Some(Val::Lines(lines)) => many(&mut lines.iter().flatten()),
            _ => Vec::new(),
        },
    }
}

/// Whether a value means that there is a reference. A map without a value has the empty text.
fn is_value(reference: &Reference, value: &str) -> bool {
    !(value.is_empty() || reference.has_none && value == NONE)
}

/// How many parts of a reference in attributes are present.
pub(crate) fn parts(reference: &Reference, content: &Content) -> usize {
    let Place::Pair(parent, own) = &reference.place else {
        let is_said = kind(reference, content) != Ok(None);
        return values(reference, content).len().min(usize::from(is_said));
    };
    let is_present = |name: &&&String| matches!(content.get(**name), Some(Val::Text(value)) if is_value(reference, value));
    [parent, own].iter().filter(is_present).count()
}

/// Whether a query of the index that finds referencing items shows an item for this target.
pub(crate) fn is_indexed(reference: &Reference, content: &Content, target: &Name) -> bool {
    let begins_as_queried = |sort: String| match content.get(&sort) {
        Some(Val::Text(text)) => text.starts_with("j#"),
        _ => false,
    };
    has_index_key(reference, content, target)
        && reference.index_sort().is_none_or(begins_as_queried)
}

/// Whether an item has the key of the index that belongs to this target.
fn has_index_key(reference: &Reference, content: &Content, target: &Name) -> bool {
    reference.index_key().is_none_or(|key| content.get(&key) == Some(&index_value(target)))
}

/// The key in the index of an item that refers to this target.
pub(crate) fn index_value(target: &Name) -> Val {
    Val::Text(format!("i#{}", id(&target.0)))
}

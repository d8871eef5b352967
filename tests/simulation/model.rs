//! A naive model of the rules: changes happen one at a time, and their effects follow at once. It
//! shares no code with the engine.

mod effects;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::effects::Effects;
use crate::format::NONE;
use crate::schema::{Also, CHOICES, Copied, Mirror, Place, Reference, Schema};

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
    /// A time, in seconds since 1970.
    Seconds(i64),
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
        Role::Own(kind) => {
            let found = content.get("type").map(|found| match found {
                Val::Text(text) => text.as_str(),
                Val::Nested(_) | Val::Set(_) | Val::List(_) | Val::Lines(_) | Val::Seconds(_) => {
                    panic!("`type` is a text")
                }
            });
            schema.entities[kind].required.admits(kind, found)
        }
        Role::Mirror(_) => true,
    }
}

/// Whether an item has expired: TTL may delete it at any time.
pub(crate) fn has_expired(schema: &Schema, name: &Name, content: &Content) -> bool {
    schema.ttl[table(schema, name)] && content.get(TTL) == Some(&Val::Seconds(PAST_S))
}

/// Whether an item at the key of a target exists for a reference.
pub(crate) fn is_target(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    content: &Content,
) -> bool {
    let is_absent = reference.ends_with_expiry && has_expired(schema, name, content);
    is_of_its_kind(schema, name, content) && !is_absent
}

/// Whether a target of a reference exists: this item, or another one that is enough.
pub(crate) fn exists(schema: &Schema, state: &State, reference: &Reference, name: &Name) -> bool {
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

/// Returns the key of a source's mirror.
pub(crate) fn mirror_of(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    match schema.entities[mirror.source].parent {
        None => (format!("m{}#{}", mirror.id, id(pk)), "-".to_owned()),
        Some(_) => (format!("e{}#{}", mirror.by, id(sk)), format!("m{}#{}", mirror.id, id(pk))),
    }
}

/// Returns the key of the source whose mirror has this key.
pub(crate) fn source_of(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    let kind = mirror.source;
    match schema.entities[kind].parent {
        None => (format!("e{kind}#{}", id(pk)), "-".to_owned()),
        Some(parent) => (format!("e{parent}#{}", id(sk)), format!("c{kind}#{}", id(pk))),
    }
}

/// Returns the content that a source's mirror must have; `None` if there must be no mirror.
pub(crate) fn mirrored(
    schema: &Schema,
    mirror: &Mirror,
    source: &Name,
    content: Option<&Content>,
) -> Option<Content> {
    let mut content = content.filter(|content| is_of_its_kind(schema, source, content))?.clone();
    let is_ttl = |name: &str| name == TTL && schema.ttl[mirror.table];
    if let Copied::Renamed(names) = &mirror.copied {
        let values = names.iter().map(|(own, new)| (new.clone(), content.get(own).cloned()));
        content = values.filter_map(|(new, value)| Some((new, value?))).collect();
    }
    content.retain(|name, _| match &mirror.copied {
        Copied::Renamed(_) => true,
        Copied::All => !is_ttl(name),
        Copied::None => false,
        Copied::Except(names) => !names.contains(name) && !is_ttl(name),
        Copied::List(names) => names.contains(name),
    });
    if mirror.is_typed {
        content.insert("type".to_owned(), Val::Text(format!("m{}", mirror.id)));
    }
    Some(content)
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
        Place::Own => vec![target(schema, reference.to, &[own.read(id(&name.1))])],
        Place::Pair(..)
        | Place::Text(_)
        | Place::Nested(_)
        | Place::Set(_)
        | Place::List(_)
        | Place::Lines(..) => {
            let values = values(reference, content).into_iter();
            match kind(reference, content) {
                Ok(Some(kind)) => values.map(|values| target(schema, kind, &values)).collect(),
                Ok(None) => Vec::new(),
                Err(()) => values.map(Err).collect(),
            }
        }
    }
}

/// Returns the target of this kind that these values refer to.
fn target(schema: &Schema, to: usize, values: &[String]) -> Result<Name, Vec<String>> {
    let text = |kind: usize, value: &String| {
        schema.entities[kind].format.write(value).ok_or_else(|| values.to_vec())
    };
    match (values, schema.entities[to].parent) {
        ([parent, value], Some(of)) => {
            Ok((format!("e{of}#{}", text(of, parent)?), format!("c{to}#{}", text(to, value)?)))
        }
        ([value], None) => Ok((format!("e{to}#{}", text(to, value)?), "-".to_owned())),
        _ => panic!("a reference to {to} has the values {values:?}"),
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

/// Whether the index that finds referencing items contains an item for this target.
pub(crate) fn is_indexed(reference: &Reference, content: &Content, target: &Name) -> bool {
    reference.index_key().is_none_or(|key| content.get(&key) == Some(&index_value(target)))
}

/// The key in the index of an item that refers to this target.
pub(crate) fn index_value(target: &Name) -> Val {
    Val::Text(format!("i#{}", id(&target.0)))
}

/// Returns the item without its references to a target.
pub(crate) fn unset(
    schema: &Schema,
    reference: &Reference,
    content: &Content,
    of: &Name,
) -> Content {
    let to = kind(reference, content).ok().flatten().unwrap_or(reference.to);
    let of = &same(reference, of);
    let refers = |value: &String| {
        target(schema, to, std::slice::from_ref(value)).is_ok_and(|target| of.contains(&target))
    };
    let mut content = content.clone();
    if let Some(key) = reference.index_key().filter(|_| is_indexed(reference, &content, &of[0])) {
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
        Some(Val::Seconds(_)) | None => {}
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
    let to = kind(reference, content).ok().flatten().unwrap_or(reference.to);
    let of = &same(reference, of);
    let refers = |value: &String| {
        target(schema, to, std::slice::from_ref(value)).is_ok_and(|target| of.contains(&target))
    };
    let default = schema.alphabet.value(reference.default);
    let mut content = content.clone();
    if let Some(key) = reference.index_key().filter(|_| is_indexed(reference, &content, &of[0])) {
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
        Some(Val::Seconds(_)) | None => {}
    }
    content
}

/// Returns the target of an item with the default.
pub(crate) fn default_target(schema: &Schema, reference: &Reference, content: &Content) -> Name {
    let to = kind(reference, content).ok().flatten().unwrap_or(reference.to);
    target(schema, to, &[schema.alphabet.value(reference.default)]).unwrap()
}

//! A naive model of the rules: changes happen one at a time, and their effects follow at once. It
//! shares no code with the engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::schema::{Copied, Mirror, Place, Reference, Schema};

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
    match schema.entities[kind].parent {
        None => (format!("e{kind}#{id}"), "-".to_owned()),
        Some(of) => (format!("e{of}#{parent}"), format!("c{kind}#{id}")),
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
                _ => panic!("`type` is a text"),
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

/// Whether the target of a reference exists.
pub(crate) fn exists(schema: &Schema, state: &State, reference: &Reference, name: &Name) -> bool {
    state.get(name).is_some_and(|content| is_target(schema, reference, name, content))
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
    content.retain(|name, _| match &mirror.copied {
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
    if role_of(name) != Role::Own(reference.from) || !is_of_its_kind(schema, name, content) {
        return BTreeSet::new();
    }
    let to = |id: &str| (format!("e{}#{id}", reference.to), "-".to_owned());
    let attribute = match &reference.place {
        Place::Key => return BTreeSet::from([to(id(&name.0))]),
        Place::Own => return BTreeSet::from([to(id(&name.1))]),
        Place::Text(name) | Place::Nested(name) | Place::Set(name) | Place::List(name) => name,
        Place::Pair(one, other) => {
            let (Some(Val::Text(parent)), Some(Val::Text(id))) =
                (content.get(one), content.get(other))
            else {
                return BTreeSet::new();
            };
            let of = schema.entities[reference.to].parent.unwrap();
            return BTreeSet::from([(
                format!("e{of}#{parent}"),
                format!("c{}#{id}", reference.to),
            )]);
        }
    };
    match content.get(attribute) {
        None => BTreeSet::new(),
        Some(Val::Nested(id)) if id.is_empty() => BTreeSet::new(),
        Some(Val::Seconds(_)) => panic!("a time is no reference"),
        Some(Val::Text(id) | Val::Nested(id)) => BTreeSet::from([to(id)]),
        Some(Val::Set(ids)) => ids.iter().map(|id| to(id)).collect(),
        Some(Val::List(ids)) => ids.iter().map(|id| to(id)).collect(),
    }
}

/// Returns the item without its references to a target.
pub(crate) fn unset(reference: &Reference, content: &Content, target: &Name) -> Content {
    let id = id(&target.0);
    let mut content = content.clone();
    if let Place::Pair(one, other) = &reference.place {
        content.retain(|name, _| name != one && name != other);
    }
    let Some(attribute) = reference.place.attribute() else { return content };
    match content.get_mut(attribute) {
        Some(Val::Set(ids)) => {
            ids.remove(id);
            if ids.is_empty() {
                content.remove(attribute);
            }
        }
        Some(Val::List(ids)) => ids.retain(|it| it != id),
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
pub(crate) fn set_default(reference: &Reference, content: &Content, target: &Name) -> Content {
    let id = id(&target.0);
    let default = reference.default.to_string();
    let mut content = content.clone();
    let Some(attribute) = reference.place.attribute() else { return content };
    match content.get_mut(attribute) {
        Some(Val::Set(ids)) => {
            ids.remove(id);
            ids.insert(default);
        }
        Some(Val::List(ids)) => {
            ids.iter_mut().filter(|it| *it == id).for_each(|it| it.clone_from(&default));
        }
        Some(Val::Text(it) | Val::Nested(it)) => *it = default,
        Some(Val::Seconds(_)) | None => {}
    }
    content
}

/// Whether TTL may delete an item. In a table whose TTL attribute is not declared, it may delete any
/// item.
fn may_expire(schema: &Schema, name: &Name, content: &Content) -> bool {
    !schema.ttl[table(schema, name)] || has_expired(schema, name, content)
}

/// Returns the target of the default.
pub(crate) fn default_target(reference: &Reference) -> Name {
    (format!("e{}#{}", reference.to, reference.default), "-".to_owned())
}

/// A change of an item that can have effects.
enum Event {
    Written(Name, Option<Content>),
    Gone(Name, Content, bool),
}

/// The effects of one act.
pub(crate) struct Effects<'s> {
    schema: &'s Schema,
    pub(crate) state: State,
    events: VecDeque<Event>,
    /// The targets that a decision depended on.
    looked_at: BTreeSet<Name>,
    /// The items that were created or deleted.
    changed: BTreeSet<Name>,
}

impl<'s> Effects<'s> {
    /// Returns the table after an act and all its effects; `None` if the result depends on the
    /// order of the effects.
    pub(crate) fn of(schema: &'s Schema, state: State, act: &Act) -> Option<State> {
        let empty = BTreeSet::new;
        let (looked_at, changed) = (empty(), empty());
        let mut effects = Self { schema, state, events: VecDeque::new(), looked_at, changed };
        match act {
            Act::Put(name, content) => {
                let before = effects.state.insert(name.clone(), content.clone());
                effects.events.push_back(Event::Written(name.clone(), before));
            }
            Act::Delete(name) => effects.remove(name, false),
            Act::Expire(name) => {
                let item = effects.state.get(name);
                if item.is_some_and(|item| may_expire(schema, name, item)) {
                    effects.remove(name, true);
                }
            }
            Act::Edit(..) | Act::Transaction(_) => panic!("the model does not cover {act:?}"),
        }
        // The act itself precedes all its effects.
        effects.changed.clear();
        for _ in 0..1_000 {
            match effects.events.pop_front() {
                None => {
                    let is_clear = effects.looked_at.is_disjoint(&effects.changed);
                    return is_clear.then_some(effects.state);
                }
                Some(Event::Written(name, before)) => effects.written(&name, before),
                Some(Event::Gone(name, image, expired)) => effects.gone(&name, &image, expired),
            }
        }
        panic!("it never reaches rest: {schema:?}");
    }

    fn remove(&mut self, name: &Name, expired: bool) {
        if let Some(image) = self.state.remove(name) {
            self.changed.insert(name.clone());
            self.events.push_back(Event::Gone(name.clone(), image, expired));
        }
    }

    fn exists(&mut self, reference: &Reference, name: &Name) -> bool {
        self.looked_at.insert(name.clone());
        exists(self.schema, &self.state, reference, name)
    }

    /// Applies the effects of a written item's new references.
    fn written(&mut self, name: &Name, before: Option<Content>) {
        let schema = self.schema;
        let (mut is_deleted, mut is_reverted) = (false, false);
        for reference in &schema.references {
            let Some(content) = self.state.get(name).cloned() else { return };
            let said = before.as_ref().map(|before| targets(schema, reference, name, before));
            for target in targets(schema, reference, name, &content) {
                let is_new = said.as_ref().is_none_or(|said| !said.contains(&target));
                if !is_new || self.exists(reference, &target) {
                    continue;
                }
                match reference.on_missing {
                    "delete" => is_deleted = true,
                    "revert" => is_reverted = true,
                    action => self.repair(reference, action, name, &target),
                }
            }
        }
        match before {
            _ if is_deleted => self.remove(name, false),
            None if is_reverted => self.remove(name, false),
            Some(before) if is_reverted => self.revert(name, before),
            _ => {}
        }
    }

    fn revert(&mut self, name: &Name, before: Content) {
        let content = self.state[name].clone();
        let schema = self.schema;
        let is_whole = schema.references.iter().all(|reference| {
            let kept = targets(schema, reference, name, &content);
            let back = targets(schema, reference, name, &before);
            // An item that refers to itself exists if its earlier version does.
            back.into_iter().filter(|target| !kept.contains(target)).all(|target| {
                if target == *name {
                    is_target(schema, reference, name, &before)
                } else {
                    self.exists(reference, &target)
                }
            })
        });
        if is_whole {
            if has_expired(schema, name, &content) != has_expired(schema, name, &before) {
                self.changed.insert(name.clone());
            }
            self.state.insert(name.clone(), before);
        }
    }

    /// Applies the effects that a delete has on the referencing items.
    fn gone(&mut self, name: &Name, image: &Content, expired: bool) {
        let schema = self.schema;
        for reference in schema.references.iter().filter(|it| Role::Own(it.to) == role_of(name)) {
            if self.state.contains_key(name) {
                return;
            }
            let action = if expired { reference.on_ttl_delete } else { reference.on_delete };
            let refers = |(of, content): &(&Name, &Content)| {
                targets(schema, reference, of, content).contains(name)
            };
            let referring: Vec<Name> =
                self.state.iter().filter(refers).map(|(of, _)| of.clone()).collect();
            match action {
                _ if !reference.is_found() || referring.is_empty() => {}
                "cascade" => referring.iter().for_each(|of| self.remove(of, false)),
                "restore" if !is_target(schema, reference, name, image) => {}
                "restore" => {
                    self.changed.insert(name.clone());
                    self.state.insert(name.clone(), image.clone());
                    self.events.push_back(Event::Written(name.clone(), None));
                }
                action => referring.iter().for_each(|of| self.repair(reference, action, of, name)),
            }
        }
    }

    fn repair(&mut self, reference: &Reference, action: &str, of: &Name, target: &Name) {
        let Some(content) = self.state.get(of).cloned() else { return };
        if action == "unset" {
            self.state.insert(of.clone(), unset(reference, &content, target));
        }
        let default = default_target(reference);
        if action == "set_default" && default != *target && self.exists(reference, &default) {
            self.state.insert(of.clone(), set_default(reference, &content, target));
        }
    }
}

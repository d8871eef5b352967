//! What the rules mean, in the simplest words: changes happen one at a time, and what follows from
//! each follows at once. It shares no code with the engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::schema::{Copied, Mirror, Place, Reference, Schema};

/// An item's key: partition and sort key.
pub(crate) type Name = (String, String);

/// An item's attributes besides its key.
pub(crate) type Thing = BTreeMap<String, Val>;

/// The items of all tables; no two have the same key.
pub(crate) type State = BTreeMap<Name, Thing>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Val {
    Text(String),
    Nested(String),
    Set(BTreeSet<String>),
    List(Vec<String>),
}

/// What the application does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Put(Name, Thing),
    Delete(Name),
    /// Time to live deletes it.
    Expire(Name),
    /// Someone changes one attribute of what is there, and leaves the rest as it is.
    Edit(Name, String),
    /// A transaction of the application.
    Together(Vec<Act>),
}

/// What an item is by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// An item of the application's, of this kind.
    Own(usize),
    /// In the place of a mirror with this number.
    Mirror(usize),
}

/// The key of a kind's item.
pub(crate) fn name(schema: &Schema, kind: usize, parent: usize, id: usize) -> Name {
    match schema.entities[kind].parent {
        None => (format!("e{kind}#{id}"), "-".to_owned()),
        Some(of) => (format!("e{of}#{parent}"), format!("c{kind}#{id}")),
    }
}

/// What an item is by its key.
pub(crate) fn sort((pk, sk): &Name) -> Sort {
    let text = if sk == "-" { pk } else { sk };
    let number = text[1..].split('#').next().unwrap().parse().unwrap();
    if text.starts_with('m') { Sort::Mirror(number) } else { Sort::Own(number) }
}

fn id(text: &str) -> &str {
    text.split('#').nth(1).unwrap()
}

/// The table that an item is in.
pub(crate) fn table(schema: &Schema, name: &Name) -> usize {
    match sort(name) {
        Sort::Own(kind) => schema.entities[kind].table,
        Sort::Mirror(id) => schema.mirror(id).map_or(0, |mirror| mirror.table),
    }
}

/// Whether an item at a key is of the kind that the key says.
pub(crate) fn admits(schema: &Schema, name: &Name, thing: &Thing) -> bool {
    let says = |text: String| thing.get("type") == Some(&Val::Text(text));
    match sort(name) {
        Sort::Own(kind) => !schema.entities[kind].is_typed || says(format!("e{kind}")),
        Sort::Mirror(_) => true,
    }
}

/// Whether there is an item of the kind at the key.
pub(crate) fn exists(schema: &Schema, state: &State, name: &Name) -> bool {
    state.get(name).is_some_and(|thing| admits(schema, name, thing))
}

/// Where the mirror of a source belongs.
pub(crate) fn mirror_of(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    match schema.entities[mirror.source].parent {
        None => (format!("m{}#{}", mirror.id, id(pk)), "-".to_owned()),
        Some(_) => (format!("e{}#{}", mirror.by, id(sk)), format!("m{}#{}", mirror.id, id(pk))),
    }
}

/// Whose mirror belongs here.
pub(crate) fn source_of(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    let kind = mirror.source;
    match schema.entities[kind].parent {
        None => (format!("e{kind}#{}", id(pk)), "-".to_owned()),
        Some(parent) => (format!("e{parent}#{}", id(sk)), format!("c{kind}#{}", id(pk))),
    }
}

/// What a source's mirror has; nothing if there is none.
pub(crate) fn mirrored(
    schema: &Schema,
    mirror: &Mirror,
    source: &Name,
    thing: Option<&Thing>,
) -> Option<Thing> {
    let mut thing = thing.filter(|thing| admits(schema, source, thing))?.clone();
    thing.retain(|name, _| match &mirror.copied {
        Copied::All => true,
        Copied::None => false,
        Copied::List(names) => names.contains(name),
    });
    if mirror.is_typed {
        thing.insert("type".to_owned(), Val::Text(format!("m{}", mirror.id)));
    }
    Some(thing)
}

/// What an item refers to by a reference.
pub(crate) fn targets(
    schema: &Schema,
    reference: &Reference,
    name: &Name,
    thing: &Thing,
) -> BTreeSet<Name> {
    if sort(name) != Sort::Own(reference.from) || !admits(schema, name, thing) {
        return BTreeSet::new();
    }
    let to = |id: &str| (format!("e{}#{id}", reference.to), "-".to_owned());
    let attribute = match &reference.place {
        Place::Key => return BTreeSet::from([to(id(&name.0))]),
        Place::Own => return BTreeSet::from([to(id(&name.1))]),
        Place::Text(name) | Place::Nested(name) | Place::Set(name) | Place::List(name) => name,
        Place::Pair(one, other) => {
            let (Some(Val::Text(parent)), Some(Val::Text(id))) = (thing.get(one), thing.get(other))
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
    match thing.get(attribute) {
        None => BTreeSet::new(),
        Some(Val::Nested(id)) if id.is_empty() => BTreeSet::new(),
        Some(Val::Text(id) | Val::Nested(id)) => BTreeSet::from([to(id)]),
        Some(Val::Set(ids)) => ids.iter().map(|id| to(id)).collect(),
        Some(Val::List(ids)) => ids.iter().map(|id| to(id)).collect(),
    }
}

/// The item without its references to a target.
pub(crate) fn unset(reference: &Reference, thing: &Thing, target: &Name) -> Thing {
    let id = id(&target.0);
    let mut thing = thing.clone();
    if let Place::Pair(one, other) = &reference.place {
        thing.retain(|name, _| name != one && name != other);
    }
    let Some(attribute) = reference.place.attribute() else { return thing };
    match thing.get_mut(attribute) {
        Some(Val::Set(ids)) => {
            ids.remove(id);
            if ids.is_empty() {
                thing.remove(attribute);
            }
        }
        Some(Val::List(ids)) => ids.retain(|it| it != id),
        // The map stays, and what is in it goes.
        Some(Val::Nested(_)) => {
            thing.insert(attribute.to_owned(), Val::Nested(String::new()));
        }
        Some(Val::Text(_)) => {
            thing.remove(attribute);
        }
        None => {}
    }
    thing
}

/// The item with the default in the place of its references to a target.
pub(crate) fn set_default(reference: &Reference, thing: &Thing, target: &Name) -> Thing {
    let id = id(&target.0);
    let default = reference.default.to_string();
    let mut thing = thing.clone();
    let Some(attribute) = reference.place.attribute() else { return thing };
    match thing.get_mut(attribute) {
        Some(Val::Set(ids)) => {
            ids.remove(id);
            ids.insert(default);
        }
        Some(Val::List(ids)) => {
            ids.iter_mut().filter(|it| *it == id).for_each(|it| it.clone_from(&default));
        }
        Some(Val::Text(it) | Val::Nested(it)) => *it = default,
        None => {}
    }
    thing
}

/// What the default refers to.
pub(crate) fn default_target(reference: &Reference) -> Name {
    (format!("e{}#{}", reference.to, reference.default), "-".to_owned())
}

/// What has happened to an item, and what may follow from it.
enum Event {
    Written(Name, Option<Thing>),
    Gone(Name, Thing, bool),
}

/// What follows from one act.
pub(crate) struct Settlement<'s> {
    schema: &'s Schema,
    pub(crate) state: State,
    events: VecDeque<Event>,
    /// The targets that a decision was made by, and those that came or went.
    looked_at: BTreeSet<Name>,
    changed: BTreeSet<Name>,
}

impl<'s> Settlement<'s> {
    /// The table once all that follows from an act has happened. Nothing if what comes of it
    /// depends on the order in which things are done.
    pub(crate) fn of(schema: &'s Schema, state: State, act: &Act) -> Option<State> {
        let empty = BTreeSet::new;
        let (looked_at, changed) = (empty(), empty());
        let mut settlement = Self { schema, state, events: VecDeque::new(), looked_at, changed };
        match act {
            Act::Put(name, thing) => {
                let before = settlement.state.insert(name.clone(), thing.clone());
                settlement.events.push_back(Event::Written(name.clone(), before));
            }
            Act::Delete(name) => settlement.remove(name, false),
            Act::Expire(name) => settlement.remove(name, true),
            Act::Edit(..) | Act::Together(_) => panic!("the model knows no {act:?}"),
        }
        // The act itself comes before anything that follows.
        settlement.changed.clear();
        for _ in 0..1_000 {
            match settlement.events.pop_front() {
                None => {
                    let is_clear = settlement.looked_at.is_disjoint(&settlement.changed);
                    return is_clear.then_some(settlement.state);
                }
                Some(Event::Written(name, before)) => settlement.written(&name, before),
                Some(Event::Gone(name, image, expired)) => settlement.gone(&name, &image, expired),
            }
        }
        panic!("it never comes to rest: {schema:?}");
    }

    fn remove(&mut self, name: &Name, expired: bool) {
        if let Some(image) = self.state.remove(name) {
            self.changed.insert(name.clone());
            self.events.push_back(Event::Gone(name.clone(), image, expired));
        }
    }

    fn exists(&mut self, name: &Name) -> bool {
        self.looked_at.insert(name.clone());
        self.state.contains_key(name)
    }

    /// What follows for an item that refers to what it did not refer to before.
    fn written(&mut self, name: &Name, before: Option<Thing>) {
        let schema = self.schema;
        let (mut is_deleted, mut is_reverted) = (false, false);
        for reference in &schema.references {
            let Some(thing) = self.state.get(name).cloned() else { return };
            let said = before.as_ref().map(|before| targets(schema, reference, name, before));
            for target in targets(schema, reference, name, &thing) {
                let is_new = said.as_ref().is_none_or(|said| !said.contains(&target));
                if !is_new || self.exists(&target) {
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

    fn revert(&mut self, name: &Name, before: Thing) {
        let thing = self.state[name].clone();
        let schema = self.schema;
        let is_whole = schema.references.iter().all(|reference| {
            let kept = targets(schema, reference, name, &thing);
            let back = targets(schema, reference, name, &before);
            back.into_iter().all(|target| kept.contains(&target) || self.exists(&target))
        });
        if is_whole {
            self.state.insert(name.clone(), before);
        }
    }

    /// What follows for those who refer to an item that is gone.
    fn gone(&mut self, name: &Name, image: &Thing, expired: bool) {
        let schema = self.schema;
        for reference in schema.references.iter().filter(|it| Sort::Own(it.to) == sort(name)) {
            if self.state.contains_key(name) {
                return;
            }
            let action = if expired { reference.on_ttl_delete } else { reference.on_delete };
            let refers = |(of, thing): &(&Name, &Thing)| {
                targets(schema, reference, of, thing).contains(name)
            };
            let referring: Vec<Name> =
                self.state.iter().filter(refers).map(|(of, _)| of.clone()).collect();
            match action {
                _ if !reference.is_found() || referring.is_empty() => {}
                "cascade" => referring.iter().for_each(|of| self.remove(of, false)),
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
        let Some(thing) = self.state.get(of).cloned() else { return };
        if action == "unset" {
            self.state.insert(of.clone(), unset(reference, &thing, target));
        }
        let default = default_target(reference);
        if action == "set_default" && default != *target && self.exists(&default) {
            self.state.insert(of.clone(), set_default(reference, &thing, target));
        }
    }
}

/// Whether a change that the engine made was called for, with the table as it was just before.
pub(crate) fn is_called_for(
    schema: &Schema,
    state: &State,
    name: &Name,
    after: Option<&Thing>,
    earlier: &[Option<Thing>],
) -> bool {
    let is_missing = |target: &Name| !exists(schema, state, target);
    let before = state.get(name);
    let enforced = || schema.references.iter().filter(|reference| !reference.is_observed);
    let mut dangling = enforced().flat_map(|reference| {
        let said =
            before.map(|before| targets(schema, reference, name, before)).unwrap_or_default();
        said.into_iter().filter(is_missing).map(move |target| (reference, target))
    });
    let names = |reference: &Reference, action: &str| {
        [reference.on_missing, reference.on_delete, reference.on_ttl_delete].contains(&action)
    };
    match (before, after) {
        (Some(_), None) => dangling.any(|(reference, _)| {
            ["delete", "cascade", "revert"].iter().any(|action| names(reference, action))
        }),
        (Some(before), Some(after)) => dangling.any(|(reference, target)| {
            (names(reference, "unset") && is_unset(reference, before, after, &target))
                || (names(reference, "set_default")
                    && !is_missing(&default_target(reference))
                    && is_defaulted(reference, before, after, &target))
                || (names(reference, "revert") && is_undone(before, after, earlier))
        }),
        (None, Some(after)) => {
            let refers = |(of, thing): (&Name, &Thing)| {
                enforced().any(|reference| {
                    reference.on_delete == "restore"
                        && targets(schema, reference, of, thing).contains(name)
                })
            };
            let mut earlier = earlier.iter().flatten().filter(|it| admits(schema, name, it));
            // Not always the last version, which is one of the known limits.
            state.iter().any(refers) && earlier.any(|it| it == after)
        }
        (None, None) => false,
    }
}

/// Whether one of these changes was undone: what it changed is as it was before, and the rest is
/// left alone.
fn is_undone(before: &Thing, after: &Thing, images: &[Option<Thing>]) -> bool {
    images.windows(2).any(|images| {
        let [Some(old), Some(new)] = images else { return false };
        let is_as_left = old.keys().chain(new.keys()).all(|name| before.get(name) == new.get(name));
        let mut undone = before.clone();
        undone.retain(|name, _| !new.contains_key(name));
        undone.extend(old.clone());
        is_as_left && undone == *after
    })
}

/// Whether references to a target were removed, and nothing else was changed.
///
/// Of a list that was written again meanwhile, an element may stay that was not there before.
fn is_unset(reference: &Reference, before: &Thing, after: &Thing, target: &Name) -> bool {
    let (Place::List(name), clean) = (&reference.place, unset(reference, before, target)) else {
        return unset(reference, before, target) == *after;
    };
    let length = |thing: &Thing| match thing.get(name) {
        Some(Val::List(ids)) => ids.len(),
        _ => 0,
    };
    unset(reference, after, target) == clean && length(after) < length(before)
}

/// The same for references that were changed to the default.
fn is_defaulted(reference: &Reference, before: &Thing, after: &Thing, target: &Name) -> bool {
    let whole = set_default(reference, before, target);
    let is_list = matches!(reference.place, Place::List(_));
    whole == *after
        || (is_list && before != after && set_default(reference, after, target) == whole)
}

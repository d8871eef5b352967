//! The effects of a write, as the rules ask for them.

use std::collections::{BTreeSet, VecDeque};

use super::{
    Act, Content, Name, Role, State, default_target, exists, has_expired, is_indexed, is_target,
    malformed, role_of, set_default, table, targets, unset,
};
use crate::schema::{Reference, Schema};

/// Whether TTL may delete an item. In a table whose TTL attribute is not declared, it may delete any
/// item.
fn may_expire(schema: &Schema, name: &Name, content: &Content) -> bool {
    !schema.ttl[table(schema, name)] || has_expired(schema, name, content)
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
            let broken = malformed(schema, reference, name, &before);
            if !broken.is_subset(&malformed(schema, reference, name, &content)) {
                return false;
            }
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
                    && is_indexed(reference, content, name)
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
            self.state.insert(of.clone(), unset(self.schema, reference, &content, target));
        }
        let default = default_target(self.schema, reference, &content);
        if action == "set_default" && default != *target && self.exists(reference, &default) {
            self.state.insert(of.clone(), set_default(self.schema, reference, &content, target));
        }
    }
}

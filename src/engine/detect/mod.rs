//! Matching: from what happened to items to what the rules must do about it.

use std::collections::BTreeSet;

use crate::data::{Item, Key, KeyValue, into_owned};
use crate::engine::event::decode::Rejected;
use crate::integrity::change::{Change, History, Origin};
use crate::integrity::finding::ItemName;
use crate::integrity::index::{Plan, found_by};
use crate::integrity::mirror::{self, Pair, Removed};
use crate::integrity::reference::{self, Claim, Finder, Stance};
use crate::integrity::repair::Doom;
use crate::rules::model::{
    Entity, EntityId, MirrorId, Mode, OnDelete, OnMirrorDelete, Reference, ReferenceId, Rules,
};

/// What the rules must do about a batch.
#[derive(Debug, Default)]
pub(crate) struct Work<'h> {
    /// Sources that changed: their mirrors are to be written.
    pub(crate) mirrored: Vec<Mirrored<'h>>,
    /// Sources that changed under a rule in observe mode: their mirrors are to be compared.
    pub(crate) shadowed: Vec<MirrorSuspect<'h>>,
    /// Mirrors that changed: they are to be verified.
    pub(crate) echoes: Vec<Echo<'h>>,
    /// References made: their targets are to be looked up.
    pub(crate) claims: Vec<ClaimMade<'h>>,
    /// Items that others may refer to, and that are gone.
    pub(crate) departures: Vec<Departure<'h>>,
    /// Items that are marked to be deleted.
    pub(crate) doomed: Vec<Doomed<'h>>,
    /// What the rules cannot make sense of.
    pub(crate) rejected: Vec<Rejected>,
}

/// The change behind a piece of work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'h> {
    /// The change.
    pub(crate) change: &'h Change<'h>,
    /// The change from whose record on to deliver again if this fails.
    pub(crate) from: &'h Change<'h>,
}

impl Cause<'_> {
    /// The item that changed.
    pub(crate) fn item(&self) -> ItemName {
        ItemName { table: self.change.table, key: self.change.key.clone().into_owned() }
    }
}

/// A source that changed.
#[derive(Debug)]
pub(crate) struct Mirrored<'h> {
    pub(crate) pair: Pair,
    /// The mirror that it asks for, if any.
    pub(crate) content: Option<Item<'static>>,
    pub(crate) cause: Cause<'h>,
}

/// A mirror that may not be what its source says.
#[derive(Debug)]
pub(crate) struct MirrorSuspect<'h> {
    pub(crate) pair: Pair,
    /// What is known of its removal, if it was removed.
    pub(crate) removed: Option<Removed>,
    pub(crate) cause: Cause<'h>,
}

/// A mirror that changed.
#[derive(Debug)]
pub(crate) struct Echo<'h> {
    pub(crate) pair: Pair,
    pub(crate) cause: Cause<'h>,
}

impl<'h> Echo<'h> {
    /// The mirror, to be looked at again.
    pub(crate) fn into_suspect(self, rules: &Rules) -> MirrorSuspect<'h> {
        let removed = mirror::removal(rules, &self.pair, self.cause.change);
        MirrorSuspect { pair: self.pair, removed, cause: self.cause }
    }
}

/// Something that an item says through a reference, and did not say before.
#[derive(Debug, Clone)]
pub(crate) struct ClaimMade<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) claim: Claim,
    pub(crate) cause: Cause<'h>,
}

/// An item that is gone, and how to find who referred to it.
#[derive(Debug, Clone)]
pub(crate) struct Departure<'h> {
    pub(crate) finder: Finder,
    /// What is done about those who do.
    pub(crate) action: OnDelete,
    /// How many levels below the first delete of a cascade it is.
    pub(crate) depth: u64,
    pub(crate) cause: Cause<'h>,
}

/// An item that a cascade marked to be deleted.
#[derive(Debug)]
pub(crate) struct Doomed<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) doom: Doom,
    /// The item.
    pub(crate) image: Item<'static>,
    /// The keys that it refers to.
    pub(crate) targets: Vec<Key<'static>>,
    pub(crate) cause: Cause<'h>,
}

/// Finds what the rules must do about what happened to items.
pub(crate) fn work<'h>(rules: &Rules, plan: &Plan, histories: &'h [History<'h>]) -> Work<'h> {
    let mut work = Work::default();
    for history in histories {
        for id in plan.candidates(history.last.table, &history.last.key) {
            let entity = &rules[*id];
            if let Some(captures) = entity.key.parse(&history.last.key) {
                let seen = Seen { rules, entity, captures: &captures, history };
                seen.add_to(&mut work, plan, *id);
            }
        }
    }
    work
}

/// An item's history, seen as one of an entity.
struct Seen<'s, 'h> {
    rules: &'s Rules,
    entity: &'s Entity,
    captures: &'s [KeyValue<'s>],
    history: &'h History<'h>,
}

impl<'h> Seen<'_, 'h> {
    fn add_to(&self, work: &mut Work<'h>, plan: &Plan, id: EntityId) {
        let roles = plan.roles(id);
        for rule in &roles.sources {
            self.add_mirrored(work, *rule);
        }
        for rule in &roles.mirrors {
            self.add_echo(work, *rule);
        }
        for rule in &roles.outgoing {
            self.add_claims(work, *rule);
            self.add_doomed(work, *rule);
        }
        for rule in &roles.incoming {
            self.add_departure(work, *rule);
        }
    }

    fn add_mirrored(&self, work: &mut Work<'h>, rule: MirrorId) {
        let changed = self.history.steps().rev().find(|step| {
            let (before, after) = (step.before.as_ref(), step.after.as_ref());
            !mirror::is_unchanged(self.rules, rule, before, after)
        });
        let Some(changed) = changed else { return };
        let cause = self.cause(changed);
        let pair = match Pair::of_source(self.rules, rule, self.captures) {
            Ok(pair) => pair,
            Err(error) => {
                work.rejected.push(Rejected {
                    position: changed.position,
                    sequence: Some(changed.sequence.to_string()),
                    error: format!("mirror `{}` cannot be written: {error}", self.rules[rule].name),
                });
                return;
            }
        };
        if self.rules[rule].mode == Mode::Observe {
            work.shadowed.push(MirrorSuspect { pair, removed: None, cause });
        } else {
            let source = self.history.last.after.as_ref();
            let content = mirror::expected(self.rules, &pair, source);
            work.mirrored.push(Mirrored { pair, content, cause });
        }
    }

    fn add_echo(&self, work: &mut Work<'h>, rule: MirrorId) {
        // A key that no source could have asked for is none of the rule's business.
        let Ok(pair) = Pair::of_mirror(self.rules, rule, self.captures) else { return };
        let last = &self.history.last;
        // A delete that the rule answers is answered even if an old change of the source, delivered
        // again, wrote the mirror anew since. One that hid a reference did so until the mirror was
        // back. Elsewhere the last image alone counts.
        let earlier = self.history.earlier.iter().rev().find(|step| step.after.is_none());
        let earlier = earlier.filter(|step| {
            let counts = || {
                self.rules[rule].on_mirror_delete == OnMirrorDelete::DeleteSource
                    || found_by(self.rules, rule).next().is_some()
            };
            last.after.is_some() && mirror::removal(self.rules, &pair, step).is_some() && counts()
        });
        for change in earlier.into_iter().chain([last]) {
            work.echoes.push(Echo { pair: pair.clone(), cause: self.cause(change) });
        }
    }

    fn add_claims(&self, work: &mut Work<'h>, rule: ReferenceId) {
        let reference = &self.rules[rule];
        let Some(image) = self.admitted(self.history.last.after.as_ref()) else { return };
        let changed = self.history.steps().rev().find(|step| {
            let before = self.admitted(step.before.as_ref());
            !reference::is_unchanged(reference, before, self.admitted(step.after.as_ref()))
        });
        let Some(changed) = changed else { return };
        let evaluate = |image| reference::evaluate(self.rules, reference, self.captures, image);
        let claims = evaluate(image);
        if !reference.has_elements() {
            // One claim at most, and what it is made of changed: it is new.
            let cause = self.cause(changed);
            work.claims.extend(claims.into_iter().map(|claim| ClaimMade { rule, claim, cause }));
            return;
        }
        let said_before: Vec<(&Change<'_>, BTreeSet<Stance>)> = self
            .history
            .steps()
            .map(|step| {
                let said = self.admitted(step.before.as_ref()).map_or_else(Vec::new, evaluate);
                (step, said.into_iter().map(|claim| claim.stance).collect())
            })
            .collect();
        for claim in claims {
            let new_in = said_before.iter().rev().find(|(_, said)| !said.contains(&claim.stance));
            if let Some((step, _)) = new_in {
                work.claims.push(ClaimMade { rule, claim, cause: self.cause(step) });
            }
        }
    }

    fn add_doomed(&self, work: &mut Work<'h>, rule: ReferenceId) {
        let reference = &self.rules[rule];
        let Some(image) = self.history.last.after.as_ref() else { return };
        if !reference.is_recursive() {
            return;
        }
        // Whoever wrote the item as a whole since took the mark off with it, and spared nobody. One
        // that was deleted and is back was never marked.
        let steps = self.history.steps().rev();
        let mut since_its_delete = steps.map_while(|step| Some((step, step.after.as_ref()?)));
        let marked = since_its_delete
            .find_map(|(step, image)| Some((step, image, Doom::of(image, &reference.name)?)));
        let Some((step, marked, doom)) = marked else { return };
        let (then, now) = (self.targets(reference, marked), self.targets(reference, image));
        let targets = then.intersection(&now).cloned().collect();
        let (image, cause) = (into_owned(image.clone()), self.cause(step));
        work.doomed.push(Doomed { rule, doom, image, targets, cause });
    }

    /// What an image refers to.
    fn targets(&self, reference: &Reference, image: &Item<'_>) -> BTreeSet<Key<'static>> {
        let claims = self
            .admitted(Some(image))
            .map(|image| reference::evaluate(self.rules, reference, self.captures, image));
        let targets = claims.into_iter().flatten().filter_map(|claim| match claim.stance {
            Stance::Refers(key) => Some(key),
            Stance::Wrong(..) => None,
        });
        targets.collect()
    }

    fn add_departure(&self, work: &mut Work<'h>, rule: ReferenceId) {
        if self.admitted(self.history.last.after.as_ref()).is_some() {
            return;
        }
        let gone = self.history.steps().rev().find(|step| {
            self.admitted(step.before.as_ref()).is_some()
                && self.admitted(step.after.as_ref()).is_none()
        });
        let Some(gone) = gone else { return };
        let action = match gone.origin {
            Origin::Client => self.rules[rule].on_delete,
            Origin::Ttl => self.rules[rule].on_ttl_delete,
        };
        if action == OnDelete::Ignore {
            return;
        }
        if let Some(finder) = reference::finder(self.rules, rule, self.captures) {
            let name = &self.rules[rule].name;
            let doom = gone.before.as_ref().and_then(|before| Doom::of(before, name));
            let (depth, cause) = (doom.map_or(0, |doom| doom.depth), self.cause(gone));
            work.departures.push(Departure { finder, action, depth, cause });
        }
    }

    /// The image, if it is one of the entity.
    fn admitted<'i, 'a>(&self, image: Option<&'i Item<'a>>) -> Option<&'i Item<'a>> {
        image.filter(|image| self.entity.admits(image))
    }

    fn cause(&self, change: &'h Change<'h>) -> Cause<'h> {
        Cause { change, from: self.history.first_delivered() }
    }
}

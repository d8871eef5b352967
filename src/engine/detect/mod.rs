//! Detects the work that the rules require after changes of items. Does no I/O.
//!
//! Each kind of work has its own file. An entity's items have a [`Role`] in each rule that looks at
//! them, and the role decides which of these files are used.

mod at_rest;
mod cascade_marks;
mod deletes;
mod mirrors;
mod references;

use crate::data::{Item, KeyValue};
use crate::engine::event::change::{Cause, History, StreamChange};
use crate::engine::event::decode::Rejected;
use crate::integrity::index::{Index, Role};
use crate::rules::model::{Entity, Rules};

pub(crate) use at_rest::{Checks, PairAtRest, ReadItem, Side, detect_at_rest};
pub(crate) use cascade_marks::MarkedItem;
pub(crate) use deletes::{DeletedTarget, action};
pub(crate) use mirrors::{ChangedMirror, ChangedSource, MirrorSuspect};
pub(crate) use references::NewReference;

/// The work that the rules require after a batch, by kind.
#[derive(Debug, Default)]
pub(crate) struct Work<'h> {
    /// Changed sources, whose mirrors must be written.
    pub(crate) changed_sources: Vec<ChangedSource<'h>>,
    /// Changed sources under a rule in observe mode, whose mirrors must be compared with them.
    pub(crate) observed_sources: Vec<MirrorSuspect<'h>>,
    /// Changed mirrors, which must be compared with their sources.
    pub(crate) changed_mirrors: Vec<ChangedMirror<'h>>,
    /// New references, whose targets must be looked up.
    pub(crate) references: Vec<NewReference<'h>>,
    /// Deleted items that others may refer to.
    pub(crate) deleted_targets: Vec<DeletedTarget<'h>>,
    /// Items that a cascade has marked for deletion.
    pub(crate) marked_items: Vec<MarkedItem<'h>>,
    /// Records that the rules cannot process.
    pub(crate) rejected: Vec<Rejected>,
    /// The changes of items whose keys match entities, but not their `where`.
    pub(crate) unmatched: Vec<&'h History<'h>>,
}

/// Returns the work that the rules require after these changes.
pub(crate) fn detect<'h>(rules: &Rules, index: &Index, histories: &'h [History<'h>]) -> Work<'h> {
    let mut work = Work::default();
    for history in histories {
        let item = &history.last.change;
        let mut is_matched = false;
        for (id, captures) in index.matching(rules, item.table, &item.key) {
            let seen = Seen { rules, entity: &rules[id], captures: &captures, history };
            is_matched = is_matched || history.is_of(seen.entity);
            for role in index.roles(id) {
                seen.detect(*role, &mut work);
            }
        }
        if !is_matched && !is_of_unused(rules, index, history) {
            work.unmatched.push(history);
        }
    }
    work
}

/// Whether an item with the key of an entity that rules use may belong to one that no rule uses.
fn is_of_unused(rules: &Rules, index: &Index, history: &History<'_>) -> bool {
    let item = &history.last.change;
    let projections = index.projections(rules, item.table, &item.key);
    let is_read = |name: &str| projections.iter().any(|projection| projection.contains(name));
    index.matching_unused(rules, item.table, &item.key).any(|id| {
        let entity = &rules[id];
        let is_decidable = entity.conditions.iter().all(|(path, _)| is_read(path.root()));
        !is_decidable || history.is_of(entity)
    })
}

/// An item's history, interpreted as that of an item of one entity.
struct Seen<'s, 'h> {
    rules: &'s Rules,
    entity: &'s Entity,
    captures: &'s [KeyValue<'s>],
    history: &'h History<'h>,
}

impl<'h> Seen<'_, 'h> {
    /// Adds the work for a role. Only this function maps roles to work.
    fn detect(&self, role: Role, work: &mut Work<'h>) {
        match role {
            Role::Source(mirror) => mirrors::source(self, mirror, work),
            Role::Mirror(mirror) => work.changed_mirrors.extend(mirrors::mirror(self, mirror)),
            Role::Referencing(reference) => {
                references::new(self, reference, work);
                work.marked_items.extend(cascade_marks::marked(self, reference));
            }
            Role::Referenced(reference) => {
                let view = self.rules.view(self.rules[reference].to);
                work.deleted_targets.extend(match view {
                    None => deletes::deleted(self, reference).into_iter().collect(),
                    Some(view) => deletes::removed_from(self, reference, view),
                });
            }
        }
    }

    /// The image, if the entity admits it.
    fn admitted<'i, 'a>(&self, image: Option<&'i Item<'a>>) -> Option<&'i Item<'a>> {
        image.filter(|image| self.entity.admits(image))
    }

    fn cause(&self, step: &'h StreamChange<'h>) -> Cause<'h> {
        self.history.cause(step)
    }
}

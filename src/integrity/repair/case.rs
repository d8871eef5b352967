//! A case: a target that does not exist, and what is done to the items that refer to it.

use super::cascade_mark::CascadeMark;
use super::conditions::absent;
use super::obstacle::{Obstacle, RevertObstacle};
use super::remedy::{NoRepair, Remedy, Repair, repair};
use super::revert::revert;
use crate::data::{Item, Key};
use crate::integrity::change::Change;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::Write;

/// A target that does not exist, and what is done to the items that refer to it.
#[derive(Debug, Clone)]
pub(crate) struct Case<'c> {
    /// The reference that is broken.
    pub(crate) rule: ReferenceId,
    /// The key that the items refer to.
    pub(crate) target: Key<'static>,
    /// What is done to each of them.
    pub(crate) fix: Fix<'c>,
    /// The time at which items have expired or not, in milliseconds since 1970.
    pub(crate) now_ms: i64,
}

/// What is done to a referencing item.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fix<'c> {
    /// It is changed or deleted.
    Remedy(Remedy),
    /// It is marked, and deleted when the mark's stream record arrives.
    Mark(CascadeMark),
    /// The write that made the reference is undone; `None` if that write is not known.
    Revert(Option<&'c Change<'c>>),
}

impl Case<'_> {
    /// The checks that no target exists: the referenced item, and others of which one is enough.
    pub(crate) fn guard(&self, rules: &Rules) -> Vec<Write> {
        absent(rules, self.rule, &self.target, self.now_ms)
    }

    /// The repair of an item, computed from its image when it was read.
    pub(crate) fn repair(
        &self,
        rules: &Rules,
        key: &Key<'_>,
        item: &Item<'_>,
    ) -> Result<Repair, NoRepair> {
        let (target, now_ms) = (&self.target, self.now_ms);
        let repair = |remedy| repair(rules, self.rule, remedy, (key, item), target, now_ms);
        match self.fix {
            Fix::Remedy(remedy) => repair(remedy),
            Fix::Mark(mark) => Ok(mark.instead_of(rules, self.rule, repair(Remedy::Delete)?)),
            Fix::Revert(change) => {
                // A write is undone only while the item still refers to the target.
                repair(Remedy::Delete)?;
                let undone = match change {
                    Some(change) if is_untouched(change, key, item) => {
                        revert(rules, self.rule, change, now_ms)
                    }
                    Some(_) => Err(RevertObstacle::Changed),
                    None => Err(RevertObstacle::WriteUnknown),
                };
                undone.map_err(|why| NoRepair::Impossible(Obstacle::CannotRevert(why)))
            }
        }
    }
}

/// Whether an item is still as a change left it. A write is not undone if another one followed.
fn is_untouched(change: &Change<'_>, key: &Key<'_>, item: &Item<'_>) -> bool {
    change.key == *key && change.after.as_ref() == Some(item)
}

//! A case: a target that does not exist, and what is to be done to the items that refer to it.

use super::cascade_mark::{Doom, doomed};
use super::conditions::absent;
use super::remedy::{NoRepair, Remedy, Repair, repair};
use super::revert::revert;
use crate::data::{Item, Key};
use crate::integrity::change::Change;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::Write;

/// A target that does not exist, and what is to be done to the items that refer to it.
#[derive(Debug, Clone)]
pub(crate) struct Case<'c> {
    pub(crate) rule: ReferenceId,
    /// The key that they refer to.
    pub(crate) target: Key<'static>,
    pub(crate) cure: Cure<'c>,
}

/// What is done to an item.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cure<'c> {
    /// The item is changed or deleted.
    Remedy(Remedy),
    /// It is marked, to be deleted when its mark comes by.
    Doom(Doom),
    /// This change of it is undone.
    Revert(&'c Change<'c>),
}

impl Case<'_> {
    /// The check that the target does not exist.
    pub(crate) fn guard(&self, rules: &Rules) -> Write {
        absent(rules, rules[self.rule].to, &self.target)
    }

    /// The repair of an item as it was read.
    pub(crate) fn repair(
        &self,
        rules: &Rules,
        key: &Key<'_>,
        item: &Item<'_>,
    ) -> Result<Repair, NoRepair> {
        let repair = |remedy| repair(rules, self.rule, remedy, key, item, &self.target);
        match self.cure {
            Cure::Remedy(remedy) => repair(remedy),
            Cure::Doom(doom) => Ok(doomed(rules, self.rule, doom, repair(Remedy::Delete)?)),
            Cure::Revert(change) => {
                // A write is only undone while the item refers to the target still.
                repair(Remedy::Delete)?;
                let undone = if is_untouched(change, key, item) {
                    revert(rules, self.rule, change)
                } else {
                    Err("the item has changed since".to_owned())
                };
                undone.map_err(|why| NoRepair::Impossible(format!("cannot be undone: {why}")))
            }
        }
    }
}

/// Whether an item is as a change left it: a write that others were made on top of is not undone.
fn is_untouched(change: &Change<'_>, key: &Key<'_>, item: &Item<'_>) -> bool {
    change.key == *key && change.after.as_ref() == Some(item)
}

//! References: what an item refers to, and how to find the items that refer to it.

mod alternatives;
mod elements;
mod evaluate;
mod finder;
mod grounds;
mod target;

use super::finding::{Defect, Finding, ItemName};
use crate::data::Key;
use crate::rules::model::{ReferenceId, Rules};

#[cfg(feature = "cli")]
pub(crate) use alternatives::alternatives_of;
pub(crate) use alternatives::{others, targets};
#[cfg(feature = "cli")]
pub(crate) use elements::collections;
pub(crate) use evaluate::{
    Part, ReferenceState, ReferenceValue, evaluate, is_unchanged, own_keys, path_of, shared_parts,
    states,
};
pub(crate) use finder::{Finder, finder};
pub(crate) use grounds::{ElementPart, Elements, Grounds, grounds};
pub(crate) use target::{is_expired_target, is_not_there, is_target, is_there, ttl, unmet};

/// The finding that a reference's value is malformed or incomplete, or that its target is missing.
pub(crate) fn broken(
    rules: &Rules,
    rule: ReferenceId,
    item: ItemName,
    value: &ReferenceValue,
) -> Finding {
    let reference = &rules[rule];
    let (referenced, defect) = match &value.state {
        ReferenceState::Refers(key) => {
            let table = rules.referenced(rule).table;
            (Some(ItemName { table, key: key.clone() }), Defect::TargetMissing)
        }
        ReferenceState::Broken(defect) => (None, defect.clone()),
    };
    Finding {
        rule: reference.name.clone(),
        severity: reference.severity,
        referencing: Some(item),
        referenced,
        path: path_of(reference, value),
        reference: Some(rule),
        defect,
    }
}

/// The finding that items refer to a deleted one. It names the first as the referencing item.
pub(crate) fn orphaned(rules: &Rules, finder: &Finder, defect: Defect) -> Finding {
    let first = defect.orphans().and_then(|orphans| orphans.keys.first());
    let first = first.map(|key| referencing_name(rules, finder, key.clone()));
    about_target(rules, finder, first, defect)
}

/// The finding that one item refers to a deleted one.
pub(crate) fn orphan(rules: &Rules, finder: &Finder, item: ItemName) -> Finding {
    about_target(rules, finder, Some(item), Defect::TargetDeleted)
}

/// The name of a referencing item of the finder's rule.
pub(crate) fn referencing_name(rules: &Rules, finder: &Finder, key: Key<'static>) -> ItemName {
    ItemName { table: rules.referencing(finder.rule).table, key }
}

fn about_target(
    rules: &Rules,
    finder: &Finder,
    referencing: Option<ItemName>,
    defect: Defect,
) -> Finding {
    let reference = &rules[finder.rule];
    let table = rules.referenced(finder.rule).table;
    Finding {
        rule: reference.name.clone(),
        severity: reference.severity,
        referencing,
        referenced: Some(ItemName { table, key: finder.target.clone() }),
        path: None,
        reference: Some(finder.rule),
        defect,
    }
}

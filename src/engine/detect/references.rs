//! New references: values that an item has now and did not have before.

use std::collections::BTreeSet;

use super::{Seen, Work};
use crate::engine::event::change::{Cause, StreamChange};
use crate::integrity::change::Change;
use crate::integrity::expiry::is_kept;
use crate::integrity::reference::{ReferenceState, ReferenceValue, evaluate, is_unchanged};
use crate::rules::model::{Find, Reference, ReferenceId, Rules};

/// A value of a reference that an item has now and did not have before.
#[derive(Debug, Clone)]
pub(crate) struct NewReference<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) value: ReferenceValue,
    /// The change that added the value.
    pub(crate) change: &'h Change<'h>,
    pub(crate) cause: Cause<'h>,
}

/// Adds the new values of a reference.
pub(super) fn new<'h>(seen: &Seen<'_, 'h>, rule: ReferenceId, work: &mut Work<'h>) {
    let reference = &seen.rules[rule];
    let Some(image) = seen.admitted(seen.history.last.change.after.as_ref()) else { return };
    let before = |step: &'h StreamChange<'h>| {
        let before = step.change.before.as_ref();
        seen.admitted(before).filter(|_| !is_found_again(seen.rules, reference, step))
    };
    let changed = seen.history.steps().rev().find(|step| {
        let before = before(step);
        !is_unchanged(reference, before, seen.admitted(step.change.after.as_ref()))
    });
    let Some(changed) = changed else { return };
    let values = evaluate(seen.rules, reference, seen.captures, image);
    let new_in = |value, step: &'h StreamChange<'h>| NewReference {
        rule,
        value,
        change: &step.change,
        cause: seen.cause(step),
    };
    let states_before: Vec<(&'h StreamChange<'h>, BTreeSet<ReferenceState>)> = seen
        .history
        .steps()
        .map(|step| {
            let before = before(step).map_or_else(Vec::new, |image| {
                evaluate(seen.rules, reference, seen.captures, image)
            });
            (step, before.into_iter().map(|value| value.state).collect())
        })
        .collect();
    let step_that_added = |value: &ReferenceValue| {
        if value.state.key().is_none() && !reference.has_elements() {
            // It is the only value, and a part of it has changed.
            return Some(changed);
        }
        // A value in another case refers to the same item. If it counted as new, two changes of case
        // could be reverted for ever.
        let mut steps = states_before.iter().rev();
        steps.find(|(_, before)| !before.contains(&value.state)).map(|(step, _)| *step)
    };
    let added = values.into_iter().filter_map(|value| Some((step_that_added(&value)?, value)));
    work.references.extend(added.map(|(step, value)| new_in(value, step)));
}

/// Whether lookups may have missed the item before this change, because TTL deletes the mirrors of
/// expired items: a target that was deleted then did not find it.
fn is_found_again(rules: &Rules, reference: &Reference, step: &StreamChange<'_>) -> bool {
    matches!(reference.find, Find::Mirror(_))
        && is_kept(rules, reference.from, &step.change, step.created_ms)
}

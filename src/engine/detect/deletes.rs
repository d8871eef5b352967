//! Deleted items that others may refer to.

use super::Seen;
use crate::data::{Item, Key};
use crate::engine::event::change::{Cause, Origin, StreamChange};
use crate::integrity::reference::{Finder, finder};
use crate::integrity::repair::CascadeMark;
use crate::rules::model::{OnDelete, Reference, ReferenceId, View};

/// A deleted item that others may refer to.
#[derive(Debug, Clone)]
pub(crate) struct DeletedTarget<'h> {
    /// How to find the items that refer to it.
    pub(crate) finder: Finder,
    /// The items that may refer to it, if they are known and need not be looked for, each with the
    /// cause that named it.
    pub(crate) referrers: Option<Vec<(Key<'static>, Cause<'h>)>>,
    /// What is done about those items.
    pub(crate) action: OnDelete,
    /// How many levels the item is below the first delete of its cascade.
    pub(crate) depth: u64,
    /// The item before the delete, if that is known.
    pub(crate) image: Option<&'h Item<'h>>,
    pub(crate) cause: Cause<'h>,
}

impl<'h> DeletedTarget<'h> {
    /// The causes that lead to this work. If it fails, all of them must be tried again.
    pub(crate) fn causes(&self) -> Vec<Cause<'h>> {
        match &self.referrers {
            Some(referrers) => referrers.iter().map(|(_, cause)| *cause).collect(),
            None => vec![self.cause],
        }
    }

    /// The cause that named a referencing item.
    pub(crate) fn cause_of(&self, key: &Key<'_>) -> Cause<'h> {
        let mut referrers = self.referrers.iter().flatten();
        referrers.find(|(known, _)| known == key).map_or(self.cause, |(_, cause)| *cause)
    }
}

/// Returns the item if it was deleted or no longer belongs to the entity.
pub(super) fn deleted<'h>(seen: &Seen<'_, 'h>, rule: ReferenceId) -> Option<DeletedTarget<'h>> {
    if is_there_after(seen, &seen.history.last) {
        return None;
    }
    let mut steps = seen.history.steps().rev();
    let step = steps.find(|step| was_there_before(seen, step) && !is_there_after(seen, step))?;
    let reference = &seen.rules[rule];
    let action = action(reference, step.origin);
    if action == OnDelete::Ignore {
        return None;
    }
    let image = step.change.before.as_ref();
    let mark = image.and_then(|image| CascadeMark::of(image, &reference.name));
    Some(DeletedTarget {
        finder: finder(seen.rules, rule, seen.captures)?,
        referrers: None,
        action,
        depth: mark.map_or(0, |mark| mark.depth),
        image,
        cause: seen.cause(step),
    })
}

/// Returns the keys of an index that the item had and no longer has. Another item may still have
/// them: only a query of the index shows whether an item that others refer to is gone.
pub(super) fn removed_from<'h>(
    seen: &Seen<'_, 'h>,
    rule: ReferenceId,
    view: &View,
) -> Vec<DeletedTarget<'h>> {
    let key_after = |step: &StreamChange<'_>| {
        let image = step.change.after.as_ref().filter(|_| is_there_after(seen, step))?;
        view.key_of(image)
    };
    let last = key_after(&seen.history.last);
    let mut removed: Vec<DeletedTarget<'h>> = Vec::new();
    for step in seen.history.steps().rev() {
        let image = step.change.before.as_ref().filter(|_| was_there_before(seen, step));
        let Some(key) = image.and_then(|image| view.key_of(image)) else { continue };
        let is_kept = Some(&key) == key_after(step).as_ref() || Some(&key) == last.as_ref();
        let action = action(&seen.rules[rule], step.origin);
        if is_kept || action == OnDelete::Ignore || removed.iter().any(|it| it.finder.target == key)
        {
            continue;
        }
        let captures = view.entity.key.parse(&key);
        let finder = captures.and_then(|captures| finder(seen.rules, rule, &captures));
        removed.extend(finder.map(|finder| DeletedTarget {
            finder,
            referrers: None,
            action,
            depth: 0,
            image,
            cause: seen.cause(step),
        }));
    }
    removed
}

/// Whether an item of the entity was there after a change, and counted as existing.
fn is_there_after(seen: &Seen<'_, '_>, step: &StreamChange<'_>) -> bool {
    is_there(seen, step.change.after.as_ref(), step.created_ms)
}

/// Whether an item of the entity was there before a change.
///
/// An item whose time is over has stopped to exist without a record. Its delete is the first record
/// that says so, and other changes of it say nothing new.
fn was_there_before(seen: &Seen<'_, '_>, step: &StreamChange<'_>) -> bool {
    let stays = seen.admitted(step.change.after.as_ref()).is_some();
    let at_ms = step.created_ms.filter(|_| stays);
    is_there(seen, step.change.before.as_ref(), at_ms)
}

/// Whether an image is an item of the entity that counts as existing at this time; at any time, if
/// that is `None`.
fn is_there(seen: &Seen<'_, '_>, image: Option<&Item<'_>>, at_ms: Option<i64>) -> bool {
    let image = seen.admitted(image);
    image.is_some_and(|image| at_ms.is_none_or(|at_ms| seen.entity.is_current(image, at_ms)))
}

/// The action for a delete of this origin.
pub(crate) const fn action(reference: &Reference, origin: Origin) -> OnDelete {
    match origin {
        Origin::Client => reference.on_delete,
        Origin::Ttl => reference.on_ttl_delete,
    }
}

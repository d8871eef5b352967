//! Items that a cascade has marked for deletion.

use std::collections::BTreeSet;

use super::Seen;
use crate::data::{Item, Key, into_owned};
use crate::engine::event::change::Cause;
use crate::integrity::finding::ItemName;
use crate::integrity::reference::own_keys;
use crate::integrity::repair::CascadeMark;
use crate::rules::model::{Reference, ReferenceId};

/// An item that a cascade has marked for deletion.
#[derive(Debug)]
pub(crate) struct MarkedItem<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) mark: CascadeMark,
    pub(crate) item: ItemName,
    pub(crate) image: Item<'static>,
    /// The keys that it referred to when it was marked, and still refers to.
    pub(crate) targets: Vec<Key<'static>>,
    pub(crate) cause: Cause<'h>,
}

/// Returns the item if a cascade of this rule has marked it.
pub(super) fn marked<'h>(seen: &Seen<'_, 'h>, rule: ReferenceId) -> Option<MarkedItem<'h>> {
    let reference = &seen.rules[rule];
    let last = &seen.history.last.change;
    let image = last.after.as_ref().filter(|_| reference.is_recursive())?;
    // A later full overwrite drops the mark but does not cancel the delete. An item that was
    // deleted and written again was never marked.
    let steps = seen.history.steps().rev();
    let mut since_delete = steps.map_while(|step| Some((step, step.change.after.as_ref()?)));
    let (step, marked, mark) = since_delete
        .find_map(|(step, image)| Some((step, image, CascadeMark::of(image, &reference.name)?)))?;
    let (then, now) = (targets(seen, reference, marked), targets(seen, reference, image));
    // The mark is that of another alternative of the rule.
    if then.is_empty() && reference.alternative.count > 1 {
        return None;
    }
    Some(MarkedItem {
        rule,
        mark,
        item: ItemName { table: last.table, key: last.key.clone().into_owned() },
        image: into_owned(image.clone()),
        targets: then.intersection(&now).cloned().collect(),
        cause: seen.cause(step),
    })
}

/// The keys that an image refers to.
fn targets(seen: &Seen<'_, '_>, reference: &Reference, image: &Item<'_>) -> BTreeSet<Key<'static>> {
    let Some(image) = seen.admitted(Some(image)) else { return BTreeSet::new() };
    own_keys(seen.rules, reference, &seen.history.last.change.key, image)
}

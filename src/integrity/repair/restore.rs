//! Restoring a deleted item that others still refer to.

use super::conditions::still_refers;
use crate::data::{Item, Key, into_owned};
use crate::integrity::mark::MARK;
use crate::integrity::presence::nothing_is_there;
use crate::integrity::reference::grounds;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::{Action, Write};

/// Returns a transaction that restores a deleted item on condition that nothing is at its key and
/// this item still refers to it; `None` if this item does not refer to it.
pub(crate) fn restore(
    rules: &Rules,
    rule: ReferenceId,
    image: &Item<'_>,
    target: &Key<'_>,
    (key, item): (&Key<'_>, &Item<'_>),
) -> Option<Vec<Write>> {
    let reference = &rules[rule];
    let from = &rules[reference.from];
    let captures = from.key.parse(key).filter(|_| from.admits(item))?;
    let grounds = grounds(rules, reference, &captures, item, target)?;
    let mut image = into_owned(image.clone());
    image.remove(MARK);
    let put = Write {
        table: rules.table_of(reference.to).name.clone(),
        action: Action::Put(image),
        condition: Some(nothing_is_there(rules, reference.to)),
    };
    let check = Write {
        table: rules.table_of(reference.from).name.clone(),
        action: Action::Check(rules.key_schema(reference.from).item_of(key)),
        condition: Some(still_refers(rules, reference.from, &grounds)),
    };
    Some(vec![put, check])
}

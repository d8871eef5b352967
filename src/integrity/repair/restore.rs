//! Writing a deleted item again, since others refer to it.

use super::conditions::still_refers;
use crate::data::{Item, Key, into_owned};
use crate::integrity::index::MARK;
use crate::integrity::presence::nothing_is_there;
use crate::integrity::reference::grounds;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::{Action, Write};

/// The writes that bring a deleted item back: it is put if nothing is in its place, while this item
/// refers to it. Nothing if this item does not.
pub(crate) fn restore(
    rules: &Rules,
    rule: ReferenceId,
    image: &Item<'_>,
    target: &Key<'_>,
    (key, item): (&Key<'_>, &Item<'_>),
) -> Option<Vec<Write>> {
    let reference = &rules[rule];
    let (from, to) = (&rules[reference.from], &rules[reference.to]);
    let captures = from.key.parse(key).filter(|_| from.admits(item))?;
    let grounds = grounds(rules, reference, &captures, item, target)?;
    let mut image = into_owned(image.clone());
    image.remove(MARK);
    let put = Write {
        table: rules[to.table].name.clone(),
        action: Action::Put(image),
        condition: Some(nothing_is_there(rules, reference.to)),
    };
    let check = Write {
        table: rules[from.table].name.clone(),
        action: Action::Check(rules.key_schema(reference.from).item_of(key)),
        condition: Some(still_refers(rules, reference.from, &grounds)),
    };
    Some(vec![put, check])
}

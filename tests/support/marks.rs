//! What the mark of a mirror tells besides whose it is.

use referee::data::{Item, Value};
use referee::integrity::mark::MARK;

/// Takes out of an item's mark what tells which records its mirror was written for: of several,
/// each will do.
pub(crate) fn forget_records(item: &mut Item<'_>) {
    if let Some(Value::M(mark)) = item.get_mut(MARK) {
        mark.remove("fence");
        mark.remove("fix");
    }
}

//! What happened to an item, wherever that is known from.

use crate::data::{Item, Key};
use crate::rules::model::TableId;

/// One change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The item's table.
    pub table: TableId,
    /// The item's key.
    pub key: Key<'a>,
    /// The item before the change, as far as the rules look at it; `None` if there was none.
    pub before: Option<Item<'a>>,
    /// The item after the change; `None` if it was deleted.
    pub after: Option<Item<'a>>,
}

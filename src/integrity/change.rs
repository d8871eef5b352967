//! A change of an item, from a stream or elsewhere.

use crate::data::{Item, Key};
use crate::rules::model::TableId;

/// One change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The item's table.
    pub table: TableId,
    /// The item's key.
    pub key: Key<'a>,
    /// The item before the change; `None` if it did not exist. Attributes that no rule looks at may
    /// be missing.
    pub before: Option<Item<'a>>,
    /// The item after the change; `None` if it was deleted. Here too, attributes that no rule looks
    /// at may be missing.
    pub after: Option<Item<'a>>,
}

//! What DynamoDB bills for a request.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use super::table::Index;
use crate::data::{Item, item_bytes};
use crate::store::Units;
use crate::store::schema::IndexSchema;

/// What one read unit reads.
const READ_UNIT_BYTES: usize = 4 * 1024;
/// What one write unit writes.
const WRITE_UNIT_BYTES: usize = 1024;

/// What was asked of a store, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// The requests that were sent, answered or not.
    pub requests: u64,
    /// The capacity units they consumed.
    pub units: Units,
}

/// A strongly consistent read of this many bytes; one of nothing costs a unit too.
pub(super) fn strong_read(bytes: usize) -> Units {
    Units { read: whole(bytes, READ_UNIT_BYTES), write: 0.0 }
}

/// An eventually consistent read of this many bytes, at half the price.
pub(super) fn eventual_read(bytes: usize) -> Units {
    Units { read: whole(bytes, READ_UNIT_BYTES) / 2.0, write: 0.0 }
}

/// The write units of a change in a table: by the larger of the two images, one at least.
pub(super) fn table_write(old: Option<&Item<'_>>, new: Option<&Item<'_>>) -> f64 {
    whole(larger_bytes(old, new), WRITE_UNIT_BYTES)
}

/// The write units of a change in a table's indexes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes>
pub(super) fn index_writes(
    indexes: &[Index],
    old: Option<&Item<'_>>,
    new: Option<&Item<'_>>,
) -> f64 {
    indexes.iter().map(|index| index_write(&index.schema, old, new)).sum()
}

/// The size of the larger of two images.
fn larger_bytes(old: Option<&Item<'_>>, new: Option<&Item<'_>>) -> usize {
    let bytes = |image: Option<&Item<'_>>| image.map_or(0, item_bytes);
    bytes(old).max(bytes(new))
}

/// A new entry is a write and so is a removed one; one that moves is both, and one that stays in
/// its place is written only if the item changed.
fn index_write(index: &IndexSchema, old: Option<&Item<'_>>, new: Option<&Item<'_>>) -> f64 {
    match (index.entry_of(old), index.entry_of(new)) {
        (None, None) => 0.0,
        (None, Some(_)) => table_write(None, new),
        (Some(_), None) => table_write(old, None),
        (Some(from), Some(to)) if from != to => table_write(old, None) + table_write(None, new),
        (Some(_), Some(_)) if old == new => 0.0,
        (Some(_), Some(_)) => table_write(old, new),
    }
}

/// Whole units, one at least.
fn whole(bytes: usize, unit_bytes: usize) -> f64 {
    let units = bytes.div_ceil(unit_bytes).max(1);
    // Whatever a request may read or write is far below what a `u32` holds.
    u32::try_from(units).map_or(f64::INFINITY, f64::from)
}

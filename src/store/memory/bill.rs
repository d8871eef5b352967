//! The capacity units that DynamoDB bills for a request.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use super::table::Index;
use crate::data::{Item, item_bytes};
use crate::store::Units;
use crate::store::schema::IndexSchema;

/// The bytes that one read unit covers.
const READ_UNIT_BYTES: usize = 4 * 1024;
/// The bytes that one write unit covers.
const WRITE_UNIT_BYTES: usize = 1024;

/// The number of requests to a store and their cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// The requests, answered or not.
    pub requests: u64,
    /// The capacity units they consumed.
    pub units: Units,
}

/// The cost of a strongly consistent read of this many bytes; a read of nothing costs one unit.
pub(super) fn strong_read(bytes: usize) -> Units {
    Units { read: whole(bytes, READ_UNIT_BYTES), write: 0.0 }
}

/// The cost of an eventually consistent read of this many bytes: half as much.
pub(super) fn eventual_read(bytes: usize) -> Units {
    Units { read: whole(bytes, READ_UNIT_BYTES) / 2.0, write: 0.0 }
}

/// The write units of a change in a table, at least one. The larger of the two images counts.
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

/// Adding or removing an entry costs a write, and changing an entry's key costs two. An entry whose
/// key stays the same costs a write only if the item changed.
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

/// Rounds up to whole units, at least one.
fn whole(bytes: usize, unit_bytes: usize) -> f64 {
    let units = bytes.div_ceil(unit_bytes).max(1);
    // No request reads or writes so much that the units would exceed a `u32`.
    u32::try_from(units).map_or(f64::INFINITY, f64::from)
}

//! Scans, in segments.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::State;
use super::bill;
use super::invalid::Invalid;
use super::read::{PAGE_BYTES, keep, project, projection};
use super::table::Table;
use crate::data::{Key, KeyValue, item_bytes};
use crate::store::scan::{SEGMENTS_MAX, Scan};
use crate::store::{Answer, Page, StoreError};

impl State {
    pub(super) fn scan(&mut self, scan: &Scan) -> Result<Answer<Page>, StoreError> {
        let table = self.table(&scan.table)?;
        check(scan)?;
        let start = start(table, scan)?;
        let (page, bytes) = page(table, scan, start.as_ref());
        let units =
            if scan.is_consistent { bill::strong_read(bytes) } else { bill::eventual_read(bytes) };
        self.usage.units += units;
        Ok(Answer { value: page, units })
    }
}

/// Validates a request, independently of the table.
fn check(scan: &Scan) -> Result<(), Invalid> {
    projection(scan.attributes.as_deref())?;
    let at_least_one = |name: &str| {
        Err(Invalid(format!(
            "1 validation error detected: Value '0' at '{name}' failed to satisfy constraint: \
             Member must have value greater than or equal to 1"
        )))
    };
    if scan.segments == 0 {
        return at_least_one("totalSegments");
    }
    if scan.segments > SEGMENTS_MAX {
        return Err(Invalid(format!(
            "1 validation error detected: Value '{}' at 'totalSegments' failed to satisfy \
             constraint: Member must have value less than or equal to {SEGMENTS_MAX}",
            scan.segments
        )));
    }
    if scan.segment >= scan.segments {
        let Scan { segment, segments, .. } = scan;
        return Err(Invalid(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: {segment} is not less than TotalSegments: {segments}"
        )));
    }
    if scan.limit == Some(0) { at_least_one("limit") } else { Ok(()) }
}

/// The key after which the page begins. An item with this key need not exist.
fn start(table: &Table, scan: &Scan) -> Result<Option<Key<'static>>, Invalid> {
    let Some(start) = &scan.start else { return Ok(None) };
    let mismatch = || {
        let message = "The provided starting key is invalid: The provided key element does not \
                       match the schema";
        Invalid(message.to_owned())
    };
    if start.len() != table.key.names().count() {
        return Err(mismatch());
    }
    let key = table.key.key_of(start).map_err(|_| mismatch())?.into_owned();
    let Scan { segment, segments, .. } = scan;
    if segment_of(&key.partition, *segments) != *segment {
        return Err(Invalid(format!(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use \
             ExclusiveStartKey with correct Segment. TotalSegments: {segments} Segment: {segment}"
        )));
    }
    Ok(Some(key))
}

/// One page, and the bytes read for it.
fn page(table: &Table, scan: &Scan, start: Option<&Key<'static>>) -> (Page, usize) {
    let mut entries = table
        .entries_after(start)
        .filter(|(key, _)| segment_of(&key.partition, scan.segments) == scan.segment)
        .peekable();
    let limit = scan.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut page = Page::default();
    let mut bytes = 0;
    while let Some((_, item)) = entries.next() {
        bytes += item_bytes(item);
        page.items.push(project(item, scan.attributes.as_deref()));
        let is_full = bytes >= PAGE_BYTES && entries.peek().is_some();
        if is_full || limit == Some(page.items.len()) {
            page.next = Some(keep(item, |name| table.key.names().any(|key| key == name)));
            break;
        }
    }
    (page, bytes)
}

/// The segment of a partition. As in DynamoDB, a hash decides, and a partition is never divided.
fn segment_of(partition: &KeyValue<'_>, segments: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    partition.hash(&mut hasher);
    let segment = hasher.finish() % u64::from(segments.max(1));
    u32::try_from(segment).unwrap_or_default()
}

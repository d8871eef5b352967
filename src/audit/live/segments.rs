//! The segments of a scan, and how far each of them is.

use serde::{Deserialize, Serialize};

use crate::data::Item;

/// How much data a segment has, if the number of segments is not given, in bytes. A segment is read
/// page by page, so that smaller ones allow more requests at the same time.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// The fewest and the most segments of a table, if the number is not given. A described size may be
/// hours old, so even an empty table has several; each costs at least half a read unit.
const SEGMENTS_MIN: u64 = 8;
const SEGMENTS_DEFAULT_MAX: u64 = 512;

/// The number of segments for a table of this size.
#[must_use]
pub fn segments_for(bytes: u64) -> u32 {
    let segments = bytes.div_ceil(SEGMENT_BYTES).clamp(SEGMENTS_MIN, SEGMENTS_DEFAULT_MAX);
    u32::try_from(segments).unwrap_or(u32::MAX)
}

/// A table and its segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableScan {
    /// The table's name.
    pub table: String,
    /// Its segments.
    pub segments: Vec<Segment>,
}

/// How far a segment is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// What is next.
    pub at: At,
    /// The pages read so far.
    pub pages: u64,
    /// The items read so far.
    pub items: u64,
    /// The read units consumed so far.
    pub units: f64,
}

/// What is next in a segment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// Its first page.
    #[default]
    Start,
    /// The page that begins after this key.
    After(#[serde(deserialize_with = "key")] Item<'static>),
    /// Nothing: every page was read.
    End,
}

impl TableScan {
    /// A table that was not read yet.
    #[must_use]
    pub fn new(table: String, segments: u32) -> Self {
        let segments = (0..segments).map(|_| Segment::default()).collect();
        Self { table, segments }
    }

    /// Whether every page was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.segments.iter().all(|segment| segment.at == At::End)
    }
}

/// The sums over all segments.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// The pages.
    pub pages: u64,
    /// The items.
    pub items: u64,
    /// The read units.
    pub units: f64,
    /// The segments that were read to the end.
    pub segments_done: usize,
    /// All segments.
    pub segments: usize,
}

impl Totals {
    /// The sums over the segments of these tables.
    #[must_use]
    pub fn of(tables: &[TableScan]) -> Self {
        let mut totals = Self::default();
        for segment in tables.iter().flat_map(|table| &table.segments) {
            totals.pages += segment.pages;
            totals.items += segment.items;
            totals.units += segment.units;
            totals.segments += 1;
            totals.segments_done += usize::from(segment.at == At::End);
        }
        totals
    }
}

/// Reads a key in DynamoDB's JSON.
fn key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Item<'static>, D::Error> {
    let json: Box<serde_json::value::RawValue> = Deserialize::deserialize(deserializer)?;
    let item: crate::data::JsonItem<'_> =
        serde_json::from_str(json.get()).map_err(serde::de::Error::custom)?;
    Ok(crate::data::into_owned(item.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_tables_have_more_segments() {
        let gb = 1024 * 1024 * 1024;
        assert_eq!([0, gb, 10 * gb, 1_000 * gb].map(segments_for), [8, 16, 160, 512]);
    }
}

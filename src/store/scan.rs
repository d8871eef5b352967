//! Scans: every item of a table, page by page, in parallel segments.

use std::future::Future;

use super::{Answer, Page, StoreError};
use crate::data::Item;

/// The maximum number of segments of one parallel scan.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>
pub const SEGMENTS_MAX: u32 = 1_000_000;

/// A database whose tables can be scanned.
///
/// It is separate from [`Store`](super::Store) because only audits scan.
pub trait Scanner {
    /// Reads one page of a segment. Every item that exists during the whole scan is on exactly one
    /// page of exactly one segment. An item that is written meanwhile may be missing, or be there
    /// as it was before.
    ///
    /// Implementations retry throttled requests themselves. They return an error only after these
    /// retries.
    fn scan(&self, scan: Scan) -> impl Future<Output = Result<Answer<Page>, StoreError>>;
}

/// One page of a segment to read.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The table's name.
    pub table: String,
    /// The segment, from zero.
    pub segment: u32,
    /// The number of segments, at most [`SEGMENTS_MAX`]. It must be the same on every page, because
    /// it decides which items belong to a segment.
    pub segments: u32,
    /// The top-level attributes to return; all if absent. The cost does not depend on them.
    pub attributes: Option<Vec<String>>,
    /// The maximum number of items on this page. A page also ends once it has 1 MB.
    pub limit: Option<u32>,
    /// Whether the read is strongly consistent, at twice the cost.
    pub is_consistent: bool,
    /// Where the page begins: [`Page::next`] of the segment's previous page.
    pub start: Option<Item<'static>>,
}

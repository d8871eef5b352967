//! Reads every item of the tables: many segments at the same time, page by page.
//!
//! It works over any [`Scanner`] and [`Clock`]. What was read goes to a [`Sink`], which also saves
//! how far the segments are, so that a scan that was interrupted can go on.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::Interrupted;
use super::rate::Limiter;
use super::segments::{At, Segment, TableScan};
use super::width::Width;
use crate::data::Item;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::scan::{Scan, Scanner};
use crate::store::{Answer, Page, StoreError};

/// How often the progress is saved, in milliseconds.
const SAVE_MS: i64 = 5_000;
/// The waits after a page failed although its request was retried, in milliseconds. If the page
/// fails after the last of them, the scan ends. They are long, because a scan of hours should
/// survive minutes in which a table is throttled.
const PAUSES_MS: [i64; 7] = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 60_000];
/// The maximum number of items of a page. A page of 1 MB has fewer items, unless they are tiny, so
/// that it costs nothing; but without a limit, DynamoDB Local reads the rest of the table for each
/// page, and takes minutes for a page of a large table.
const PAGE_ITEMS_MAX: u32 = 10_000;
/// The read units of a full page of 1 MB, the estimate for the first page.
const PAGE_UNITS: f64 = 128.0;
/// How many seconds of the limit one page may consume. Otherwise, a low limit would be exceeded
/// by each page, and kept only on average.
const PAGE_S_MAX: f64 = 1.0;

/// Where the pages of a scan go.
pub trait Sink {
    /// An error of the sink, such as a full disk.
    type Error;

    /// Takes the items of a page of a segment of a table. The table is an index.
    fn page(
        &mut self,
        table: usize,
        segment: u32,
        items: Vec<Item<'static>>,
    ) -> Result<(), Self::Error>;

    /// Saves how far the segments are. It is called from time to time, and at the end in any case,
    /// with exactly those pages counted that the sink has taken.
    fn save(&mut self, tables: &[TableScan]) -> Result<(), Self::Error>;

    /// Shows how far the segments are. It is called after each page.
    fn show(&mut self, _tables: &[TableScan]) {}
}

/// How to scan.
#[derive(Debug)]
pub struct Options<'o> {
    /// For each table, the top-level attributes to read; all if absent.
    pub attributes: &'o [Option<Vec<String>>],
    /// The maximum number of segments that are read at the same time.
    pub width_max: u32,
    /// The limit on read units.
    pub limiter: &'o Limiter,
    /// Ends the scan after the pages in flight. An error sets it, too.
    pub stop: &'o Stop,
}

/// Reads all pages that are left in these tables. Every page that was read is in the sink and
/// counted in its segment, also if the scan is interrupted.
pub async fn scan<S: Scanner, C: Clock, K: Sink>(
    scanner: &S,
    clock: &C,
    options: &Options<'_>,
    tables: &mut [TableScan],
    sink: &mut K,
) -> Result<(), Interrupted<K::Error>> {
    let width = RefCell::new(Width::new(options.width_max, clock.now_ms()));
    let sizes: Vec<_> = tables.iter().map(|_| RefCell::new(PageSize::default())).collect();
    let reader = Reader { scanner, clock, options, width: &width };
    let mut waiting = unread(tables);
    let mut reading = FuturesUnordered::new();
    let mut saved_ms = clock.now_ms();
    let mut interrupted = None;
    loop {
        while interrupted.is_none()
            && !options.stop.is_set()
            && reading.len() < usize::try_from(width.borrow().now()).unwrap_or(usize::MAX)
            && let Some(place) = waiting.pop_front()
        {
            if let (Some(request), Some(size)) =
                (place.request(tables, options), sizes.get(place.table))
            {
                let reader = &reader;
                reading.push(async move { (place, reader.read(request, size).await) });
            }
        }
        let Some((place, read)) = reading.next().await else { break };
        match read {
            Ok(Some(answer)) => {
                width.borrow_mut().page(answer.units.read, clock.now_ms());
                if let Err(error) = place.take(answer, tables, sink) {
                    interrupted = Some(Interrupted::Sink(error));
                    continue;
                }
                sink.show(tables);
                if !place.is_done(tables) {
                    // The segment goes on at once: fewer segments are begun, and more are done.
                    waiting.push_front(place);
                }
            }
            // It was not read because of a stop.
            Ok(None) => {}
            Err(error) => interrupted = interrupted.or(Some(Interrupted::Store(error))),
        }
        if interrupted.is_some() {
            // Other segments must not wait for a table that was deleted.
            options.stop.set();
        }
        let since_ms = clock.now_ms().saturating_sub(saved_ms);
        let is_due = !(0..SAVE_MS).contains(&since_ms);
        if is_due && interrupted.is_none() {
            interrupted = sink.save(tables).err().map(Interrupted::Sink);
            saved_ms = clock.now_ms();
        }
    }
    finish(interrupted, options.stop, tables, sink)
}

/// Saves the progress and says why the scan ended. After an error of the sink, nothing is saved:
/// the progress may count a page that is not stored.
fn finish<K: Sink>(
    interrupted: Option<Interrupted<K::Error>>,
    stop: &Stop,
    tables: &[TableScan],
    sink: &mut K,
) -> Result<(), Interrupted<K::Error>> {
    if let Some(Interrupted::Sink(error)) = interrupted {
        return Err(Interrupted::Sink(error));
    }
    sink.save(tables).map_err(Interrupted::Sink)?;
    match interrupted {
        Some(interrupted) => Err(interrupted),
        None if tables.iter().all(TableScan::is_done) => Ok(()),
        None => {
            debug_assert!(stop.is_set(), "a scan ends early only if it is stopped");
            Err(Interrupted::Stopped)
        }
    }
}

/// A segment of a table.
#[derive(Debug, Clone, Copy)]
struct Place {
    table: usize,
    segment: u32,
}

/// The segments that have unread pages. Those that were begun come first.
fn unread(tables: &[TableScan]) -> VecDeque<Place> {
    let mut places = VecDeque::new();
    for (table, scan) in tables.iter().enumerate() {
        for (segment, Segment { at, .. }) in (0..).zip(&scan.segments) {
            let place = Place { table, segment };
            match at {
                At::Start => places.push_back(place),
                At::After(_) => places.push_front(place),
                At::End => {}
            }
        }
    }
    places
}

impl Place {
    fn segment<'t>(&self, tables: &'t [TableScan]) -> Option<&'t Segment> {
        tables.get(self.table)?.segments.get(usize::try_from(self.segment).ok()?)
    }

    /// The request for the segment's next page.
    fn request(&self, tables: &[TableScan], options: &Options<'_>) -> Option<Scan> {
        let table = tables.get(self.table)?;
        let start = match &self.segment(tables)?.at {
            At::Start => None,
            At::After(key) => Some(key.clone()),
            At::End => return None,
        };
        Some(Scan {
            table: table.table.clone(),
            segment: self.segment,
            segments: u32::try_from(table.segments.len()).ok()?,
            attributes: options.attributes.get(self.table).cloned().flatten(),
            limit: None,
            is_consistent: false,
            start,
        })
    }

    fn is_done(&self, tables: &[TableScan]) -> bool {
        self.segment(tables).is_none_or(|segment| segment.at == At::End)
    }

    /// Gives a page to the sink, and counts it.
    fn take<K: Sink>(
        &self,
        Answer { value: Page { items, next }, units }: Answer<Page>,
        tables: &mut [TableScan],
        sink: &mut K,
    ) -> Result<(), K::Error> {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        sink.page(self.table, self.segment, items)?;
        let position = usize::try_from(self.segment).unwrap_or(usize::MAX);
        let table = tables.get_mut(self.table);
        if let Some(segment) = table.and_then(|table| table.segments.get_mut(position)) {
            segment.at = next.map_or(At::End, At::After);
            segment.pages += 1;
            segment.items += count;
            segment.units += units.read;
        }
        Ok(())
    }
}

/// Reads single pages.
struct Reader<'r, S, C> {
    scanner: &'r S,
    clock: &'r C,
    options: &'r Options<'r>,
    width: &'r RefCell<Width>,
}

impl<S: Scanner, C: Clock> Reader<'_, S, C> {
    /// Reads one page, when the limit allows it. `None` if it was not read because of a stop.
    async fn read(
        &self,
        mut scan: Scan,
        size: &RefCell<PageSize>,
    ) -> Result<Option<Answer<Page>>, StoreError> {
        let Options { limiter, stop, .. } = self.options;
        let mut waits_ms = PAUSES_MS.into_iter();
        loop {
            let limit =
                limiter.units_per_second().map(|rate| size.borrow().items_in(rate * PAGE_S_MAX));
            let estimate = limit.map_or(PAGE_UNITS, |limit| size.borrow().units_of(limit));
            scan.limit = Some(limit.map_or(PAGE_ITEMS_MAX, |limit| limit.min(PAGE_ITEMS_MAX)));
            if !limiter.admit(estimate, self.clock, stop).await {
                return Ok(None);
            }
            match self.scanner.scan(scan.clone()).await {
                Ok(answer) => {
                    limiter.settle(estimate, answer.units.read);
                    size.borrow_mut().add(&answer);
                    return Ok(Some(answer));
                }
                Err(error @ (StoreError::Retry(_) | StoreError::Throttled(_))) => {
                    // Whether a failed request consumed anything is not known. The estimate stands.
                    self.width.borrow_mut().failed();
                    let Some(pause_ms) = waits_ms.next() else {
                        return Err(error);
                    };
                    if !stop.wait_ms(self.clock, pause_ms).await {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The size of a table's items, as far as they were read.
#[derive(Debug, Default)]
struct PageSize {
    items: f64,
    units: f64,
}

/// The number of items on the first page, and the most on any page, if there is a limit. The first
/// page of a segment is read before anything is known about the size of its items.
const ITEMS_FIRST: f64 = 25.0;
const ITEMS_MAX: f64 = 1_000_000.0;

impl PageSize {
    fn add(&mut self, answer: &Answer<Page>) {
        #[expect(clippy::cast_precision_loss, reason = "a page has at most a million items")]
        let items = answer.value.items.len() as f64;
        self.items += items;
        self.units += answer.units.read;
    }

    /// How many items have about this many units; at least one.
    fn items_in(&self, units: f64) -> u32 {
        let items = if self.items > 0.0 { self.items * units / self.units } else { ITEMS_FIRST };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is clamped"
        )]
        let items = items.clamp(1.0, ITEMS_MAX) as u32;
        items
    }

    /// How many units this many items have, at most those of a full page.
    fn units_of(&self, items: u32) -> f64 {
        let units = if self.items > 0.0 { f64::from(items) * self.units / self.items } else { 0.0 };
        units.clamp(0.5, PAGE_UNITS)
    }
}

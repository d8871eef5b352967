//! The scan loop.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::FutureExt as _;

use super::{Jumping, Unsteady, item, retry, store, strings};
use crate::audit::live::Interrupted;
use crate::audit::live::rate::Limiter;
use crate::audit::live::scan::{Options, Sink, scan};
use crate::audit::live::segments::{TableScan, Totals};
use crate::data::Item;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::memory::{CallKind, Fault};
use crate::store::{Memory, StoreError};

const SEGMENTS: u32 = 5;

/// Two tables, one with this many items of about 20 KB each.
fn tables_with(items: usize) -> Rc<Memory> {
    let text = format!("x={}", "x".repeat(20_000));
    let memory = store((0..items).map(|n| strings(&format!("p{}/{n}", n % 97), &[&text])));
    for number in 0..items / 10 {
        memory.seed("log", item(&format!(r#"{{"id": {{"S": "{number}"}}}}"#))).unwrap();
    }
    memory
}

fn unread() -> Vec<TableScan> {
    ["app", "log"].map(|table| TableScan::new(table.to_owned(), SEGMENTS)).to_vec()
}

/// A sink that forgets after a crash what was not saved.
#[derive(Default)]
struct Pages {
    taken: Vec<Item<'static>>,
    /// The progress and the number of items at the last save.
    saved: Option<(Vec<TableScan>, usize)>,
    /// Stops or fails once it has this many items.
    stop_at: Option<(usize, Rc<Stop>)>,
    fail_at: Option<usize>,
}

impl Sink for Pages {
    type Error = &'static str;

    fn page(
        &mut self,
        _: usize,
        segment: u32,
        items: Vec<Item<'static>>,
    ) -> Result<(), &'static str> {
        assert!(segment < SEGMENTS);
        self.taken.extend(items);
        if self.fail_at.is_some_and(|at| self.taken.len() >= at) {
            return Err("the disk is full");
        }
        if let Some((at, stop)) = &self.stop_at
            && self.taken.len() >= *at
        {
            stop.set();
        }
        Ok(())
    }

    fn save(&mut self, tables: &[TableScan]) -> Result<(), &'static str> {
        let counted: u64 = Totals::of(tables).items;
        assert_eq!(u64::try_from(self.taken.len()), Ok(counted), "a page is not counted");
        self.saved = Some((tables.to_vec(), self.taken.len()));
        Ok(())
    }
}

impl Pages {
    /// What is left after a crash: the pages and the progress of the last save.
    fn recover(&mut self) -> Vec<TableScan> {
        let (tables, length) = self.saved.clone().unwrap_or_else(|| (unread(), 0));
        self.taken.truncate(length);
        tables
    }

    fn assert_complete(&self, memory: &Memory) {
        let sorted = |mut items: Vec<Item<'static>>| {
            items.sort_by_key(|item| format!("{item:?}"));
            items
        };
        let all: Vec<_> = memory.dump().into_values().flatten().collect();
        assert!(sorted(self.taken.clone()) == sorted(all), "not every item exactly once");
    }
}

/// Runs a scan; `None` if it never ends, as after a crash.
fn run(
    memory: &Memory,
    clock: &impl Clock,
    rate: Option<f64>,
    stop: &Stop,
    tables: &mut [TableScan],
    pages: &mut Pages,
) -> Option<Result<(), Interrupted<&'static str>>> {
    let limiter = Limiter::new(rate, clock);
    let options = Options { attributes: &[None, None], width_max: 4, limiter: &limiter, stop };
    scan(memory, clock, &options, tables, pages).now_or_never()
}

/// Runs a scan of all tables on a steady clock, without a limit.
fn run_plainly(
    memory: &Memory,
    tables: &mut [TableScan],
    pages: &mut Pages,
) -> Option<Result<(), Interrupted<&'static str>>> {
    run(memory, &Jumping::default(), None, &Stop::default(), tables, pages)
}

#[test]
fn every_item_is_read_once() {
    for items in [0, 1, 600] {
        let (memory, mut tables, mut pages) = (tables_with(items), unread(), Pages::default());
        assert_eq!(run_plainly(&memory, &mut tables, &mut pages), Some(Ok(())));
        pages.assert_complete(&memory);
        let totals = Totals::of(&tables);
        assert_eq!(totals.segments_done, 10);
        assert!((totals.units - memory.usage().units.read).abs() < f64::EPSILON);
        assert_eq!(pages.saved, Some((tables, pages.taken.len())));
    }
}

#[test]
fn only_the_requested_attributes_are_read() {
    let (memory, clock, stop) = (tables_with(100), Jumping::default(), Stop::default());
    let (limiter, mut pages) = (Limiter::new(None, &clock), Pages::default());
    let attributes = [Some(vec!["pk".to_owned()]), None];
    let options = Options { attributes: &attributes, width_max: 4, limiter: &limiter, stop: &stop };
    let scanned = scan(&*memory, &clock, &options, &mut unread(), &mut pages).now_or_never();
    assert_eq!(scanned, Some(Ok(())));
    assert!(pages.taken.iter().all(|item| item.len() == 1));
}

/// Each page takes 10 ms.
#[test]
fn the_rate_is_kept() {
    for rate in [5.0, 50.0, 500.0] {
        let (memory, clock) = (tables_with(600), Jumping::default());
        let passing = clock.clone();
        memory.set_faults(Box::new(move |_| {
            passing.pass(10);
            Fault::None
        }));
        let (mut tables, mut pages) = (unread(), Pages::default());
        let stop = Stop::default();
        assert_eq!(run(&memory, &clock, Some(rate), &stop, &mut tables, &mut pages), Some(Ok(())));
        pages.assert_complete(&memory);
        #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
        let seconds = clock.now_ms() as f64 / 1_000.0;
        let units = memory.usage().units.read;
        assert!(units <= rate * (seconds + 2.0), "{units} units in {seconds} s at {rate}");
        assert!(seconds <= units / rate + 5.0, "{units} units took {seconds} s at {rate}");
    }
}

#[test]
fn a_stopped_scan_goes_on_where_it_ended() {
    let memory = tables_with(600);
    let (mut tables, mut pages) = (unread(), Pages::default());
    let mut runs = 0;
    loop {
        let stop = Rc::new(Stop::default());
        pages.stop_at = Some((pages.taken.len() + 60, Rc::clone(&stop)));
        let ended = run(&memory, &Jumping::default(), Some(100.0), &stop, &mut tables, &mut pages);
        runs += 1;
        if ended == Some(Ok(())) {
            break;
        }
        assert_eq!(ended, Some(Err(Interrupted::Stopped)));
        assert_eq!(pages.saved.as_ref().map(|(saved, _)| saved), Some(&tables));
    }
    assert!(runs > 5);
    pages.assert_complete(&memory);
}

#[test]
fn a_stop_ends_a_long_wait() {
    let (memory, clock, stop) = (tables_with(600), Jumping::default(), Stop::default());
    let stop = Rc::new(stop);
    let mut pages = Pages { stop_at: Some((1, Rc::clone(&stop))), ..Pages::default() };
    let ended = run(&memory, &clock, Some(0.001), &stop, &mut unread(), &mut pages);
    assert_eq!(ended, Some(Err(Interrupted::Stopped)));
    assert!(clock.now_ms() < 1_000_000, "{} ms", clock.now_ms());
}

/// Makes the requests with these numbers fail.
fn fail(memory: &Memory, fault: Fault, fails: impl Fn(u64) -> bool + 'static) {
    memory.set_faults(Box::new(move |call| {
        assert_eq!(call.kind, CallKind::Scan);
        if fails(call.number) { fault.clone() } else { Fault::None }
    }));
}

#[test]
fn throttled_pages_are_read_later() {
    let memory = tables_with(600);
    fail(&memory, Fault::Fail(retry()), |number| number % 3 != 0);
    let (mut tables, mut pages) = (unread(), Pages::default());
    assert_eq!(run_plainly(&memory, &mut tables, &mut pages), Some(Ok(())));
    pages.assert_complete(&memory);
}

#[test]
fn a_table_that_stays_throttled_ends_the_scan() {
    let memory = tables_with(600);
    fail(&memory, Fault::Fail(retry()), |number| number > 7);
    let (mut tables, mut pages, clock) = (unread(), Pages::default(), Jumping::default());
    let ended = run(&memory, &clock, None, &Stop::default(), &mut tables, &mut pages);
    assert_eq!(ended, Some(Err(Interrupted::Store(retry()))));
    assert!(clock.now_ms() >= 120_000, "{} ms", clock.now_ms());
    memory.clear_faults();
    assert_eq!(run_plainly(&memory, &mut tables, &mut pages), Some(Ok(())));
    pages.assert_complete(&memory);
}

/// Credentials expire or a table is deleted at any page: the scan ends at once, and can go on.
#[test]
fn an_error_at_any_page_loses_nothing() {
    let total = {
        let memory = tables_with(600);
        run_plainly(&memory, &mut unread(), &mut Pages::default()).unwrap().unwrap();
        memory.usage().requests
    };
    assert!(total > 10);
    for n in 1..=total {
        let memory = tables_with(600);
        let expired = StoreError::Fatal("ExpiredTokenException: expired\nhelp: renew".to_owned());
        fail(&memory, Fault::Fail(expired.clone()), move |number| number >= n);
        let (mut tables, mut pages) = (unread(), Pages::default());
        let ended = run_plainly(&memory, &mut tables, &mut pages);
        assert_eq!(ended, Some(Err(Interrupted::Store(expired))));
        assert!(memory.usage().requests <= n + 4, "requests after the error");
        memory.clear_faults();
        let mut tables = pages.recover();
        assert_eq!(run_plainly(&memory, &mut tables, &mut pages), Some(Ok(())));
        pages.assert_complete(&memory);
    }
}

#[test]
fn a_crash_at_any_page_loses_nothing() {
    for n in 1.. {
        let (memory, clock) = (tables_with(600), Jumping::default());
        let (passing, crashed) = (clock.clone(), Rc::new(Cell::new(false)));
        let crash = Rc::clone(&crashed);
        memory.set_faults(Box::new(move |call| {
            // The progress is saved every few pages.
            passing.pass(2_000);
            crash.set(crash.get() || call.number == n);
            if crash.get() { Fault::Crash { applied: true } } else { Fault::None }
        }));
        let (mut tables, mut pages) = (unread(), Pages::default());
        let ended = run(&memory, &clock, None, &Stop::default(), &mut tables, &mut pages);
        if !crashed.get() {
            assert_eq!(ended, Some(Ok(())));
            assert!(n > 10);
            return;
        }
        assert_eq!(ended, None);
        memory.clear_faults();
        let mut tables = pages.recover();
        assert_eq!(run_plainly(&memory, &mut tables, &mut pages), Some(Ok(())));
        pages.assert_complete(&memory);
    }
}

#[test]
fn a_sink_that_fails_ends_the_scan_without_saving() {
    let memory = tables_with(600);
    let mut pages = Pages { fail_at: Some(500), ..Pages::default() };
    let ended = run_plainly(&memory, &mut unread(), &mut pages);
    assert_eq!(ended, Some(Err(Interrupted::Sink("the disk is full"))));
    assert_eq!(pages.saved, None);
}

#[test]
fn a_clock_that_is_set_back_and_forth_does_no_harm() {
    let memory = tables_with(600);
    fail(&memory, Fault::Fail(retry()), |number| number % 4 == 0);
    let (mut tables, mut pages) = (unread(), Pages::default());
    let (clock, stop) = (Unsteady::default(), Stop::default());
    assert_eq!(run(&memory, &clock, Some(20.0), &stop, &mut tables, &mut pages), Some(Ok(())));
    pages.assert_complete(&memory);
}

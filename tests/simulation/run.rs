//! Runs many seeds on all processors, and prints totals.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{AddAssign, Range};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// How many neighbouring seeds run together, with the same rules.
pub(crate) const SEEDS_TOGETHER: u64 = 16;
/// After how many failed seeds, in all tests together, the remaining seeds are skipped.
const FAILED_MAX: usize = 5;
static FAILED: AtomicUsize = AtomicUsize::new(0);
/// After how many seeds a long run prints its progress.
const PROGRESS_EVERY: u64 = 250_000;

/// The results of some seeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) whole: u64,
    /// Histories that ended early because their next result would depend on the order of events.
    pub(crate) cut: u64,
    /// Seeds whose rules are refused.
    pub(crate) refused: u64,
    pub(crate) deliveries: u64,
    /// Deliveries that were not answered.
    pub(crate) unanswered: u64,
    /// Writes by the engine.
    pub(crate) writes: u64,
    /// Violations that the engine reported.
    pub(crate) violations: u64,
    /// How often each event happened.
    pub(crate) happened: BTreeMap<&'static str, u64>,
    pub(crate) failed: Vec<u64>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.whole += other.whole;
        self.cut += other.cut;
        self.refused += other.refused;
        self.deliveries += other.deliveries;
        self.unanswered += other.unanswered;
        self.writes += other.writes;
        self.violations += other.violations;
        for (event, often) in other.happened {
            *self.happened.entry(event).or_default() += often;
        }
        self.failed.extend(other.failed);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, cut, refused, deliveries, unanswered, writes, .. } = self;
        write!(
            formatter,
            "{whole} histories, {cut} cut short, {refused} refused; {deliveries} deliveries, \
             {unanswered} unanswered; {writes} writes, {} violations",
            self.violations
        )?;
        self.happened.iter().try_for_each(|(event, often)| write!(formatter, "; {often} {event}"))
    }
}

/// Runs every seed, prints each failure and the totals, and returns the totals.
pub(crate) fn try_all(
    name: &str,
    seeds: &Range<u64>,
    run: impl Fn(u64) -> Result<Tally, String> + Sync,
) -> Tally {
    silence();
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut total = Tally::default();
        while FAILED.load(Ordering::Relaxed) < FAILED_MAX {
            let from = next.fetch_add(SEEDS_TOGETHER, Ordering::Relaxed);
            if from >= seeds.end {
                break;
            }
            let tried = from - seeds.start;
            if tried > 0 && tried.is_multiple_of(PROGRESS_EVERY) {
                println!("{name}: {tried} seeds so far, the next is {from}");
            }
            for seed in from..seeds.end.min(from + SEEDS_TOGETHER) {
                match quietly(|| run(seed)).and_then(|tried| tried) {
                    Ok(tally) => total += tally,
                    Err(words) => {
                        println!("\n{name}: seed {seed}: {words}");
                        total.failed.push(seed);
                        FAILED.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        total
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut total = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            total += worker.join().unwrap();
        }
    });
    println!("{name}: {total}");
    total.failed.sort_unstable();
    assert!(total.failed.is_empty(), "{name}: seeds {:?} fail", total.failed);
    total
}

thread_local! {
    /// Whether a panic on this thread is reported later.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Silences panics that are reported later.
fn silence() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !IS_QUIET.get() {
                hook(panicked);
            }
        }));
    });
}

/// Returns the result of `run`, or the message of its panic.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let was_quiet = IS_QUIET.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(run));
    IS_QUIET.set(was_quiet);
    done.map_err(|panicked| {
        let text = panicked.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panicked.downcast_ref::<&str>().map(ToString::to_string));
        text.unwrap_or_default()
    })
}

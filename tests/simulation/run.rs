//! Runs of many seeds, on all processors, and what is said of those that fail.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fastrand::Rng;
use referee::engine::Engine;

use crate::oracle::Oracle;
use crate::scenario::Scenario;
use crate::schema::Schema;
use crate::world::{self, World};

/// How many histories share a rule file.
const HISTORIES: u64 = 8;
/// How many ways a smaller history gets to fail.
const WAYS: u64 = 60;
/// How many seeds may fail before the rest is left.
const FAILED_MAX: usize = 5;

/// What came of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The rules are refused.
    Refused,
    /// It ended before its history did, for what comes next depends on the order of things.
    Cut,
    Whole,
}

/// What whoever runs the tests asks for.
pub(crate) fn number(variable: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how many")]
    let text = std::env::var(variable).ok()?;
    (!text.is_empty()).then(|| text.parse().unwrap())
}

/// Runs every seed, and tells how many there were of which kind.
pub(crate) fn try_all(name: &str, seeds: Range<u64>, run: fn(u64) -> Result<Tried, String>) {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let (mut counts, mut failed) = ([0_u64; 3], Vec::new());
        while failed.len() < FAILED_MAX {
            // Those that share a rule file are done together.
            let from = next.fetch_add(HISTORIES, Ordering::Relaxed);
            if from >= seeds.end {
                break;
            }
            for seed in from..seeds.end.min(from + HISTORIES) {
                match quietly(|| run(seed)).and_then(|tried| tried) {
                    Ok(tried) => counts[tried as usize] += 1,
                    Err(words) => {
                        println!("\n{name}: seed {seed}: {words}");
                        failed.push(seed);
                    }
                }
            }
        }
        (counts, failed)
    };
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if !IS_QUIET.get() {
            hook(panicked);
        }
    }));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let total = |kind| done.iter().map(|(counts, _)| counts[kind as usize]).sum::<u64>();
    let mut failed: Vec<u64> = done.iter().flat_map(|(_, failed)| failed.iter().copied()).collect();
    failed.sort_unstable();
    let (whole, cut, refused) = (total(Tried::Whole), total(Tried::Cut), total(Tried::Refused));
    println!("{name}: {whole} whole, {cut} cut short, {refused} refused");
    assert!(failed.is_empty(), "{name}: seeds {failed:?} fail");
}

thread_local! {
    /// Whether a panic here is expected, and told of later.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    /// The rules that were read last, and what they were read from.
    static READ: RefCell<Option<(u64, Rc<Schema>, Option<Rc<Engine>>)>> = const { RefCell::new(None) };
}

/// The rules of a seed, which it shares with its neighbours.
fn rules(seed: u64) -> (Rc<Schema>, Option<Rc<Engine>>) {
    let shared = seed / HISTORIES;
    READ.with_borrow_mut(|read| {
        if let Some((of, schema, engine)) = read
            && *of == shared
        {
            return (Rc::clone(schema), engine.clone());
        }
        let schema = Rc::new(Schema::rich(&mut Rng::with_seed(shared)));
        let engine = world::engine(&schema);
        *read = Some((shared, Rc::clone(&schema), engine.clone()));
        (schema, engine)
    })
}

/// One history. One that fails is made smaller, and told.
pub(crate) fn run(seed: u64) -> Result<Tried, String> {
    let (schema, engine) = rules(seed);
    let Some(engine) = engine else { return Ok(Tried::Refused) };
    let mut rng = Rng::with_seed(seed ^ 0x5eed_0000_0000);
    let scenario = Scenario::random(schema, &mut rng);
    let Err(words) = quietly(|| happen(&scenario, &engine)) else { return Ok(Tried::Whole) };
    let (smallest, words) = smallest(scenario, words);
    let text = smallest.schema.text();
    let Scenario { mapping, weather, acts, .. } = smallest;
    Err(format!("{words}\n\n{text}\n{mapping:?}\n{weather:?}\n{acts:#?}\n"))
}

/// What comes of this, or what it says as it panics.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    IS_QUIET.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(run));
    IS_QUIET.set(false);
    done.map_err(|panicked| {
        let text = panicked.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panicked.downcast_ref::<&str>().map(ToString::to_string));
        text.unwrap_or_default()
    })
}

/// Lets a scenario happen, and checks what came of it.
fn happen(scenario: &Scenario, engine: &Rc<Engine>) {
    let mut world = World::new(scenario, engine);
    world.come_to_rest(&scenario.acts);
    let marked: Vec<_> =
        world.state().into_iter().filter(|(_, (_, is_marked))| *is_marked).collect();
    let past = world.into_past();
    Oracle::new(&scenario.schema, &past, scenario.weather.lags).check(&marked);
}

/// Takes away what is not needed to fail.
fn smallest(mut scenario: Scenario, mut words: String) -> (Scenario, String) {
    while let Some(found) = scenario.smaller().into_iter().find_map(|smaller| failing(&smaller)) {
        (scenario, words) = found;
    }
    (scenario, words)
}

/// The scenario in an order of things in which it fails.
fn failing(scenario: &Scenario) -> Option<(Scenario, String)> {
    let engine = world::engine(&scenario.schema)?;
    (0..WAYS).find_map(|way| {
        let scenario = Scenario { seed: scenario.seed.wrapping_add(way), ..scenario.clone() };
        let words = quietly(|| happen(&scenario, &engine)).err()?;
        Some((scenario, words))
    })
}

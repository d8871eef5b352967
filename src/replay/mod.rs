//! Replay: recorded events through the engine, on the embedded store.
//!
//! The world is simulated: a record's own effect is committed before the record is delivered,
//! Referee's own writes come back as records, and time passes only while the engine waits for it.
//! Nothing here reads a clock or a random source, so a replay is the same every time.

mod chaos;
mod event;
#[cfg(feature = "live")]
mod live;
mod seed;
mod world;

pub use event::{Batch, BatchError, read_batch};
#[cfg(feature = "live")]
pub use live::replay_on;
pub use seed::{SeedError, dump, schemas, seed, store};
pub use world::Place;

use std::collections::BTreeSet;

use self::chaos::Chaos;
use self::world::{Committed, Delivery, World};
use crate::engine::{Engine, Outcome, Rejected};
use crate::runtime::error::Fatal;
use crate::store::Memory;

/// How often a batch that hands records back is delivered before a replay gives up.
const ATTEMPTS_MAX: usize = 100;
/// How many times Referee's own writes may cause further ones before a replay gives up.
const ROUNDS_MAX: usize = 10_000;

/// How to replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether Referee's own writes are left unprocessed.
    pub no_drain: bool,
    /// Deliver as badly as Lambda may, by this seed.
    pub chaos: Option<u64>,
}

/// What a replay tells as it goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A batch was delivered, and this became of it. The places are those of its records.
    Delivered(Outcome, Vec<Option<Place>>),
    /// A record cannot be understood, so that what it did cannot happen here either.
    Rejected(Place, Rejected),
}

/// Why a replay ended early. What was told before stands; the rest is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The engine cannot work with this set-up.
    #[error("{0}")]
    Fatal(#[from] Fatal),
    /// A batch was handed back again and again.
    #[error("a batch was handed back {attempts} times: {reason}")]
    HandedBack {
        /// How often.
        attempts: usize,
        /// Why, the last time.
        reason: String,
    },
    /// Referee's own writes caused further ones without end.
    #[error("Referee's own writes still caused further ones after {ROUNDS_MAX} rounds")]
    Endless,
}

/// Replays batches in order, and tells what became of each delivery.
pub fn replay(
    engine: &Engine,
    store: &Memory,
    batches: Vec<Batch>,
    options: Options,
    mut tell: impl FnMut(Told),
) -> Result<(), Incomplete> {
    let world = World::new(engine.rules(), store, batches);
    match options.chaos {
        Some(seed) => Chaos::new(engine, &world, seed, options.no_drain).run(&mut tell),
        None => in_order(engine, &world, options.no_drain, &mut tell),
    }
}

/// Delivers every batch once, and what it caused before the next.
fn in_order(
    engine: &Engine,
    world: &World<'_>,
    no_drain: bool,
    tell: &mut impl FnMut(Told),
) -> Result<(), Incomplete> {
    while let Some(Committed { deliveries, rejected }) = world.commit_next() {
        for (place, rejected) in rejected {
            tell(Told::Rejected(place, rejected));
        }
        deliver(engine, world, &deliveries, tell)?;
        let mut own = world.take_own();
        for round in 0.. {
            if own.is_empty() || no_drain {
                break;
            }
            if round == ROUNDS_MAX {
                return Err(Incomplete::Endless);
            }
            for of_table in one_table_each(&own) {
                deliver(engine, world, &of_table, tell)?;
            }
            own = world.take_own();
        }
    }
    Ok(())
}

/// Delivers a batch until nothing of it is handed back.
fn deliver(
    engine: &Engine,
    world: &World<'_>,
    deliveries: &[Delivery],
    tell: &mut impl FnMut(Told),
) -> Result<(), Incomplete> {
    let mut rest = deliveries;
    let mut reason = String::new();
    for _ in 0..ATTEMPTS_MAX {
        let Some(outcome) = world.process(engine, rest)? else { continue };
        let checkpoint = outcome.checkpoint().cloned();
        tell(Told::Delivered(outcome, places(rest)));
        match checkpoint {
            None => return Ok(()),
            Some(from) => {
                rest = rest.get(from.position..).unwrap_or_default();
                reason = from.reason;
            }
        }
    }
    Err(Incomplete::HandedBack { attempts: ATTEMPTS_MAX, reason })
}

fn places(deliveries: &[Delivery]) -> Vec<Option<Place>> {
    deliveries.iter().map(|delivery| delivery.place.clone()).collect()
}

/// A batch of Lambda's is of one table: the records of each, in order.
fn one_table_each(deliveries: &[Delivery]) -> Vec<Vec<Delivery>> {
    let tables: BTreeSet<String> =
        deliveries.iter().map(|delivery| delivery.table.clone()).collect();
    tables
        .into_iter()
        .map(|table| {
            deliveries.iter().filter(|delivery| delivery.table == table).cloned().collect()
        })
        .collect()
}

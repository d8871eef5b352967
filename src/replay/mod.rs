//! Replay: runs recorded events through the engine, on the in-memory store.
//!
//! The world is simulated: the write of a record is committed before the record is delivered,
//! Referee's own writes come back as records, and time passes only while the engine waits. Nothing
//! here reads a clock or a random source, so a replay always gives the same result.

mod chaos;
mod event;
#[cfg(feature = "live")]
mod live;
mod seed;
mod world;

pub use event::{Batch, BatchError, read_batch};
#[cfg(feature = "live")]
pub use live::replay_on;
pub use seed::{SeedError, SeedFormat, dump, schemas, seed, seed_as, store};
pub use world::RecordLocation;

use std::collections::BTreeSet;

use self::chaos::Chaos;
use self::world::{Committed, Delivery, World};
use crate::engine::{Engine, Outcome, Rejected};
use crate::runtime::error::Fatal;
use crate::runtime::repair_log::StartedRepair;
use crate::store::Memory;

/// The maximum number of deliveries of a batch before a replay gives up.
const ATTEMPTS_MAX: usize = 100;
/// The maximum number of rounds before a replay gives up. Each round delivers the records of the
/// writes that Referee made in the previous round.
const ROUNDS_MAX: usize = 10_000;

/// How to replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether to leave out the records of Referee's own writes.
    pub no_drain: bool,
    /// The seed of a simulation of the worst delivery that Lambda allows.
    pub chaos: Option<u64>,
}

/// What a replay reports while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A batch was delivered: the outcome, and the locations of its records.
    Delivered(Outcome, Vec<Option<RecordLocation>>),
    /// Repairs were about to be made: on real tables, before they are made; in memory, in a delivery
    /// that crashed or left something to do. They may appear in no violation.
    RepairsStarted(Vec<StartedRepair>),
    /// A record cannot be decoded, so its write cannot be replayed.
    Rejected(RecordLocation, Rejected),
}

/// Why a replay ended early. The results reported so far are valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The engine cannot run with this configuration.
    #[error("{0}")]
    Fatal(#[from] Fatal),
    /// A batch still returned records for redelivery after the maximum number of deliveries.
    #[error("a batch still returned records after {attempts} deliveries: {reason}")]
    Redelivered {
        /// The number of deliveries.
        attempts: usize,
        /// Why the last delivery returned records.
        reason: String,
    },
    /// Referee's own writes kept causing further writes.
    #[error("Referee's own writes still caused further writes after {ROUNDS_MAX} rounds")]
    Endless,
}

/// Replays batches in order, and reports the outcome of each delivery.
pub fn replay(
    engine: &Engine,
    store: &Memory,
    batches: Vec<Batch>,
    options: Options,
    mut report: impl FnMut(Progress),
) -> Result<(), Incomplete> {
    let world = World::new(engine.rules(), store, batches);
    match options.chaos {
        Some(seed) => Chaos::new(engine, &world, seed, options.no_drain).run(&mut report),
        None => in_order(engine, &world, options.no_drain, &mut report),
    }
}

/// Delivers the batches in order. The records of the writes that a batch caused are delivered
/// before the next batch.
fn in_order(
    engine: &Engine,
    world: &World<'_>,
    no_drain: bool,
    report: &mut impl FnMut(Progress),
) -> Result<(), Incomplete> {
    while let Some(Committed { deliveries, rejected }) = world.commit_next() {
        for (location, rejected) in rejected {
            report(Progress::Rejected(location, rejected));
        }
        deliver(engine, world, &deliveries, report)?;
        let mut own = world.take_own();
        for round in 0.. {
            if own.is_empty() || no_drain {
                break;
            }
            if round == ROUNDS_MAX {
                return Err(Incomplete::Endless);
            }
            for of_table in one_table_each(&own) {
                deliver(engine, world, &of_table, report)?;
            }
            own = world.take_own();
        }
    }
    Ok(())
}

/// Delivers a batch until it returns no records for redelivery.
fn deliver(
    engine: &Engine,
    world: &World<'_>,
    deliveries: &[Delivery],
    report: &mut impl FnMut(Progress),
) -> Result<(), Incomplete> {
    let mut rest = deliveries;
    let mut reason = String::new();
    for _ in 0..ATTEMPTS_MAX {
        let Some(outcome) = world.process(engine, rest, report)? else { continue };
        let checkpoint = outcome.checkpoint().cloned();
        report(Progress::Delivered(outcome, locations(rest)));
        match checkpoint {
            None => return Ok(()),
            Some(from) => {
                rest = rest.get(from.position..).unwrap_or_default();
                reason = from.reason;
            }
        }
    }
    Err(Incomplete::Redelivered { attempts: ATTEMPTS_MAX, reason })
}

fn locations(deliveries: &[Delivery]) -> Vec<Option<RecordLocation>> {
    deliveries.iter().map(|delivery| delivery.location.clone()).collect()
}

/// Splits records by table, in order, because a batch from Lambda contains records of only one
/// table.
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

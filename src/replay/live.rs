//! Recorded events on real tables: what they did has happened there, and time is real.

use serde_json::value::RawValue;

use super::event::Batch;
use super::{Incomplete, Place, Told};
use crate::engine::Engine;
use crate::runtime::clock::Clock;
use crate::store::Store;

/// How often a batch that hands records back is delivered before a replay gives up. The store has
/// tried for seconds each time.
const ATTEMPTS_MAX: usize = 2;

/// Processes batches in order on the tables of a store, and tells what became of each delivery.
///
/// The records' own effects are not made, since they have been; and Referee's own writes come back
/// through the tables' own streams, not here.
pub async fn replay_on<S: Store, C: Clock>(
    engine: &Engine,
    store: &S,
    clock: &C,
    batches: Vec<Batch>,
    mut tell: impl FnMut(Told),
) -> Result<(), Incomplete> {
    for batch in batches {
        deliver(engine, store, clock, &batch, &mut tell).await?;
    }
    Ok(())
}

/// Delivers a batch until nothing of it is handed back.
async fn deliver<S: Store, C: Clock>(
    engine: &Engine,
    store: &S,
    clock: &C,
    batch: &Batch,
    tell: &mut impl FnMut(Told),
) -> Result<(), Incomplete> {
    let records: Vec<&RawValue> = batch.records.iter().map(|record| &**record).collect();
    let place = |record| Some(Place { file: batch.file.clone(), record });
    let mut done = 0;
    let mut reason = String::new();
    for _ in 0..ATTEMPTS_MAX {
        let rest = records.get(done..).unwrap_or_default();
        let outcome = engine.process(rest, store, clock).await?;
        let handed_back = outcome.checkpoint().cloned();
        tell(Told::Delivered(outcome, (done..records.len()).map(place).collect()));
        match handed_back {
            None => return Ok(()),
            Some(from) => {
                done += from.position;
                reason = from.reason;
            }
        }
    }
    Err(Incomplete::HandedBack { attempts: ATTEMPTS_MAX, reason })
}

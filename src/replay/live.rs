//! Replays events on real tables, in real time. The tables already contain the recorded writes.

use std::cell::RefCell;

use serde_json::value::RawValue;

use super::event::Batch;
use super::{Incomplete, Progress, RecordLocation};
use crate::engine::{Engine, Services};
use crate::runtime::clock::Clock;
use crate::runtime::repair_log::{RepairLog, StartedRepair};
use crate::store::Store;

/// The maximum number of deliveries of a batch before a replay gives up. During each delivery, the
/// store itself retries for several seconds.
const ATTEMPTS_MAX: usize = 2;

/// Processes batches in order on the tables of a store, and reports the outcome of each delivery.
///
/// The recorded writes are not repeated, and the records of Referee's own writes are not processed:
/// they appear on the streams of the tables.
pub async fn replay_on<S: Store, C: Clock>(
    engine: &Engine,
    store: &S,
    clock: &C,
    batches: Vec<Batch>,
    mut report: impl FnMut(Progress),
) -> Result<(), Incomplete> {
    for batch in batches {
        deliver(engine, store, clock, &batch, &mut report).await?;
    }
    Ok(())
}

/// Reports repairs before they are made.
struct Reported<'r, F>(&'r RefCell<F>);

impl<F: FnMut(Progress)> RepairLog for Reported<'_, F> {
    fn started(&self, repairs: &[StartedRepair]) {
        self.0.borrow_mut()(Progress::RepairsStarted(repairs.to_vec()));
    }
}

/// Delivers a batch until it returns no records for redelivery.
async fn deliver<S: Store, C: Clock>(
    engine: &Engine,
    store: &S,
    clock: &C,
    batch: &Batch,
    report: &mut impl FnMut(Progress),
) -> Result<(), Incomplete> {
    let records: Vec<&RawValue> = batch.records.iter().map(|record| &**record).collect();
    let location = |record| Some(RecordLocation { file: batch.file.clone(), record });
    let report = RefCell::new(report);
    let mut done = 0;
    let mut reason = String::new();
    for _ in 0..ATTEMPTS_MAX {
        let rest = records.get(done..).unwrap_or_default();
        let repairs = Reported(&report);
        let services = Services { repairs: &repairs, ..Services::new(store, clock) };
        let outcome = engine.process_with(engine.decode_records(rest), services).await?;
        let checkpoint = outcome.checkpoint().cloned();
        report.borrow_mut()(Progress::Delivered(
            outcome,
            (done..records.len()).map(location).collect(),
        ));
        match checkpoint {
            None => return Ok(()),
            Some(from) => {
                done += from.position;
                reason = from.reason;
            }
        }
    }
    Err(Incomplete::Redelivered { attempts: ATTEMPTS_MAX, reason })
}

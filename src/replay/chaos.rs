//! Chaos: the worst delivery that Lambda allows.
//!
//! Batches are split and redelivered. Records of different items are reordered, but never those of
//! one item. Requests fail, get lost and take effect late, and workers crash between two calls. A
//! seed determines everything, so that a failing run can be reproduced.

use std::cell::RefCell;
use std::rc::Rc;

use fastrand::Rng;

use super::world::{Committed, Delivery, World};
use super::{Incomplete, Progress, locations};
use crate::engine::Engine;
use crate::store::StoreError;
use crate::store::memory::{CallKind, Fault};

/// The maximum number of records in a batch.
const BATCH_RECORDS_MAX: usize = 8;
/// The maximum number of records that a redelivery goes back.
const REWIND_RECORDS_MAX: usize = 8;
/// The maximum number of failed deliveries at the same position. By default, Lambda retries until
/// the records expire, but a replay must end.
const BAD_ATTEMPTS_MAX: usize = 4;
/// The maximum number of deliveries before a replay gives up.
const DELIVERIES_MAX: usize = 1_000_000;

/// A replay with simulated failures.
pub(super) struct Chaos<'c, 'w> {
    engine: &'c Engine,
    world: &'c World<'w>,
    rng: Rc<RefCell<Rng>>,
    no_drain: bool,
    /// Every record so far, in an order in which a stream could deliver them.
    log: Vec<Delivery>,
    /// The number of processed records.
    done: usize,
}

impl<'c, 'w> Chaos<'c, 'w> {
    /// Creates a replay whose failures are determined by this seed.
    pub(super) fn new(engine: &'c Engine, world: &'c World<'w>, seed: u64, no_drain: bool) -> Self {
        let rng = Rc::new(RefCell::new(Rng::with_seed(seed)));
        Self { engine, world, rng, no_drain, log: Vec::new(), done: 0 }
    }

    /// Delivers records until none is left.
    pub(super) fn run(mut self, report: &mut impl FnMut(Progress)) -> Result<(), Incomplete> {
        let mut bad_attempts = 0;
        for _ in 0..DELIVERIES_MAX {
            let at_rest = self.done == self.log.len();
            if (at_rest || self.one_in(4)) && self.commit_next(report) {
                continue;
            }
            if at_rest && !self.land_late_writes() {
                return Ok(());
            }
            let progressed = self.deliver(bad_attempts < BAD_ATTEMPTS_MAX, report)?;
            bad_attempts = if progressed { 0 } else { bad_attempts + 1 };
            if self.one_in(4) {
                self.done -= self.below(self.done.min(REWIND_RECORDS_MAX) + 1);
            }
        }
        Err(Incomplete::Endless)
    }

    /// Commits the writes of the next file. Returns whether there was one.
    fn commit_next(&mut self, report: &mut impl FnMut(Progress)) -> bool {
        let Some(Committed { deliveries, rejected }) = self.world.commit_next() else {
            return false;
        };
        for (location, rejected) in rejected {
            report(Progress::Rejected(location, rejected));
        }
        self.append(deliveries);
        true
    }

    /// Inserts records where a stream could deliver them: anywhere after the processed records and
    /// after the earlier records of the same item.
    fn append(&mut self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            let same_item =
                |known: &Delivery| known.key == delivery.key && known.table == delivery.table;
            let waiting = self.log.get(self.done..).unwrap_or_default();
            let earlier = waiting.iter().rposition(same_item).map_or(0, |index| index + 1);
            let index = self.done + earlier + self.below(waiting.len() - earlier + 1);
            self.log.insert(index, delivery);
        }
    }

    /// Applies the late writes. Returns whether records are left to deliver.
    fn land_late_writes(&mut self) -> bool {
        self.world.store().land_all();
        self.append_own();
        self.done < self.log.len()
    }

    fn append_own(&mut self) {
        let own = self.world.take_own();
        if !self.no_drain {
            self.append(own);
        }
    }

    /// Delivers a batch. Returns whether all of it was processed.
    fn deliver(
        &mut self,
        may_fail: bool,
        report: &mut impl FnMut(Progress),
    ) -> Result<bool, Incomplete> {
        let batch = self.next_batch();
        if may_fail {
            self.let_requests_fail();
        }
        let outcome = self.world.process(self.engine, &batch, report);
        self.world.store().clear_faults();
        if self.one_in(3) {
            let late = self.below(self.world.store().late().max(1));
            self.world.store().land_one(late);
        }
        let mut complete = false;
        if let Some(outcome) = outcome? {
            let done = outcome.checkpoint().map_or(batch.len(), |from| from.position);
            complete = done == batch.len();
            report(Progress::Delivered(outcome, locations(&batch)));
            self.done += done;
        }
        // Append only now: a record inserted earlier, among those of this batch, would count as
        // delivered.
        self.append_own();
        Ok(complete)
    }

    /// The next records, all of one table.
    fn next_batch(&self) -> Vec<Delivery> {
        let rest = self.log.get(self.done..).unwrap_or_default();
        let length = 1 + self.below(rest.len().clamp(1, BATCH_RECORDS_MAX));
        let table = rest.first().map(|delivery| delivery.table.clone());
        rest.iter()
            .take(length)
            .take_while(|delivery| Some(&delivery.table) == table.as_ref())
            .cloned()
            .collect()
    }

    /// Injects faults: requests fail, get lost, take effect late, or crash the worker.
    fn let_requests_fail(&self) {
        let rng = Rc::clone(&self.rng);
        self.world.store().set_faults(Box::new(move |call| {
            let mut rng = rng.borrow_mut();
            let timeout = || StoreError::Retry("the request timed out".to_owned());
            let is_write = matches!(call.kind, CallKind::Write | CallKind::Transact);
            match rng.u8(..40) {
                0 => Fault::Crash { applied: rng.bool() },
                1 | 2 => Fault::Fail(StoreError::Retry("the request was throttled".to_owned())),
                3 if is_write => Fault::Lost(timeout()),
                4 | 5 if is_write => Fault::Late(timeout()),
                _ => Fault::None,
            }
        }));
    }

    fn one_in(&self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn below(&self, limit: usize) -> usize {
        self.rng.borrow_mut().usize(..limit)
    }
}

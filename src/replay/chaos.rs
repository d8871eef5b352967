//! Chaos: delivery as bad as Lambda's may be.
//!
//! Batches are cut, delivered again and reordered between items, never within one; requests fail,
//! get lost and land late; workers crash between two calls. From a seed, so that what was found is
//! found again.

use std::cell::RefCell;
use std::rc::Rc;

use fastrand::Rng;

use super::world::{Committed, Delivery, World};
use super::{Incomplete, Told, places};
use crate::engine::Engine;
use crate::store::StoreError;
use crate::store::memory::{CallKind, Fault};

/// The longest batch.
const BATCH_RECORDS_MAX: usize = 8;
/// How far back a delivery may begin again.
const REWIND_RECORDS_MAX: usize = 8;
/// How many attempts at the same place may go wrong. Lambda retries without end; here, the world
/// must come to rest.
const BAD_ATTEMPTS_MAX: usize = 4;
/// How many deliveries a replay may take before it gives up.
const DELIVERIES_MAX: usize = 1_000_000;

/// A replay whose deliveries go wrong.
pub(super) struct Chaos<'c, 'w> {
    engine: &'c Engine,
    world: &'c World<'w>,
    rng: Rc<RefCell<Rng>>,
    no_drain: bool,
    /// Every record so far in an order in which a stream could deliver them.
    log: Vec<Delivery>,
    /// How many of them are done.
    done: usize,
}

impl<'c, 'w> Chaos<'c, 'w> {
    /// Goes wrong by this seed.
    pub(super) fn new(engine: &'c Engine, world: &'c World<'w>, seed: u64, no_drain: bool) -> Self {
        let rng = Rc::new(RefCell::new(Rng::with_seed(seed)));
        Self { engine, world, rng, no_drain, log: Vec::new(), done: 0 }
    }

    /// Delivers everything until the world is at rest.
    pub(super) fn run(mut self, tell: &mut impl FnMut(Told)) -> Result<(), Incomplete> {
        let mut bad_attempts = 0;
        for _ in 0..DELIVERIES_MAX {
            let at_rest = self.done == self.log.len();
            if (at_rest || self.one_in(4)) && self.commit_next(tell) {
                continue;
            }
            if at_rest && !self.land_late_writes() {
                return Ok(());
            }
            let progressed = self.deliver(bad_attempts < BAD_ATTEMPTS_MAX, tell)?;
            bad_attempts = if progressed { 0 } else { bad_attempts + 1 };
            if self.one_in(4) {
                self.done -= self.below(self.done.min(REWIND_RECORDS_MAX) + 1);
            }
        }
        Err(Incomplete::Endless)
    }

    /// Makes the next file's writes happen. Whether there was one.
    fn commit_next(&mut self, tell: &mut impl FnMut(Told)) -> bool {
        let Some(Committed { deliveries, rejected }) = self.world.commit_next() else {
            return false;
        };
        for (place, rejected) in rejected {
            tell(Told::Rejected(place, rejected));
        }
        self.append(deliveries);
        true
    }

    /// Puts records where a stream could deliver them: each anywhere after what is done and after
    /// the earlier ones of its item.
    fn append(&mut self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            let same_item =
                |known: &Delivery| known.key == delivery.key && known.table == delivery.table;
            let waiting = self.log.get(self.done..).unwrap_or_default();
            let earlier = waiting.iter().rposition(same_item).map_or(0, |place| place + 1);
            let place = self.done + earlier + self.below(waiting.len() - earlier + 1);
            self.log.insert(place, delivery);
        }
    }

    /// Lets the writes that are still late land. Whether anything is left to deliver then.
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

    /// Delivers a batch. Whether all of it was done.
    fn deliver(&mut self, may_fail: bool, tell: &mut impl FnMut(Told)) -> Result<bool, Incomplete> {
        let batch = self.next_batch();
        if may_fail {
            self.let_requests_fail();
        }
        let outcome = self.world.process(self.engine, &batch);
        self.world.store().clear_faults();
        if self.one_in(3) {
            let late = self.below(self.world.store().late().max(1));
            self.world.store().land_one(late);
        }
        let mut complete = false;
        if let Some(outcome) = outcome? {
            let done = outcome.checkpoint().map_or(batch.len(), |from| from.position);
            complete = done == batch.len();
            tell(Told::Delivered(outcome, places(&batch)));
            self.done += done;
        }
        // Only now, for what is put among the records of this batch would count as delivered.
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

    /// Lets requests fail, get lost, land late, or take the worker with them.
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

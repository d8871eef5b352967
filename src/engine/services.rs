//! What the engine works with.

use crate::runtime::queue::NoQueue;
use crate::runtime::repair_log::{NoRepairLog, RepairLog};

/// What the engine works with in one run: the tables, a clock, a queue, and a log of repairs.
#[derive(Debug)]
pub struct Services<'s, S, C, Q = NoQueue> {
    /// The tables.
    pub store: &'s S,
    /// The clock.
    pub clock: &'s C,
    /// The queue on which suspects wait for the end of their grace period, if there is one.
    pub queue: Option<&'s Q>,
    /// Where repairs are logged before they are made.
    pub repairs: &'s dyn RepairLog,
}

impl<'s, S, C> Services<'s, S, C> {
    /// Tables and a clock, without a queue and without a log of repairs.
    pub const fn new(store: &'s S, clock: &'s C) -> Self {
        Self { store, clock, queue: None, repairs: &NoRepairLog }
    }
}

impl<'s, S, C, Q> Services<'s, S, C, Q> {
    /// The same with this queue, if there is one.
    #[must_use]
    pub const fn with_queue<R>(self, queue: Option<&'s R>) -> Services<'s, S, C, R> {
        let Self { store, clock, repairs, .. } = self;
        Services { store, clock, queue, repairs }
    }
}

// Derived implementations would require that the services themselves can be copied.
impl<S, C, Q> Clone for Services<'_, S, C, Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, C, Q> Copy for Services<'_, S, C, Q> {}

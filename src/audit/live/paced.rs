//! A store whose reads are within the limit of an audit, and counted.

use std::cell::Cell;

use super::rate::Limiter;
use crate::data::Item;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::{Answer, Page, Query, Read, Store, StoreError, Transacted, Write, Written};

/// A store that reads suspects again. Writes and queries are passed on, without a limit.
#[derive(Debug)]
pub struct Paced<'s, S, C> {
    store: &'s S,
    clock: &'s C,
    limiter: &'s Limiter,
    stop: &'s Stop,
    read_units: Cell<f64>,
}

impl<'s, S, C> Paced<'s, S, C> {
    /// Limits the reads of this store.
    pub fn new(store: &'s S, clock: &'s C, limiter: &'s Limiter, stop: &'s Stop) -> Self {
        Self { store, clock, limiter, stop, read_units: Cell::new(0.0) }
    }

    /// The read units that were consumed.
    pub fn read_units(&self) -> f64 {
        self.read_units.get()
    }
}

impl<S: Store, C: Clock> Store for Paced<'_, S, C> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        // Most items have at most 4 KB.
        let estimate = f64::from(u32::try_from(reads.len()).unwrap_or(u32::MAX));
        if !self.limiter.admit(estimate, self.clock, self.stop).await {
            return Err(StoreError::Retry("stopped".to_owned()));
        }
        let answer = self.store.batch_get(reads).await?;
        self.limiter.settle(estimate, answer.units.read);
        self.read_units.set(self.read_units.get() + answer.units.read);
        Ok(answer)
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.store.write(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.store.transact(actions).await
    }
}

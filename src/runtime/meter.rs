//! Counts requests, and the units that they cost.

use std::cell::Cell;

use crate::data::Item;
use crate::store::scan::{Scan, Scanner};
use crate::store::{
    Answer, Page, Query, Read, Store, StoreError, Transacted, Units, Write, Written,
};

/// A store that counts the requests to another one, and the units that they cost.
#[derive(Debug)]
pub(crate) struct Metered<'s, S> {
    store: &'s S,
    reads: Cell<u64>,
    writes: Cell<u64>,
    units: Cell<Units>,
}

impl<'s, S> Metered<'s, S> {
    /// Counts the requests to this store, starting at zero.
    pub(crate) fn new(store: &'s S) -> Self {
        let none = || Cell::new(0);
        Self { store, reads: none(), writes: none(), units: Cell::new(Units::default()) }
    }

    /// The number of read requests.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.get()
    }

    /// The number of all requests.
    pub(crate) fn requests(&self) -> u64 {
        self.reads.get() + self.writes.get()
    }

    /// The units that the requests cost.
    pub(crate) fn units(&self) -> Units {
        self.units.get()
    }

    fn count<T>(
        &self,
        requests: &Cell<u64>,
        answer: Result<Answer<T>, StoreError>,
    ) -> Result<Answer<T>, StoreError> {
        requests.set(requests.get() + 1);
        if let Ok(answer) = &answer {
            let mut units = self.units.get();
            units += answer.units;
            self.units.set(units);
        }
        answer
    }
}

impl<S: Store> Store for Metered<'_, S> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        self.count(&self.reads, self.store.batch_get(reads).await)
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.count(&self.reads, self.store.query(query).await)
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.count(&self.writes, self.store.write(write).await)
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.count(&self.writes, self.store.transact(actions).await)
    }
}

impl<S: Scanner> Scanner for Metered<'_, S> {
    async fn scan(&self, scan: Scan) -> Result<Answer<Page>, StoreError> {
        self.count(&self.reads, self.store.scan(scan).await)
    }
}

//! Counts requests, and the units that they cost.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::data::Item;
use crate::store::scan::{Scan, Scanner};
use crate::store::{
    Answer, CancellationReason, Page, Query, Read, Store, StoreError, Transacted, Units, Write,
    Written,
};

/// A store that counts the requests to another one, and the units that they cost.
///
/// Once a write to a table was throttled although the store has retried it, no further write to that
/// table is sent. The record whose write was throttled is handed back, and Lambda delivers it and
/// all later ones again. Every write that is made after it in the same batch would be made again,
/// and billed although its condition does not hold any more.
#[derive(Debug)]
pub(crate) struct Metered<'s, S> {
    store: &'s S,
    reads: Cell<u64>,
    writes: Cell<u64>,
    units: Cell<Units>,
    /// The tables to which no more writes are sent.
    throttled: RefCell<BTreeSet<String>>,
}

impl<'s, S> Metered<'s, S> {
    /// Counts the requests to this store, starting at zero.
    pub(crate) fn new(store: &'s S) -> Self {
        let none = || Cell::new(0);
        let (reads, writes, units) = (none(), none(), Cell::new(Units::default()));
        Self { store, reads, writes, units, throttled: RefCell::default() }
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

    /// Fails if one of these tables takes no more writes.
    fn check<'t>(&self, tables: impl IntoIterator<Item = &'t String>) -> Result<(), StoreError> {
        let throttled = self.throttled.borrow();
        match tables.into_iter().find(|table| throttled.contains(*table)) {
            Some(table) => Err(StoreError::Throttled(format!("writes to `{table}` are throttled"))),
            None => Ok(()),
        }
    }

    /// Sends no more writes to these tables.
    fn throttle(&self, tables: impl IntoIterator<Item = String>) {
        self.throttled.borrow_mut().extend(tables);
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
        self.check([&write.table])?;
        let table = write.table.clone();
        let answer = self.count(&self.writes, self.store.write(write).await);
        if matches!(answer, Err(StoreError::Throttled(_))) {
            self.throttle([table]);
        }
        answer
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.check(actions.iter().map(|action| &action.table))?;
        let tables: Vec<_> = actions.iter().map(|action| action.table.clone()).collect();
        let answer = self.count(&self.writes, self.store.transact(actions).await);
        match &answer {
            Err(StoreError::Throttled(_)) => self.throttle(tables),
            Ok(Answer { value: Transacted::Canceled(reasons), .. }) => {
                let of = tables.into_iter().zip(reasons);
                let throttled = of.filter(|(_, reason)| **reason == CancellationReason::Throttled);
                self.throttle(throttled.map(|(table, _)| table));
            }
            Ok(_) | Err(_) => {}
        }
        answer
    }
}

impl<S: Scanner> Scanner for Metered<'_, S> {
    async fn scan(&self, scan: Scan) -> Result<Answer<Page>, StoreError> {
        self.count(&self.reads, self.store.scan(scan).await)
    }
}

//! Faults: what a network and a busy database do to requests.

use std::collections::BTreeSet;

use super::{Memory, State};
use crate::store::{Answer, CancellationReason, StoreError};

/// One request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// The request's place among all of the store's, from one.
    pub number: u64,
    /// What is asked for.
    pub kind: CallKind,
    /// The tables that it is asked of.
    pub tables: BTreeSet<&'a str>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// [`Store::batch_get`](crate::store::Store::batch_get).
    BatchGet,
    /// [`Store::query`](crate::store::Store::query).
    Query,
    /// [`Store::write`](crate::store::Store::write).
    Write,
    /// [`Store::transact`](crate::store::Store::transact).
    Transact,
}

impl CallKind {
    /// Whether the request may change an item.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Transact)
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The request is not carried out, and this is the answer.
    Fail(StoreError),
    /// The request is carried out, but the caller is told this.
    Lost(StoreError),
    /// The caller is told this, and the request is carried out when it lands:
    /// [`Memory::land_one`], [`Memory::land_all`]. A read never lands.
    Late(StoreError),
    /// A transaction is cancelled for these reasons, at no cost. Other requests are carried out.
    Cancel(Vec<CancellationReason>),
    /// The caller dies: the answer never comes.
    Crash {
        /// Whether the request is carried out all the same.
        applied: bool,
    },
}

/// Decides what goes wrong with each request.
pub type Faults = Box<dyn FnMut(&Call<'_>) -> Fault>;

/// A write that is on its way.
pub(super) type LateWrite = Box<dyn FnOnce(&mut State)>;

impl Memory {
    /// Lets this decide what goes wrong from now on.
    ///
    /// It may itself use the store, without faults: it stands in for everybody else who does.
    pub fn set_faults(&self, faults: Faults) {
        self.faults.replace(Some(faults));
    }

    /// Lets nothing go wrong from now on. What is late stays so.
    pub fn clear_faults(&self) {
        self.faults.replace(None);
    }

    /// How many writes are late.
    #[must_use]
    pub fn late(&self) -> usize {
        self.state.borrow().late.len()
    }

    /// Carries out the late write at this place in the order in which they were sent, with its
    /// conditions on the item as it is now. Whether there was one.
    pub fn land_one(&self, index: usize) -> bool {
        let mut state = self.state.borrow_mut();
        if index >= state.late.len() {
            return false;
        }
        let land = state.late.remove(index);
        land(&mut state);
        true
    }

    /// Carries out all late writes in the order in which they were sent.
    pub fn land_all(&self) {
        while self.land_one(0) {}
    }

    /// Counts a request, and decides what goes wrong with it.
    pub(super) fn fault<'a>(
        &self,
        kind: CallKind,
        tables: impl IntoIterator<Item = &'a str>,
    ) -> Fault {
        let number = {
            let usage = &mut self.state.borrow_mut().usage;
            usage.requests += 1;
            usage.requests
        };
        // It is taken out while it decides, so that it may use the store.
        let Some(mut faults) = self.faults.take() else { return Fault::None };
        let fault = faults(&Call { number, kind, tables: tables.into_iter().collect() });
        self.faults.borrow_mut().get_or_insert(faults);
        fault
    }

    /// Answers a request, or does what the fault says instead.
    pub(super) async fn answer<T>(
        &self,
        kind: CallKind,
        fault: Fault,
        serve: impl FnOnce(&mut State) -> Result<Answer<T>, StoreError> + 'static,
    ) -> Result<Answer<T>, StoreError> {
        match fault {
            Fault::None | Fault::Cancel(_) => serve(&mut self.state.borrow_mut()),
            Fault::Fail(error) => Err(error),
            // Whether what nobody hears of succeeds is nobody's to know.
            Fault::Lost(error) => {
                serve(&mut self.state.borrow_mut()).ok();
                Err(error)
            }
            Fault::Late(error) => {
                if kind.is_write() {
                    let land = |state: &mut State| drop(serve(state));
                    self.state.borrow_mut().late.push(Box::new(land));
                }
                Err(error)
            }
            Fault::Crash { applied } => {
                if applied {
                    serve(&mut self.state.borrow_mut()).ok();
                }
                std::future::pending().await
            }
        }
    }
}

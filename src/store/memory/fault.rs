//! Fault injection: failures that a network or a busy database causes.

use std::collections::BTreeSet;

use super::{Memory, State};
use crate::store::{Answer, CancellationReason, StoreError};

/// One request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// The request's number among all requests to the store, from one.
    pub number: u64,
    /// The operation.
    pub kind: CallKind,
    /// The tables that the request names.
    pub tables: BTreeSet<&'a str>,
}

/// The operation of a request.
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
    /// [`Scanner::scan`](crate::store::scan::Scanner::scan).
    Scan,
}

impl CallKind {
    /// Whether the request may change an item.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Transact)
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// The request is carried out and answered.
    #[default]
    None,
    /// The request is not carried out and fails with this error.
    Fail(StoreError),
    /// The request is carried out, but fails with this error: the answer is lost.
    Lost(StoreError),
    /// The request fails with this error, and a write is carried out later, by
    /// [`Memory::land_one`] or [`Memory::land_all`]. A read is never carried out.
    Late(StoreError),
    /// A transaction is cancelled for these reasons, at no cost. Requests of other kinds are
    /// carried out.
    Cancel(Vec<CancellationReason>),
    /// The caller crashes: the request is never answered.
    Crash {
        /// Whether the request is still carried out.
        applied: bool,
    },
}

/// Decides the fault of each request.
pub type Faults = Box<dyn FnMut(&Call<'_>) -> Fault>;

/// A write that has not been carried out yet.
pub(super) type LateWrite = Box<dyn FnOnce(&mut State)>;

impl Memory {
    /// Injects these faults from now on.
    ///
    /// The function may itself use the store, without faults, to simulate other clients.
    pub fn set_faults(&self, faults: Faults) {
        self.faults.replace(Some(faults));
    }

    /// Stops injecting faults. Late writes remain late.
    pub fn clear_faults(&self) {
        self.faults.replace(None);
    }

    /// The number of late writes.
    #[must_use]
    pub fn late(&self) -> usize {
        self.state.borrow().late.len()
    }

    /// Carries out the late write with this index in the order of sending. Its condition is
    /// checked against the current item. Returns whether there was such a write.
    pub fn land_one(&self, index: usize) -> bool {
        let mut state = self.state.borrow_mut();
        if index >= state.late.len() {
            return false;
        }
        let land = state.late.remove(index);
        land(&mut state);
        true
    }

    /// Carries out all late writes in the order of sending.
    pub fn land_all(&self) {
        while self.land_one(0) {}
    }

    /// Counts a request and decides its fault.
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
        // The function is removed while it runs, so that it may use the store.
        let Some(mut faults) = self.faults.take() else { return Fault::None };
        let fault = faults(&Call { number, kind, tables: tables.into_iter().collect() });
        self.faults.borrow_mut().get_or_insert(faults);
        fault
    }

    /// Answers a request, subject to its fault.
    pub(super) async fn answer<T>(
        &self,
        kind: CallKind,
        fault: Fault,
        serve: impl FnOnce(&mut State) -> Result<Answer<T>, StoreError> + 'static,
    ) -> Result<Answer<T>, StoreError> {
        match fault {
            Fault::None | Fault::Cancel(_) => serve(&mut self.state.borrow_mut()),
            Fault::Fail(error) => Err(error),
            // The caller never learns whether the request succeeded.
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

#[cfg(test)]
mod tests {
    use super::super::tests::{content, item_with, memory, put};
    use super::*;
    use crate::data::Path;
    use crate::store::{Condition, Store as _, Transacted, Units, Write, Written};
    use futures_util::FutureExt as _;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn timeout() -> StoreError {
        StoreError::Retry("timeout".to_owned())
    }

    /// A store in which only the first request has this fault.
    fn once(fault: Fault) -> Memory {
        let memory = memory();
        let mut fault = Some(fault);
        memory.set_faults(Box::new(move |_| fault.take().unwrap_or_default()));
        memory
    }

    fn write(memory: &Memory, write: Write) -> Option<Result<Written, StoreError>> {
        Some(memory.write(write).now_or_never()?.map(|answer| answer.value))
    }

    #[test]
    fn a_failed_request_is_not_carried_out() {
        let memory = once(Fault::Fail(timeout()));
        assert_eq!(write(&memory, put("a")), Some(Err(timeout())));
        assert_eq!(content(&memory), None);
        assert_eq!(memory.usage().requests, 1);
        assert_eq!(write(&memory, put("a")), Some(Ok(Written::Applied)));
    }

    #[test]
    fn a_request_with_a_lost_answer_is_carried_out() {
        let memory = once(Fault::Lost(timeout()));
        assert_eq!(write(&memory, put("a")), Some(Err(timeout())));
        assert_eq!(content(&memory), Some(item_with("a")));
        assert_eq!(memory.usage().units, Units { read: 0.0, write: 1.0 });
    }

    #[test]
    fn a_late_write_checks_the_item_at_the_time_it_lands() {
        let memory = memory();
        memory.set_faults(Box::new(|call| match call.number {
            1 | 2 => Fault::Late(timeout()),
            _ => Fault::None,
        }));
        let condition = Some(Condition::NotExists(Path::attribute("x")));
        write(&memory, Write { condition, ..put("guarded") });
        write(&memory, put("plain"));
        assert_eq!(memory.late(), 2);
        assert_eq!(content(&memory), None);
        assert!(memory.land_one(1));
        assert_eq!(content(&memory), Some(item_with("plain")));
        assert!(!memory.land_one(1));
        memory.land_all();
        assert_eq!(content(&memory), Some(item_with("plain")));
        assert_eq!(memory.late(), 0);
    }

    #[test]
    fn a_crashed_request_is_not_answered_whether_or_not_it_was_carried_out() {
        let memory = once(Fault::Crash { applied: false });
        assert_eq!(write(&memory, put("a")), None);
        assert_eq!(content(&memory), None);
        let memory = once(Fault::Crash { applied: true });
        assert_eq!(write(&memory, put("a")), None);
        assert_eq!(content(&memory), Some(item_with("a")));
    }

    #[test]
    fn a_cancelled_transaction_is_not_applied() {
        let reasons = vec![CancellationReason::Conflict];
        let memory = once(Fault::Cancel(reasons.clone()));
        let answer = memory.transact(vec![put("a")]).now_or_never().unwrap().unwrap();
        assert_eq!(answer.value, Transacted::Canceled(reasons));
        assert_eq!(content(&memory), None);
    }

    #[test]
    fn calls_have_a_number_an_operation_and_tables() {
        let memory = memory();
        let calls = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&calls);
        memory.set_faults(Box::new(move |call| {
            seen.borrow_mut().push((call.number, call.kind, format!("{:?}", call.tables)));
            Fault::None
        }));
        write(&memory, put("a"));
        memory.transact(vec![put("b")]).now_or_never().unwrap().unwrap();
        let app = || "{\"app\"}".to_owned();
        let expected = [(1, CallKind::Write, app()), (2, CallKind::Transact, app())];
        assert_eq!(*calls.borrow(), expected);
    }

    /// Simulates another client's write between two requests.
    #[test]
    fn a_fault_function_may_write() {
        let memory = Rc::new(memory());
        let other = Rc::downgrade(&memory);
        memory.set_faults(Box::new(move |_| {
            let memory = other.upgrade().unwrap();
            write(&memory, put("other"));
            Fault::Fail(timeout())
        }));
        assert_eq!(write(&memory, put("a")), Some(Err(timeout())));
        assert_eq!(content(&memory), Some(item_with("other")));
        memory.clear_faults();
        assert_eq!(write(&memory, put("a")), Some(Ok(Written::Applied)));
    }
}

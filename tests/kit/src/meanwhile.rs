//! Writes by other clients while the engine processes a history.

use std::rc::Rc;

use futures_util::FutureExt as _;
use referee::store::memory::{CallKind, Fault};
use referee::store::{Action, Memory, Store as _, Write};

use crate::history::{History, item, load, outcome_on};
use crate::results::Results;

/// An unconditional write by another client.
#[derive(Debug, Clone, Copy)]
pub enum Other<'t> {
    Puts(&'t str),
    Deletes(&'t str),
}

impl Other<'_> {
    pub fn on(self, store: &Memory) {
        let action = match self {
            Self::Puts(text) => Action::Put(item(text)),
            Self::Deletes(text) => Action::Delete(item(text)),
        };
        let write = Write { table: "app".to_owned(), action, condition: None };
        store.write(write).now_or_never().unwrap().unwrap();
    }
}

impl History {
    /// Returns the results under these rules if other clients make these writes just before the
    /// n-th request of a kind, counted from one.
    pub fn before(
        &self,
        rules: &str,
        (n, kind): (usize, CallKind),
        others: impl IntoIterator<Item = Other<'static>>,
    ) -> Results {
        let others: Vec<_> = others.into_iter().collect();
        self.during(rules, move |store, at| {
            if at == (n, kind) {
                for other in &others {
                    other.on(store);
                }
            }
            Fault::None
        })
    }

    /// Returns the results under these rules if `happens` runs just before each request. It
    /// receives the kind of the request and its number among the requests of this kind, counted
    /// from one.
    pub fn during(
        &self,
        rules: &str,
        happens: impl FnMut(&Memory, (usize, CallKind)) -> Fault + 'static,
    ) -> Results {
        let rules = load(rules);
        let store = Rc::new(self.store(&rules));
        before_requests(&store, happens);
        Results(outcome_on(&rules, self, &store))
    }
}

/// Runs `happens` just before each request to a store. It receives the kind of the request and its
/// number among the requests of this kind, counted from one.
pub fn before_requests(
    store: &Rc<Memory>,
    mut happens: impl FnMut(&Memory, (usize, CallKind)) -> Fault + 'static,
) {
    let (of_others, mut made) = (Rc::downgrade(store), Vec::new());
    store.set_faults(Box::new(move |call| {
        made.push(call.kind);
        let n = made.iter().filter(|kind| **kind == call.kind).count();
        happens(&of_others.upgrade().unwrap(), (n, call.kind))
    }));
}

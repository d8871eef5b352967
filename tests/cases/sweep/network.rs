//! The network between a worker and the store, on which requests fail.

use std::cell::{Cell, RefCell};

use referee::data::Item;
use referee::rules::Rules;
use referee::store::memory::{CallKind, Fault};
use referee::store::{
    Action, Answer, CancellationReason, Memory, Page, Query, Read, Store, StoreError, Transacted,
    Units, Write, Written,
};

/// A way in which a request fails.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// A fault that the in-memory store can inject itself.
    Store(Fault),
    /// A transaction is cancelled for this reason, which is given for its first or last action.
    Canceled(CancellationReason, End),
    /// A write is executed, its answer is lost, and it is retried. The caller gets the second
    /// answer.
    RetriedWrite,
    /// Another client deletes the item just before it is written, and puts it back afterwards.
    ConcurrentDelete,
    /// A page of a query has a single item.
    ShortPage,
}

/// The first or last action of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    First,
    Last,
}

impl Failure {
    /// Whether this failure can happen to a request of this kind and differs from a plain failure.
    pub(crate) fn applies_to(&self, kind: CallKind) -> bool {
        match self {
            Self::Store(Fault::Lost(_) | Fault::Late(_) | Fault::Crash { applied: true }) => {
                kind.is_write()
            }
            Self::Store(_) => true,
            Self::Canceled(..) => kind == CallKind::Transact,
            Self::RetriedWrite => kind == CallKind::Write,
            Self::ConcurrentDelete => kind.is_write(),
            Self::ShortPage => kind == CallKind::Query,
        }
    }
}

/// The store, behind a network on which the n-th request fails, or that request and all later ones.
/// Only requests that can fail in the given way are counted.
pub(crate) struct Network<'n> {
    rules: &'n Rules,
    store: &'n Memory,
    failure: Option<Failure>,
    from: usize,
    lasts: bool,
    /// The requests until failures are cleared.
    kinds: RefCell<Vec<CallKind>>,
    is_cleared: Cell<bool>,
    /// For each failed request, how many writes it had, not counting checks.
    failed_requests: RefCell<Vec<usize>>,
    is_dead: Cell<bool>,
}

impl<'n> Network<'n> {
    /// A network without failures.
    pub(crate) fn without_failures(rules: &'n Rules, store: &'n Memory) -> Self {
        Self {
            rules,
            store,
            failure: None,
            from: 0,
            lasts: false,
            kinds: RefCell::new(Vec::new()),
            is_cleared: Cell::new(false),
            failed_requests: RefCell::new(Vec::new()),
            is_dead: Cell::new(false),
        }
    }

    /// Makes the request with this number fail, and all later ones if the failure lasts. Only
    /// requests that can fail in this way are numbered.
    pub(crate) fn with_failure(self, failure: Failure, from: usize, lasts: bool) -> Self {
        Self { failure: Some(failure), from, lasts, ..self }
    }

    pub(crate) const fn store(&self) -> &'n Memory {
        self.store
    }

    /// Stops all failures from now on.
    pub(crate) fn clear_failures(&self) {
        self.is_cleared.set(true);
    }

    pub(crate) fn is_cleared(&self) -> bool {
        self.is_cleared.get()
    }

    /// The kinds of the requests until failures were cleared.
    pub(crate) fn into_kinds(self) -> Vec<CallKind> {
        self.kinds.into_inner()
    }

    /// How many requests have failed.
    pub(crate) fn failed_requests(&self) -> usize {
        self.failed_requests.borrow().len()
    }

    /// Whether each failed request from this one on had several writes.
    pub(crate) fn had_several_writes(&self, from: usize) -> bool {
        self.failed_requests.borrow()[from..].iter().all(|writes| *writes > 1)
    }

    /// Whether the worker died since the last call.
    pub(crate) fn take_death(&self) -> bool {
        self.is_dead.take()
    }

    /// Returns the failure of the next request, which has this many writes, if it fails.
    fn next_failure(&self, kind: CallKind, writes: usize) -> Option<Failure> {
        if self.is_cleared() {
            return None;
        }
        self.kinds.borrow_mut().push(kind);
        let failure = self.failure.as_ref().filter(|failure| failure.applies_to(kind))?;
        let kinds = self.kinds.borrow();
        let number = kinds.iter().filter(|kind| failure.applies_to(**kind)).count();
        let fails = number == self.from || (self.lasts && number > self.from);
        if fails {
            self.failed_requests.borrow_mut().push(writes);
            self.is_dead.set(matches!(failure, Failure::Store(Fault::Crash { .. })));
        }
        fails.then(|| failure.clone())
    }

    /// Injects this failure into the store's next request.
    fn prepare(&self, failure: Option<Failure>) {
        match failure {
            Some(Failure::Store(fault)) => {
                let mut fault = Some(fault);
                self.store.set_faults(Box::new(move |_| fault.take().unwrap_or_default()));
            }
            _ => self.store.clear_faults(),
        }
    }

    /// Deletes the item at a write's key, as another client, and returns it.
    async fn take_away(&self, write: &Write) -> Result<Option<Item<'static>>, StoreError> {
        let item = self.look(write).await?;
        if item.is_some() {
            let action = Action::Delete(self.key(write));
            self.store.write(Write { action, condition: None, ..write.clone() }).await?;
        }
        Ok(item)
    }

    /// Puts the item back, unless another item is at its key.
    async fn put_back(&self, write: &Write, item: Option<Item<'static>>) -> Result<(), StoreError> {
        if let (Some(item), None) = (item, self.look(write).await?) {
            let action = Action::Put(item);
            self.store.write(Write { action, condition: None, ..write.clone() }).await?;
        }
        Ok(())
    }

    async fn look(&self, write: &Write) -> Result<Option<Item<'static>>, StoreError> {
        let read = Read { table: write.table.clone(), key: self.key(write), attributes: None };
        Ok(self.store.batch_get(vec![read]).await?.value.pop().flatten())
    }

    fn key(&self, write: &Write) -> Item<'static> {
        match &write.action {
            Action::Update { key, .. } | Action::Delete(key) | Action::Check(key) => key.clone(),
            Action::Put(item) => {
                let (_, schema) = self.rules.table_named(&write.table).unwrap();
                schema.item_of(&schema.key_of(item).unwrap())
            }
        }
    }
}

impl Store for Network<'_> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        self.prepare(self.next_failure(CallKind::BatchGet, 0));
        self.store.batch_get(reads).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        let failure = self.next_failure(CallKind::Query, 0);
        let limit = if matches!(failure, Some(Failure::ShortPage)) { Some(1) } else { query.limit };
        self.prepare(failure);
        self.store.query(Query { limit, ..query }).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        let failure = self.next_failure(CallKind::Write, 1);
        self.prepare(failure.clone());
        match failure {
            Some(Failure::RetriedWrite) => {
                self.store.write(write.clone()).await?;
                self.store.write(write).await
            }
            Some(Failure::ConcurrentDelete) => {
                let item = self.take_away(&write).await?;
                let answer = self.store.write(write.clone()).await;
                self.put_back(&write, item).await?;
                answer
            }
            _ => self.store.write(write).await,
        }
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        let written = |write: &&Write| !matches!(write.action, Action::Check(_));
        let failure = self.next_failure(CallKind::Transact, actions.iter().filter(written).count());
        self.prepare(failure.clone());
        match failure {
            Some(Failure::Canceled(reason, end)) => {
                let mut reasons = vec![CancellationReason::None; actions.len()];
                let place = if end == End::First { 0 } else { actions.len() - 1 };
                reasons[place] = reason;
                Ok(Answer { value: Transacted::Canceled(reasons), units: Units::default() })
            }
            Some(Failure::ConcurrentDelete) => {
                let write = actions.iter().find(written).unwrap().clone();
                let item = self.take_away(&write).await?;
                let answer = self.store.transact(actions).await;
                self.put_back(&write, item).await?;
                answer
            }
            _ => self.store.transact(actions).await,
        }
    }
}

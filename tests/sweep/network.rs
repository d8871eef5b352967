//! The network between a worker and the store, on which requests go wrong.

use std::cell::{Cell, RefCell};

use referee::data::Item;
use referee::rules::Rules;
use referee::store::memory::{CallKind, Fault};
use referee::store::{
    Action, Answer, CancellationReason, Memory, Page, Query, Read, Store, StoreError, Transacted,
    Units, Write, Written,
};

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Ill {
    /// What the embedded store can do by itself.
    Store(Fault),
    /// A transaction is cancelled for this reason, which is given for the action at this place
    /// from the end, or from the beginning.
    Canceled(CancellationReason, End),
    /// A write is carried out, its answer is lost, it is tried again, and this answer is told.
    Again,
    /// Somebody deletes the item just before it is written, and puts it back after that.
    Meanwhile,
    /// A page of a query has a single item.
    ShortPage,
}

/// Which action of a transaction is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    First,
    Last,
}

impl Ill {
    /// Whether it can happen to such a request, and is another thing there than a plain failure.
    fn befalls(&self, kind: CallKind) -> bool {
        match self {
            Self::Store(Fault::Lost(_) | Fault::Late(_) | Fault::Crash { applied: true }) => {
                kind.is_write()
            }
            Self::Store(_) => true,
            Self::Canceled(..) => kind == CallKind::Transact,
            Self::Again => kind == CallKind::Write,
            Self::Meanwhile => kind.is_write(),
            Self::ShortPage => kind == CallKind::Query,
        }
    }
}

/// The store, behind a network on which the n-th request goes wrong that can, or all from it on.
pub(crate) struct Network<'n> {
    rules: &'n Rules,
    store: &'n Memory,
    ill: Option<Ill>,
    from: u64,
    lasts: bool,
    requests: Cell<u64>,
    is_lifted: Cell<bool>,
    /// The requests that have gone wrong: what each was to write, checks apart.
    struck: RefCell<Vec<usize>>,
    is_dead: Cell<bool>,
}

impl<'n> Network<'n> {
    /// A network on which nothing goes wrong.
    pub(crate) fn sound(rules: &'n Rules, store: &'n Memory) -> Self {
        Self {
            rules,
            store,
            ill: None,
            from: 0,
            lasts: false,
            requests: Cell::new(0),
            is_lifted: Cell::new(false),
            struck: RefCell::new(Vec::new()),
            is_dead: Cell::new(false),
        }
    }

    /// The same, but for the request of this number among those that can go wrong so, and if it
    /// lasts all that follow it.
    pub(crate) fn ill(self, ill: Ill, from: u64, lasts: bool) -> Self {
        Self { ill: Some(ill), from, lasts, ..self }
    }

    pub(crate) const fn store(&self) -> &'n Memory {
        self.store
    }

    /// Lets nothing go wrong from now on.
    pub(crate) fn lift(&self) {
        self.is_lifted.set(true);
    }

    pub(crate) fn is_lifted(&self) -> bool {
        self.is_lifted.get()
    }

    /// How many requests have gone wrong.
    pub(crate) fn struck(&self) -> usize {
        self.struck.borrow().len()
    }

    /// Of these requests that went wrong, whether each was of several writes.
    pub(crate) fn are_of_several(&self, from: usize) -> bool {
        self.struck.borrow()[from..].iter().all(|writes| *writes > 1)
    }

    /// Whether the worker died since the last time.
    pub(crate) fn take_death(&self) -> bool {
        self.is_dead.take()
    }

    /// What goes wrong with the next request, which is to write so many items.
    fn strike(&self, kind: CallKind, writes: usize) -> Option<Ill> {
        let ill = self.ill.as_ref().filter(|ill| !self.is_lifted() && ill.befalls(kind))?;
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let strikes = number == self.from || (self.lasts && number > self.from);
        if strikes {
            self.struck.borrow_mut().push(writes);
            self.is_dead.set(matches!(ill, Ill::Store(Fault::Crash { .. })));
        }
        strikes.then(|| ill.clone())
    }

    /// Lets the store do this to the next request.
    fn prepare(&self, ill: Option<Ill>) {
        match ill {
            Some(Ill::Store(fault)) => {
                let mut fault = Some(fault);
                self.store.set_faults(Box::new(move |_| fault.take().unwrap_or_default()));
            }
            _ => self.store.clear_faults(),
        }
    }

    /// Somebody deletes what is at a write's key. What it was.
    async fn take_away(&self, write: &Write) -> Result<Option<Item<'static>>, StoreError> {
        let item = self.look(write).await?;
        if item.is_some() {
            let action = Action::Delete(self.key(write));
            self.store.write(Write { action, condition: None, ..write.clone() }).await?;
        }
        Ok(item)
    }

    /// They put it back, if there is nothing else.
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
        self.prepare(self.strike(CallKind::BatchGet, 0));
        self.store.batch_get(reads).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        let ill = self.strike(CallKind::Query, 0);
        let limit = if matches!(ill, Some(Ill::ShortPage)) { Some(1) } else { query.limit };
        self.prepare(ill);
        self.store.query(Query { limit, ..query }).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        let ill = self.strike(CallKind::Write, 1);
        self.prepare(ill.clone());
        match ill {
            Some(Ill::Again) => {
                self.store.write(write.clone()).await?;
                self.store.write(write).await
            }
            Some(Ill::Meanwhile) => {
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
        let ill = self.strike(CallKind::Transact, actions.iter().filter(written).count());
        self.prepare(ill.clone());
        match ill {
            Some(Ill::Canceled(reason, end)) => {
                let mut reasons = vec![CancellationReason::None; actions.len()];
                let place = if end == End::First { 0 } else { actions.len() - 1 };
                reasons[place] = reason;
                Ok(Answer { value: Transacted::Canceled(reasons), units: Units::default() })
            }
            Some(Ill::Meanwhile) => {
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

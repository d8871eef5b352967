//! The requests of an engine and the replies to them, as values: tests record, repeat and delay
//! them.

use std::cell::Cell;

use referee::data::Item;
use referee::runtime::clock::Clock;
use referee::store::{Answer, Page, Query, Read, Store, StoreError, Transacted, Write, Written};

/// A request that an engine waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    BatchGet(Vec<Read>),
    Query(Query),
    Write(Write),
    Transact(Vec<Write>),
    /// To wait until this time, in milliseconds since 1970.
    Sleep(i64),
}

/// The reply to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Items(Result<Answer<Vec<Option<Item<'static>>>>, StoreError>),
    Page(Result<Answer<Page>, StoreError>),
    Written(Result<Answer<Written>, StoreError>),
    Transacted(Result<Answer<Transacted>, StoreError>),
    /// The time after waiting, in milliseconds since 1970.
    Awake(i64),
}

impl Request {
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::BatchGet(_) | Self::Query(_))
    }

    /// Whether the request may still be executed after the engine has stopped waiting for it.
    pub const fn is_write(&self) -> bool {
        matches!(self, Self::Write(_) | Self::Transact(_))
    }

    /// Carries out the request.
    pub async fn carry_out(self, store: &impl Store, clock: &impl Clock) -> Reply {
        match self {
            Self::BatchGet(reads) => Reply::Items(store.batch_get(reads).await),
            Self::Query(query) => Reply::Page(store.query(query).await),
            Self::Write(write) => Reply::Written(store.write(write).await),
            Self::Transact(actions) => Reply::Transacted(store.transact(actions).await),
            Self::Sleep(until_ms) => {
                clock.sleep_until_ms(until_ms).await;
                Reply::Awake(clock.now_ms())
            }
        }
    }
}

/// What replies to the requests of an engine.
pub trait Responder {
    fn reply(&self, request: Request) -> impl Future<Output = Reply>;
}

/// The store and the clock of an engine, whose requests all go to a responder.
pub struct Requests<R> {
    pub responder: R,
    now_ms: Cell<i64>,
}

impl<R> Requests<R> {
    /// The engine starts at this time, in milliseconds since 1970.
    pub const fn new(responder: R, now_ms: i64) -> Self {
        Self { responder, now_ms: Cell::new(now_ms) }
    }
}

impl<R: Responder> Store for Requests<R> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        let Reply::Items(items) = self.responder.reply(Request::BatchGet(reads)).await else {
            panic!("items were asked for")
        };
        items
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        let Reply::Page(page) = self.responder.reply(Request::Query(query)).await else {
            panic!("a page was asked for")
        };
        page
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        let Reply::Written(written) = self.responder.reply(Request::Write(write)).await else {
            panic!("a write was asked for")
        };
        written
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        let Reply::Transacted(transacted) = self.responder.reply(Request::Transact(actions)).await
        else {
            panic!("a transaction was asked for")
        };
        transacted
    }
}

impl<R: Responder> Clock for Requests<R> {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let Reply::Awake(now_ms) = self.responder.reply(Request::Sleep(time_ms)).await else {
            panic!("a wait was asked for")
        };
        self.now_ms.set(now_ms);
    }
}

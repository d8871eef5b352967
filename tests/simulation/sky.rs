//! The environment of workers: a clock, and a store whose requests take time and may fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use fastrand::Rng;
use referee::runtime::clock::Clock;
use referee::store::memory::{Call, CallKind, Fault};
use referee::store::scan::{Scan, Scanner};
use referee::store::{
    Answer, CancellationReason, Memory, Page, Query, Read, Store, StoreError, Transacted, Units,
    Write, Written,
};

use crate::broken::{Part, misread, weakened};
use crate::model::BEGIN_S;
use crate::past::By;
use crate::scenario::FaultRates;

/// The time at which histories begin, in milliseconds since 1970.
const BEGIN_MS: i64 = BEGIN_S * 1_000;

/// The events that can happen. In a long run, each must happen at least once.
pub(crate) const EVENTS: [&str; 20] = [
    "crashes",
    "crashes in a write that lands later",
    "throttled requests",
    "lost answers",
    "late writes",
    "cancelled transactions",
    "timeouts",
    "transactions seen in part",
    "expiries",
    "redelivered batches",
    "splits",
    "clock jumps",
    "unreadable records",
    "records given up and replayed",
    "messages sent",
    "messages sent again",
    "messages refused",
    "messages whose acceptance was lost",
    "messages delivered twice",
    "messages returned",
];

#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) rng: RefCell<Rng>,
    pub(crate) rates: Cell<FaultRates>,
    /// The true time.
    pub(crate) now_ms: Cell<i64>,
    /// The error of the workers' clocks.
    pub(crate) skew_ms: Cell<i64>,
    /// Whether the worker that ran last has died.
    pub(crate) has_crashed: Cell<bool>,
    /// How often each event happened.
    pub(crate) happened: RefCell<BTreeMap<&'static str, u64>>,
    pub(crate) broken: Option<Part>,
    /// Whether the next request comes from a worker.
    is_asking: Cell<bool>,
    /// The number of actions in the requested transaction.
    actions: Cell<usize>,
}

impl Environment {
    pub(crate) fn new(seed: u64, rates: FaultRates, broken: Option<Part>) -> Self {
        Self {
            rng: RefCell::new(Rng::with_seed(seed)),
            rates: Cell::new(rates),
            now_ms: Cell::new(BEGIN_MS),
            skew_ms: Cell::new(0),
            has_crashed: Cell::new(false),
            happened: RefCell::default(),
            broken,
            is_asking: Cell::new(false),
            actions: Cell::new(0),
        }
    }

    /// Whether an event with this rate per thousand happens now.
    pub(crate) fn happens(&self, often: u16) -> bool {
        often > 0 && self.rng.borrow_mut().u16(..1_000) < often
    }

    /// Counts an event.
    pub(crate) fn count_event(&self, event: &'static str) {
        *self.happened.borrow_mut().entry(event).or_default() += 1;
    }

    /// Decides which fault to inject into a request, if any.
    pub(crate) fn fault(&self, call: &Call<'_>) -> Fault {
        if !self.is_asking.take() {
            return Fault::None;
        }
        let rates = self.rates.get();
        let timeout = || StoreError::Retry("the request timed out".to_owned());
        if self.happens(rates.crashes) {
            self.has_crashed.set(true);
            if call.kind.is_write() && self.rng.borrow_mut().bool() {
                self.count_event("crashes in a write that lands later");
                return Fault::Late(timeout());
            }
            self.count_event("crashes");
            return Fault::Crash { applied: self.rng.borrow_mut().bool() };
        }
        if self.happens(rates.throttles) {
            self.count_event("throttled requests");
            return Fault::Fail(StoreError::Throttled("the request was throttled".to_owned()));
        }
        if self.happens(rates.losses) {
            self.count_event("lost answers");
            return Fault::Lost(timeout());
        }
        if call.kind.is_write() && self.happens(rates.late) {
            self.count_event("late writes");
            return Fault::Late(timeout());
        }
        if call.kind == CallKind::Transact && self.happens(rates.conflicts) {
            self.count_event("cancelled transactions");
            let mut reasons = vec![CancellationReason::None; self.actions.get()];
            let place = self.rng.borrow_mut().usize(..reasons.len());
            let is_conflict = self.rng.borrow_mut().bool();
            reasons[place] = if is_conflict {
                CancellationReason::Conflict
            } else {
                CancellationReason::Throttled
            };
            return Fault::Cancel(reasons);
        }
        Fault::None
    }

    /// May let the rest of the world proceed before a request to the store.
    async fn pause(&self) {
        self.take_turns().await;
        self.is_asking.set(true);
    }

    /// May let the rest of the world proceed.
    pub(crate) async fn take_turns(&self) {
        let mut turns = self.rng.borrow_mut().u8(..3);
        wait(|| {
            turns = turns.saturating_sub(1);
            turns == 0
        })
        .await;
    }

    /// Stops a worker that has died.
    async fn stop_if_dead(&self) {
        if self.has_crashed.get() {
            pending::<()>().await;
        }
    }
}

/// Waits until a condition holds. The condition is tested each time the worker is polled.
async fn wait(mut is_over: impl FnMut() -> bool) {
    poll_fn(|context| {
        if is_over() {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A worker's clock.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) environment: Rc<Environment>,
    pub(crate) deadline_ms: i64,
    /// The true time until which the worker sleeps.
    pub(crate) until_ms: Rc<Cell<i64>>,
}

impl Clock for Watch {
    fn now_ms(&self) -> i64 {
        self.environment.now_ms.get() + self.environment.skew_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let left_ms = (time_ms - self.now_ms()).max(0);
        self.until_ms.set(self.environment.now_ms.get() + left_ms);
        wait(|| self.environment.now_ms.get() >= self.until_ms.get()).await;
    }

    fn deadline_ms(&self) -> Option<i64> {
        Some(self.deadline_ms)
    }
}

/// The store, over a network.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) store: Rc<Memory>,
    pub(crate) environment: Rc<Environment>,
    /// Whose requests these are.
    pub(crate) by: By,
}

impl Scanner for Remote {
    async fn scan(&self, scan: Scan) -> Result<Answer<Page>, StoreError> {
        self.environment.pause().await;
        self.store.scan(scan).await
    }
}

impl Store for Remote {
    /// Items are read one after the other, so a read may see only part of a transaction.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<referee::data::Item<'static>>>>, StoreError> {
        let broken = self.environment.broken;
        if reads.len() == 1 || self.environment.rng.borrow_mut().bool() {
            self.environment.pause().await;
            let Answer { value, units } = self.store.batch_get(reads).await?;
            return Ok(Answer { value: misread(value, broken), units });
        }
        let mut answer = Answer { value: Vec::new(), units: Units::default() };
        for read in reads {
            self.environment.pause().await;
            let one = self.store.batch_get(vec![read]).await?;
            answer.value.extend(misread(one.value, broken));
            answer.units += one.units;
        }
        Ok(answer)
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.environment.pause().await;
        let mut answer = self.store.query(query).await?;
        if self.environment.broken == Some(Part::Finding) {
            answer.value.items.clear();
        }
        Ok(answer)
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.environment.pause().await;
        let write = weakened(write, self.environment.broken, self.by);
        let answer = self.store.write(write).await;
        self.environment.stop_if_dead().await;
        answer
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.environment.pause().await;
        self.environment.actions.set(actions.len());
        let broken = self.environment.broken;
        let actions = actions.into_iter().map(|action| weakened(action, broken, self.by)).collect();
        let answer = self.store.transact(actions).await;
        self.environment.stop_if_dead().await;
        answer
    }
}

//! What a worker lives under: its clock, and a store whose requests take time and go wrong.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use fastrand::Rng;
use referee::runtime::clock::Clock;
use referee::store::memory::{Call, CallKind, Fault};
use referee::store::{
    Answer, CancellationReason, Memory, Page, Query, Read, Store, StoreError, Transacted, Units,
    Write, Written,
};

use crate::broken::{Part, misread, weakened};
use crate::scenario::Weather;

/// The time at which everything begins, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// What may happen, and must in so many histories.
pub(crate) const EVENTS: [&str; 14] = [
    "crashes",
    "crashes in a write that lands later",
    "throttled requests",
    "lost answers",
    "late writes",
    "cancelled transactions",
    "timeouts",
    "transactions seen in part",
    "expiries",
    "batches delivered again",
    "splits",
    "jumps of the clock",
    "records nobody can read",
    "records given up and replayed",
];

#[derive(Debug)]
pub(crate) struct Sky {
    pub(crate) rng: RefCell<Rng>,
    pub(crate) weather: Cell<Weather>,
    /// The true time.
    pub(crate) now_ms: Cell<i64>,
    /// What the workers' clocks are wrong by.
    pub(crate) skew_ms: Cell<i64>,
    /// Whether the worker that ran last has died.
    pub(crate) has_crashed: Cell<bool>,
    /// How often what happened.
    pub(crate) happened: RefCell<BTreeMap<&'static str, u64>>,
    pub(crate) broken: Option<Part>,
    /// Whether it is a worker that asks the store.
    is_asking: Cell<bool>,
    /// How many actions the transaction has that is asked for.
    actions: Cell<usize>,
}

impl Sky {
    pub(crate) fn new(seed: u64, weather: Weather, broken: Option<Part>) -> Self {
        Self {
            rng: RefCell::new(Rng::with_seed(seed)),
            weather: Cell::new(weather),
            now_ms: Cell::new(BEGIN_MS),
            skew_ms: Cell::new(0),
            has_crashed: Cell::new(false),
            happened: RefCell::default(),
            broken,
            is_asking: Cell::new(false),
            actions: Cell::new(0),
        }
    }

    /// Whether something happens that does so many times in a thousand.
    pub(crate) fn happens(&self, often: u16) -> bool {
        often > 0 && self.rng.borrow_mut().u16(..1_000) < often
    }

    /// Takes note of what happens.
    pub(crate) fn note(&self, event: &'static str) {
        *self.happened.borrow_mut().entry(event).or_default() += 1;
    }

    /// What goes wrong with a request.
    pub(crate) fn fault(&self, call: &Call<'_>) -> Fault {
        if !self.is_asking.take() {
            return Fault::None;
        }
        let weather = self.weather.get();
        let timeout = || StoreError::Retry("the request timed out".to_owned());
        if self.happens(weather.crashes) {
            self.has_crashed.set(true);
            if call.kind.is_write() && self.rng.borrow_mut().bool() {
                self.note("crashes in a write that lands later");
                return Fault::Late(timeout());
            }
            self.note("crashes");
            return Fault::Crash { applied: self.rng.borrow_mut().bool() };
        }
        if self.happens(weather.throttles) {
            self.note("throttled requests");
            return Fault::Fail(StoreError::Retry("the request was throttled".to_owned()));
        }
        if self.happens(weather.losses) {
            self.note("lost answers");
            return Fault::Lost(timeout());
        }
        if call.kind.is_write() && self.happens(weather.late) {
            self.note("late writes");
            return Fault::Late(timeout());
        }
        if call.kind == CallKind::Transact && self.happens(weather.conflicts) {
            self.note("cancelled transactions");
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

    /// Lets the world go on before a request is made, or does not.
    async fn pause(&self) {
        let mut turns = self.rng.borrow_mut().u8(..3);
        wait(|| {
            turns = turns.saturating_sub(1);
            turns == 0
        })
        .await;
        self.is_asking.set(true);
    }

    /// Whoever has died goes no further.
    async fn survive(&self) {
        if self.has_crashed.get() {
            pending::<()>().await;
        }
    }
}

/// Waits until this holds, which is asked whenever the worker has a turn.
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
    pub(crate) sky: Rc<Sky>,
    pub(crate) deadline_ms: i64,
    /// Until when the worker sleeps, by the true time.
    pub(crate) until_ms: Rc<Cell<i64>>,
}

impl Clock for Watch {
    fn now_ms(&self) -> i64 {
        self.sky.now_ms.get() + self.sky.skew_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let left_ms = (time_ms - self.now_ms()).max(0);
        self.until_ms.set(self.sky.now_ms.get() + left_ms);
        wait(|| self.sky.now_ms.get() >= self.until_ms.get()).await;
    }

    fn deadline_ms(&self) -> Option<i64> {
        Some(self.deadline_ms)
    }
}

/// The store, over a network.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) store: Rc<Memory>,
    pub(crate) sky: Rc<Sky>,
}

impl Store for Remote {
    /// Items are read one after the other: what a transaction writes may be seen in part.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<referee::data::Item<'static>>>>, StoreError> {
        let broken = self.sky.broken;
        if reads.len() == 1 || self.sky.rng.borrow_mut().bool() {
            self.sky.pause().await;
            let Answer { value, units } = self.store.batch_get(reads).await?;
            return Ok(Answer { value: misread(value, broken), units });
        }
        let mut answer = Answer { value: Vec::new(), units: Units::default() };
        for read in reads {
            self.sky.pause().await;
            let one = self.store.batch_get(vec![read]).await?;
            answer.value.extend(misread(one.value, broken));
            answer.units += one.units;
        }
        Ok(answer)
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.sky.pause().await;
        let mut answer = self.store.query(query).await?;
        if self.sky.broken == Some(Part::Finding) {
            answer.value.items.clear();
        }
        Ok(answer)
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.sky.pause().await;
        let answer = self.store.write(weakened(write, self.sky.broken)).await;
        self.sky.survive().await;
        answer
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.sky.pause().await;
        self.sky.actions.set(actions.len());
        let broken = self.sky.broken;
        let actions = actions.into_iter().map(|action| weakened(action, broken)).collect();
        let answer = self.store.transact(actions).await;
        self.sky.survive().await;
        answer
    }
}

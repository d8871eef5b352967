//! Deliveries that went the same way before.
//!
//! What the engine does with a batch depends only on the time at which it starts and on the answers
//! to its requests. If all requests of an earlier delivery are answered as they were then, the
//! result is the same, and only the requests are carried out again. Most deliveries of a sweep are
//! like this, because a single request fails. As soon as an answer differs, the engine runs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;
use referee::data::Item;
use referee::engine::Engine;
use referee::runtime::clock::Clock;
use referee::store::{
    Answer as Answered, Page, Query, Read, Store, StoreError, Transacted, Write, Written,
};
use serde_json::value::RawValue;

use crate::sweep::lambda::Answer;
use crate::sweep::network::Network;

/// What the engine asks for.
#[derive(Debug, Clone, PartialEq)]
enum Request {
    Get(Vec<Read>),
    Query(Query),
    Write(Write),
    Transact(Vec<Write>),
    /// To wait until this time.
    Sleep(i64),
}

/// What the engine learns from a request.
#[derive(Debug, Clone, PartialEq)]
enum Reply {
    Got(Result<Answered<Vec<Option<Item<'static>>>>, StoreError>),
    Queried(Result<Answered<Page>, StoreError>),
    Written(Result<Answered<Written>, StoreError>),
    Transacted(Result<Answered<Transacted>, StoreError>),
    /// The time after waiting.
    Slept(i64),
    /// The worker died.
    Nothing,
}

type Step = (Request, Reply);

/// A delivery: the requests of the engine, and its answer.
struct Recording {
    steps: Vec<Step>,
    answer: Answer,
}

/// The deliveries so far, by time and records.
#[derive(Default)]
pub(super) struct Recordings(RefCell<BTreeMap<(i64, String), Vec<Recording>>>);

impl Recordings {
    /// Lets the engine process a batch, or repeats the requests of the same delivery.
    pub(super) fn process<C: Clock>(
        &self,
        engine: &Engine,
        records: &[&RawValue],
        (network, clock): (&Network<'_>, &C),
    ) -> Answer {
        let now_ms = clock.now_ms();
        let texts: Vec<_> = records.iter().map(|record| record.get()).collect();
        let mut all = self.0.borrow_mut();
        let known = all.entry((now_ms, texts.join("\n"))).or_default();
        let (mut replies, mut last) = (Vec::new(), None);
        let mut alike: Vec<&Recording> = known.iter().collect();
        while let Some(first) = alike.first().copied() {
            let place = replies.len();
            let Some((request, _)) = first.steps.get(place) else {
                network.take_death();
                return first.answer.clone();
            };
            let reply = reply_to(request.clone(), network, clock).now_or_never();
            let reply = reply.unwrap_or(Reply::Nothing);
            alike.retain(|it| it.steps.get(place).is_some_and(|(_, known)| *known == reply));
            replies.push(reply);
            last = Some(first);
        }
        let requests = last.into_iter().flat_map(|it| &it.steps).map(|(request, _)| request);
        let steps: Vec<_> = requests.cloned().zip(replies).collect();
        let recorder = Recorder {
            network,
            clock,
            now_ms: Cell::new(now_ms),
            repeated: steps.len(),
            asked: Cell::new(0),
            steps: RefCell::new(steps),
        };
        let answer = recorder.process(engine, records);
        known.push(Recording { steps: recorder.steps.into_inner(), answer: answer.clone() });
        answer
    }
}

/// Carries out a request.
async fn reply_to(request: Request, network: &Network<'_>, clock: &impl Clock) -> Reply {
    match request {
        Request::Get(reads) => Reply::Got(network.batch_get(reads).await),
        Request::Query(query) => Reply::Queried(network.query(query).await),
        Request::Write(write) => Reply::Written(network.write(write).await),
        Request::Transact(actions) => Reply::Transacted(network.transact(actions).await),
        Request::Sleep(time_ms) => {
            clock.sleep_until_ms(time_ms).await;
            Reply::Slept(clock.now_ms())
        }
    }
}

/// The network and the clock of an engine whose requests are recorded. The first requests have
/// been carried out already.
struct Recorder<'r, 'n, C> {
    network: &'r Network<'n>,
    clock: &'r C,
    /// The time as the engine knows it: waiting that was carried out already lies ahead of it.
    now_ms: Cell<i64>,
    /// The number of requests that were carried out already.
    repeated: usize,
    /// The number of the engine's requests so far.
    asked: Cell<usize>,
    steps: RefCell<Vec<Step>>,
}

impl<C: Clock> Recorder<'_, '_, C> {
    fn process(&self, engine: &Engine, records: &[&RawValue]) -> Answer {
        let mut processing = pin!(engine.process(records, self, self));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match processing.as_mut().poll(&mut context) {
                Poll::Ready(Ok(outcome)) => return Answer::Outcome(outcome.into()),
                Poll::Ready(Err(_)) => return Answer::Fatal,
                // A future that only yields is polled again; a dead worker is not.
                Poll::Pending if !self.network.take_death() => {}
                Poll::Pending => return Answer::Nothing,
            }
        }
    }

    /// Answers a request, as it was answered already or by carrying it out.
    async fn reply(&self, request: Request) -> Reply {
        let place = self.asked.replace(self.asked.get() + 1);
        let reply = if place < self.repeated {
            let steps = self.steps.borrow();
            assert_eq!(steps[place].0, request, "the engine has asked for something else before");
            steps[place].1.clone()
        } else {
            self.steps.borrow_mut().push((request.clone(), Reply::Nothing));
            let reply = reply_to(request, self.network, self.clock).await;
            self.steps.borrow_mut()[place].1 = reply.clone();
            reply
        };
        if reply == Reply::Nothing {
            std::future::pending::<()>().await;
        }
        reply
    }
}

impl<C: Clock> Store for Recorder<'_, '_, C> {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answered<Vec<Option<Item<'static>>>>, StoreError> {
        let Reply::Got(answer) = self.reply(Request::Get(reads)).await else { unreachable!() };
        answer
    }

    async fn query(&self, query: Query) -> Result<Answered<Page>, StoreError> {
        let Reply::Queried(answer) = self.reply(Request::Query(query)).await else {
            unreachable!()
        };
        answer
    }

    async fn write(&self, write: Write) -> Result<Answered<Written>, StoreError> {
        let Reply::Written(answer) = self.reply(Request::Write(write)).await else {
            unreachable!()
        };
        answer
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answered<Transacted>, StoreError> {
        let Reply::Transacted(answer) = self.reply(Request::Transact(actions)).await else {
            unreachable!()
        };
        answer
    }
}

impl<C: Clock> Clock for Recorder<'_, '_, C> {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        if let Reply::Slept(now_ms) = self.reply(Request::Sleep(time_ms)).await {
            self.now_ms.set(now_ms);
        }
    }
}

//! Deliveries that went the same way before.
//!
//! What the engine does with a batch depends only on the time at which it starts and on the answers
//! to its requests. If all requests of an earlier delivery are answered as they were then, the
//! result is the same, and only the requests are carried out again. Most deliveries of a sweep are
//! like this, because a single request fails. As soon as an answer differs, the engine runs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;
use kit::requests::{Reply, Request, Requests, Responder};
use referee::engine::Engine;
use referee::runtime::clock::Clock;
use serde_json::value::RawValue;

use crate::sweep::lambda::Answer;
use crate::sweep::network::Network;

/// A request and its reply, unless the worker died of it.
type Step = (Request, Option<Reply>);

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
            let reply = request.clone().carry_out(network, clock).now_or_never();
            alike.retain(|it| it.steps.get(place).is_some_and(|(_, known)| *known == reply));
            replies.push(reply);
            last = Some(first);
        }
        let requests = last.into_iter().flat_map(|it| &it.steps).map(|(request, _)| request);
        let steps: Vec<_> = requests.cloned().zip(replies).collect();
        let recorder = Recorder {
            network,
            clock,
            repeated: steps.len(),
            asked: Cell::new(0),
            steps: RefCell::new(steps),
        };
        let requests = Requests::new(recorder, now_ms);
        let answer = process(engine, records, &requests);
        let steps = requests.responder.steps.into_inner();
        known.push(Recording { steps, answer: answer.clone() });
        answer
    }
}

/// Lets the engine process a batch until it finishes or the worker dies.
fn process<C: Clock>(
    engine: &Engine,
    records: &[&RawValue],
    requests: &Requests<Recorder<'_, '_, C>>,
) -> Answer {
    let mut processing = pin!(engine.process(records, requests, requests));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match processing.as_mut().poll(&mut context) {
            Poll::Ready(Ok(outcome)) => return Answer::Outcome(outcome.into()),
            Poll::Ready(Err(_)) => return Answer::Fatal,
            // A future that only yields is polled again; a dead worker is not.
            Poll::Pending if !requests.responder.network.take_death() => {}
            Poll::Pending => return Answer::Nothing,
        }
    }
}

/// Carries out an engine's requests and records them. The first requests have been carried out
/// already.
struct Recorder<'r, 'n, C> {
    network: &'r Network<'n>,
    clock: &'r C,
    /// The number of requests that were carried out already.
    repeated: usize,
    /// The number of the engine's requests so far.
    asked: Cell<usize>,
    steps: RefCell<Vec<Step>>,
}

impl<C: Clock> Responder for Recorder<'_, '_, C> {
    /// Answers a request, as it was answered already or by carrying it out.
    async fn reply(&self, request: Request) -> Reply {
        let place = self.asked.replace(self.asked.get() + 1);
        let reply = if place < self.repeated {
            let steps = self.steps.borrow();
            assert_eq!(steps[place].0, request, "the engine has asked for something else before");
            steps[place].1.clone()
        } else {
            self.steps.borrow_mut().push((request.clone(), None));
            let reply = request.carry_out(self.network, self.clock).await;
            self.steps.borrow_mut()[place].1 = Some(reply.clone());
            Some(reply)
        };
        match reply {
            Some(reply) => reply,
            None => std::future::pending().await,
        }
    }
}

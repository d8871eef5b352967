//! Workers: invocations of the function with a batch of records or a message of the queue.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use referee::engine::{Outcome, RecheckError, Rechecked, Response, Services, Violation};
use serde_json::value::RawValue;

use super::World;
use super::queue::Message;
use crate::broken::Part;
use crate::past::{By, Reported};
use crate::sky::Watch;
use crate::stream::{Batch, Verdict};

/// The time between an invocation's deadline and its timeout, in milliseconds.
const MARGIN_MS: i64 = 500;

type Invocation = Pin<Box<dyn Future<Output = Result<Rechecked, RecheckError>>>>;

/// What is delivered to a worker.
pub(super) enum Load {
    Batch(Batch),
    Message(Message),
}

pub(super) struct Worker {
    pub(super) load: Load,
    /// How many steps had happened when the worker began.
    begun: usize,
    invocation: Invocation,
    /// The true time at which it times out.
    pub(super) end_ms: i64,
    pub(super) until_ms: Rc<Cell<i64>>,
}

impl World<'_> {
    /// Invokes the function with a lane's next batch.
    pub(super) fn invoke(&mut self, lane: (usize, usize)) {
        let now_ms = self.environment.now_ms.get();
        self.remote.store.set_now_ms(now_ms.unsigned_abs());
        let (batch, old) = self.streams.next(lane, now_ms, &mut self.environment.rng.borrow_mut());
        self.destination.extend(old);
        let Some(batch) = batch else { return };
        self.past.deliveries += 1;
        let records = self.streams.records(&batch).to_vec();
        let (engine, remote) = (Rc::clone(&self.engine), self.remote.clone());
        let (queue, started) = (self.queue.clone(), Rc::clone(&self.started));
        self.work(Load::Batch(batch), |watch| {
            Box::pin(async move {
                let records: Vec<&RawValue> = records.iter().map(|record| &*record.json).collect();
                let batch = engine.decode_records(&records);
                let (queue, repairs) = (queue.as_deref(), &*started);
                let services = Services { store: &remote, clock: &watch, queue, repairs };
                let outcome = engine.process_with(batch, services).await?;
                Ok(Rechecked { outcome, ..Rechecked::default() })
            })
        });
    }

    /// Invokes the function with the message at this place of the queue.
    pub(super) fn recheck(&mut self, place: usize) {
        let queue = Rc::clone(self.queue.as_ref().unwrap());
        let message = queue.take(place);
        self.past.deliveries += 1;
        let text = Rc::clone(&message.text);
        let (engine, remote) = (Rc::clone(&self.engine), self.remote.clone());
        let started = Rc::clone(&self.started);
        self.work(Load::Message(message), |watch| {
            Box::pin(async move {
                let (queue, repairs) = (Some(&*queue), &*started);
                let services = Services { store: &remote, clock: &watch, queue, repairs };
                engine.recheck(&text, services).await
            })
        });
    }

    /// Starts a worker.
    fn work(&mut self, load: Load, invoke: impl FnOnce(Watch) -> Invocation) {
        let (now_ms, timeout_ms) = (self.environment.now_ms.get(), self.mapping.timeout_ms);
        let until_ms = Rc::new(Cell::new(now_ms));
        let (environment, until) = (Rc::clone(&self.environment), Rc::clone(&until_ms));
        let deadline_ms = now_ms + environment.skew_ms.get() + timeout_ms - MARGIN_MS;
        let watch = Watch { environment, deadline_ms, until_ms: until };
        let invocation = invoke(watch);
        let (begun, end_ms) = (self.past.steps.len(), now_ms + timeout_ms);
        self.workers.push(Worker { load, begun, invocation, end_ms, until_ms });
    }

    /// Runs a worker until it waits, finishes or dies.
    pub(super) fn poll(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        let polled = worker.invocation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.collect(By::Engine, false);
        if self.environment.has_crashed.take() {
            let worker = self.workers.remove(place);
            self.finish(worker.load, Verdict::Failed);
        } else if let Poll::Ready(ended) = polled {
            let Worker { load, begun, .. } = self.workers.remove(place);
            let verdict = match (&load, ended) {
                (Load::Batch(batch), ended) => {
                    let outcome = ended.unwrap().outcome;
                    self.record_outcome(batch, begun, outcome)
                }
                (Load::Message(_), Ok(rechecked)) => self.record_recheck(begun, rechecked),
                (Load::Message(_), Err(RecheckError::Early(_))) => Verdict::Failed,
                (Load::Message(_), Err(error)) => panic!("a message is refused: {error}"),
            };
            self.finish(load, verdict);
        }
    }

    /// Records the violations that a message led to.
    fn record_recheck(&mut self, begun: usize, rechecked: Rechecked) -> Verdict {
        let Rechecked { outcome, dropped, is_forwarded } = rechecked;
        assert!(dropped.is_empty() && outcome.rejected.is_empty(), "{dropped:?} {outcome:?}");
        if is_forwarded {
            self.environment.count_event("messages sent again");
        }
        if outcome.checkpoint().is_some() {
            self.report(begun, outcome, 0);
            return Verdict::Failed;
        }
        self.report(begun, outcome, usize::MAX);
        Verdict::Done
    }

    /// Records the violations of a worker's outcome.
    fn record_outcome(&mut self, batch: &Batch, begun: usize, outcome: Outcome) -> Verdict {
        let records = self.streams.records(batch);
        let records_len = records.len();
        let done = outcome.checkpoint().map_or(records_len, |from| from.position);
        for (position, record) in records.iter().enumerate().take(done) {
            let rejected: Vec<_> =
                outcome.rejected.iter().filter(|it| it.position == position).collect();
            let is_as_it_should_be =
                record.is_impossible || record.name.is_none() != rejected.is_empty();
            assert!(is_as_it_should_be, "{record:?}: {rejected:?}");
        }
        self.report(begun, outcome, done);
        if done == records_len { Verdict::Done } else { Verdict::From(done) }
    }

    /// Records the violations that the records before `done` revealed, and those that are repaired.
    fn report(&mut self, begun: usize, outcome: Outcome, done: usize) {
        let happened = self.past.steps.len();
        let is_reported = self.environment.broken != Some(Part::Reporting);
        let is_final = |it: &Violation| {
            it.occurrence.position < done || it.resolution.response == Response::Repaired
        };
        let reported = outcome.violations.into_iter();
        let reported = reported.filter(|found| is_reported && is_final(found));
        self.past.reported.extend(reported.map(|violation| Reported {
            violation,
            begun,
            happened,
        }));
    }

    pub(super) fn finish(&mut self, load: Load, verdict: Verdict) {
        self.past.unanswered += u64::from(verdict == Verdict::Failed);
        let batch = match load {
            Load::Batch(batch) => batch,
            Load::Message(message) => {
                let queue = self.queue.as_ref().filter(|_| verdict == Verdict::Failed);
                return queue.into_iter().for_each(|queue| queue.put_back(message.clone()));
            }
        };
        let is_lost =
            self.environment.broken == Some(Part::Redelivery) && verdict == Verdict::Failed;
        let verdict = if is_lost { Verdict::Done } else { verdict };
        self.destination.extend(self.streams.finish(batch, verdict));
    }
}

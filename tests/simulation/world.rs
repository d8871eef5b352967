//! The real engine and store, with an application that writes, people who interfere, and workers
//! that run at the same time and die.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use referee::engine::{Engine, Outcome, Violation};
use referee::integrity::mark::MARK;
use referee::rules::{self, RuleSource};
use referee::runtime::error::Fatal;
use referee::store::memory::StreamRecord;
use serde_json::value::RawValue;

use crate::broken::Part;
use crate::items::{Mark, mark, name_of, of_key, store, thing, write};
use crate::model::{Act, Name, State, Thing, table};
use crate::scenario::{Lag, Mapping, Scenario, Weather};
use crate::schema::Schema;
use crate::sky::{Remote, Sky, Watch};
use crate::stream::{Batch, Delivery, Streams, Verdict};

/// How many steps it may take until there is nothing left to do.
const STEPS_MAX: u32 = 100_000;
/// After how many steps nothing goes wrong any more, and time passes only when all wait for it.
const CALM_AFTER: u32 = 600;
/// What an invocation leaves of its time, in milliseconds.
const MARGIN_MS: i64 = 500;

/// What happened to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) before: Option<Thing>,
    pub(crate) after: Option<Thing>,
    pub(crate) mark_before: Option<Mark>,
    pub(crate) mark_after: Option<Mark>,
    pub(crate) by_engine: bool,
    pub(crate) expired: bool,
}

/// A violation that was told, and when.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) violation: Violation,
    /// How many steps had happened when the worker began that told it.
    pub(crate) begun: usize,
    /// How many had when it told.
    pub(crate) happened: usize,
}

/// All that happened.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// In the order in which it happened.
    pub(crate) steps: Vec<Step>,
    /// The violations that were told.
    pub(crate) told: Vec<Told>,
    /// How many deliveries there were.
    pub(crate) deliveries: u64,
    /// How many of them were not answered.
    pub(crate) unanswered: u64,
}

type Invocation = Pin<Box<dyn Future<Output = Result<Outcome, Fatal>>>>;

struct Worker {
    batch: Batch,
    /// How many steps had happened when it began.
    begun: usize,
    invocation: Invocation,
    /// When it is ended, by the true time.
    end_ms: i64,
    until_ms: Rc<Cell<i64>>,
}

pub(crate) struct World<'s> {
    schema: &'s Schema,
    mapping: Mapping,
    weather: Weather,
    engine: Rc<Engine>,
    remote: Remote,
    sky: Rc<Sky>,
    streams: Streams,
    workers: Vec<Worker>,
    acts: VecDeque<Act>,
    /// What the event source mapping has given up.
    destination: Vec<Rc<Delivery>>,
    past: Past,
}

/// The engine of these rules; nothing if they are refused.
pub(crate) fn engine(schema: &Schema) -> Option<Rc<Engine>> {
    let source = RuleSource { name: "rules".to_owned(), text: schema.text() };
    Some(Rc::new(Engine::new(rules::load(&source, &|_| None).rules?)))
}

impl<'s> World<'s> {
    pub(crate) fn new(scenario: &'s Scenario, engine: &Rc<Engine>) -> Self {
        let store = Rc::new(store(engine.rules()));
        let sky = Rc::new(Sky::new(scenario.seed, scenario.weather, scenario.broken));
        if scenario.weather.lag != Lag::None {
            store.hold_indexes();
        }
        let decides = Rc::clone(&sky);
        store.set_faults(Box::new(move |call| decides.fault(call)));
        Self {
            schema: &scenario.schema,
            mapping: scenario.mapping,
            weather: scenario.weather,
            engine: Rc::clone(engine),
            remote: Remote { store, sky: Rc::clone(&sky) },
            sky,
            streams: Streams::new(scenario.mapping),
            workers: Vec::new(),
            acts: VecDeque::new(),
            destination: Vec::new(),
            past: Past::default(),
        }
    }

    /// Lets this and all that follows from it happen, until there is nothing left to do. What was
    /// delivered before is not delivered again.
    pub(crate) fn come_to_rest(&mut self, acts: &[Act]) {
        self.acts.extend(acts.iter().cloned());
        self.streams.forget();
        self.sky.weather.set(self.weather);
        for step in 0..STEPS_MAX {
            if step < CALM_AFTER {
                let is_over = self.is_at_rest() && !self.sky.happens(self.weather.rewinds);
                if is_over {
                    return;
                }
                self.step();
            } else if !self.go_on_calmly() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Somebody replays what was given up, and all comes to rest.
    pub(crate) fn replay(&mut self) {
        let records = std::mem::take(&mut self.destination);
        if self.sky.broken == Some(Part::Replay) || records.is_empty() {
            return;
        }
        for _ in &records {
            self.sky.note("records given up and replayed");
        }
        self.streams.replay(records);
        self.come_to_rest(&[]);
    }

    /// How often what happened.
    pub(crate) fn happened(&self) -> BTreeMap<&'static str, u64> {
        self.sky.happened.borrow().clone()
    }

    /// What happened.
    pub(crate) fn into_past(self) -> Past {
        self.past
    }

    /// The items that there are.
    pub(crate) fn state(&self) -> State {
        let items = self.remote.store.dump().into_values().flatten();
        items.map(|item| (name_of(&item), thing(&item))).collect()
    }

    /// The items that carry a mark of any kind.
    pub(crate) fn marked(&self) -> Vec<Name> {
        let items = self.remote.store.dump().into_values().flatten();
        items.filter(|item| item.contains_key(MARK)).map(|item| name_of(&item)).collect()
    }

    fn is_at_rest(&self) -> bool {
        self.acts.is_empty()
            && self.workers.is_empty()
            && self.remote.store.late() == 0
            && self.streams.ready().is_empty()
    }

    /// Something happens.
    fn step(&mut self) {
        let (chance, acts) = (self.draw(16), !self.acts.is_empty());
        match chance {
            0..2 if acts => self.act(),
            0..8 if !self.workers.is_empty() => {
                let place = self.draw(self.workers.len());
                self.poll(place);
            }
            8..12 => {
                let ready = self.streams.ready();
                if !ready.is_empty() {
                    let place = self.draw(ready.len());
                    self.invoke(ready[place]);
                }
            }
            12 => self.land(),
            13 => {
                let changes = self.draw(4);
                self.remote.store.advance_indexes(changes);
            }
            14 => self.interfere(),
            _ if self.sky.happens(self.weather.waits) => {
                // A long time ends those who are at work.
                let ms_max = if self.draw(8) == 0 { 60_000 } else { 4_000 };
                let ms = self.sky.rng.borrow_mut().i64(1..ms_max);
                self.pass(ms);
            }
            _ => {}
        }
        self.wake();
    }

    /// The rest, without anything that goes wrong. Whether there was something to do.
    fn go_on_calmly(&mut self) -> bool {
        self.sky.weather.set(Weather::default());
        if self.workers.is_empty() {
            if !self.acts.is_empty() {
                self.act();
                return true;
            }
            let is_late = self.remote.store.late() > 0;
            let ready = self.streams.ready();
            for lane in &ready {
                self.invoke(*lane);
            }
            self.land();
            return is_late || !ready.is_empty();
        }
        for place in (0..self.workers.len()).rev() {
            self.poll(place);
        }
        self.wake();
        true
    }

    fn draw(&self, below: usize) -> usize {
        self.sky.rng.borrow_mut().usize(..below)
    }

    fn act(&mut self) {
        let Some(act) = self.acts.pop_front() else { return };
        if let Act::Together(parts) = act {
            // A transaction commits at once, and is seen part by part.
            self.sky.note("transactions seen in part");
            parts.into_iter().rev().for_each(|part| self.acts.push_front(part));
            return;
        }
        write(self.schema, &self.remote.store, &act);
        let expires = matches!(act, Act::Expire(_));
        if expires {
            self.sky.note("expiries");
        }
        self.collect(false, expires);
    }

    /// A request lands late.
    fn land(&mut self) {
        let late = self.remote.store.late();
        if late > 0 {
            let place = self.draw(late);
            self.remote.store.land_one(place);
            self.collect(true, false);
        }
    }

    fn interfere(&mut self) {
        let weather = self.weather;
        if self.sky.happens(weather.splits) && self.streams.split(&mut self.sky.rng.borrow_mut()) {
            self.sky.note("splits");
        }
        if self.sky.happens(weather.rewinds.saturating_mul(4))
            && self.streams.rewind(&mut self.sky.rng.borrow_mut())
        {
            self.sky.note("batches delivered again");
        }
        if self.sky.happens(weather.jumps.saturating_mul(4)) {
            self.sky.note("jumps of the clock");
            self.sky.skew_ms.set(self.sky.rng.borrow_mut().i64(-10_000..10_000));
        }
        if self.sky.happens(weather.junk) {
            self.sky.note("records nobody can read");
            let junk = Delivery {
                name: None,
                created_ms: self.sky.now_ms.get(),
                json: RawValue::from_string(r#"{"eventName":"INSERT","dynamodb":7}"#.to_owned())
                    .unwrap(),
            };
            let place = self.draw(100);
            self.streams.push(place % 2, &(place.to_string(), String::new()), junk);
        }
    }

    /// Takes in what was written.
    fn collect(&mut self, by_engine: bool, expired: bool) {
        for record in self.remote.store.take_stream() {
            let name = of_key(&record.key);
            let image = |image: &Option<_>| image.as_ref().map(thing);
            self.past.steps.push(Step {
                name: name.clone(),
                before: image(&record.before),
                after: image(&record.after),
                mark_before: record.before.as_ref().and_then(mark),
                mark_after: record.after.as_ref().and_then(mark),
                by_engine,
                expired,
            });
            let delivery = Delivery {
                name: Some(name.clone()),
                created_ms: self.sky.now_ms.get(),
                json: json(&record, expired),
            };
            let is_unseen = by_engine && self.sky.broken == Some(Part::Verification);
            if !is_unseen {
                self.streams.push(table(self.schema, &name), &name, delivery);
            }
        }
    }

    /// If all that there are wait for a time, it comes.
    fn wake(&mut self) {
        let now_ms = self.sky.now_ms.get();
        let next_ms = self.workers.iter().map(|worker| worker.until_ms.get()).min();
        if next_ms.is_some_and(|next_ms| next_ms > now_ms) {
            let end_ms = self.workers.iter().map(|worker| worker.end_ms).min();
            self.pass(next_ms.min(end_ms).unwrap_or(now_ms).max(now_ms) - now_ms);
        }
    }

    /// Time passes, and those whose time is over are ended.
    fn pass(&mut self, ms: i64) {
        if self.weather.lag == Lag::Short {
            self.remote.store.advance_indexes(self.remote.store.unseen());
        }
        let now_ms = self.sky.now_ms.get() + ms;
        self.sky.now_ms.set(now_ms);
        self.remote.store.set_now_ms(now_ms.unsigned_abs());
        while let Some(place) = self.workers.iter().position(|it| it.end_ms <= now_ms) {
            let worker = self.workers.remove(place);
            self.sky.note("timeouts");
            self.settle(worker.batch, Verdict::Failed);
        }
    }

    /// The function is invoked with a lane's next batch.
    fn invoke(&mut self, lane: (usize, usize)) {
        let now_ms = self.sky.now_ms.get();
        self.remote.store.set_now_ms(now_ms.unsigned_abs());
        let (batch, old) = self.streams.next(lane, now_ms, &mut self.sky.rng.borrow_mut());
        self.destination.extend(old);
        let Some(batch) = batch else { return };
        self.past.deliveries += 1;
        let records = self.streams.records(&batch).to_vec();
        let timeout_ms = self.mapping.timeout_ms;
        let until_ms = Rc::new(Cell::new(now_ms));
        let (sky, until) = (Rc::clone(&self.sky), Rc::clone(&until_ms));
        let deadline_ms = now_ms + sky.skew_ms.get() + timeout_ms - MARGIN_MS;
        let watch = Watch { sky, deadline_ms, until_ms: until };
        let (engine, remote) = (Rc::clone(&self.engine), self.remote.clone());
        let invocation = Box::pin(async move {
            let records: Vec<&RawValue> = records.iter().map(|record| &*record.json).collect();
            engine.process(&records, &remote, &watch).await
        });
        let (begun, end_ms) = (self.past.steps.len(), now_ms + timeout_ms);
        self.workers.push(Worker { batch, begun, invocation, end_ms, until_ms });
    }

    /// A worker goes on, until it waits for something or is done or dead.
    fn poll(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        let polled = worker.invocation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.collect(true, false);
        if self.sky.has_crashed.take() {
            let worker = self.workers.remove(place);
            self.settle(worker.batch, Verdict::Failed);
        } else if let Poll::Ready(outcome) = polled {
            let worker = self.workers.remove(place);
            let verdict = self.take(&worker.batch, worker.begun, outcome.unwrap());
            self.settle(worker.batch, verdict);
        }
    }

    /// Takes in what a worker tells.
    fn take(&mut self, batch: &Batch, begun: usize, outcome: Outcome) -> Verdict {
        let records = self.streams.records(batch);
        let done = outcome.checkpoint().map_or(records.len(), |from| from.position);
        for (position, record) in records.iter().enumerate().take(done) {
            let rejected: Vec<_> =
                outcome.rejected.iter().filter(|it| it.position == position).collect();
            assert_eq!(record.name.is_none(), !rejected.is_empty(), "{record:?}: {rejected:?}");
        }
        let happened = self.past.steps.len();
        let is_told = self.sky.broken != Some(Part::Telling);
        let told = outcome.violations.into_iter();
        let told = told.filter(|found| is_told && found.occurrence.position < done);
        self.past.told.extend(told.map(|violation| Told { violation, begun, happened }));
        if done == records.len() { Verdict::Done } else { Verdict::From(done) }
    }

    fn settle(&mut self, batch: Batch, verdict: Verdict) {
        self.past.unanswered += u64::from(verdict == Verdict::Failed);
        let is_lost = self.sky.broken == Some(Part::Redelivery) && verdict == Verdict::Failed;
        let verdict = if is_lost { Verdict::Done } else { verdict };
        self.destination.extend(self.streams.settle(batch, verdict));
    }
}

/// A record as Lambda gets it.
fn json(record: &StreamRecord, expired: bool) -> Box<RawValue> {
    if !expired {
        return serde_json::value::to_raw_value(record).unwrap();
    }
    let mut json = serde_json::to_value(record).unwrap();
    json["userIdentity"] = serde_json::json!({
        "type": "Service", "principalId": "dynamodb.amazonaws.com",
    });
    serde_json::value::to_raw_value(&json).unwrap()
}

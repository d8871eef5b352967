//! The real engine and store, with an application that writes, people who edit mirrors, and workers
//! that run concurrently and die.

mod operator;
mod queue;
mod started;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use kit::oracle::Dump;
use referee::engine::Engine;
use referee::replay;
use referee::rules::{self, RuleSource};
use serde_json::value::RawValue;

use crate::broken::Part;
use crate::items::{content, name_of, of_key, step, write};
use crate::model::{Act, State, has_impossible_mirror, table};
use crate::past::{By, Past};
use crate::scenario::{FaultRates, Lag, Mapping, Scenario};
use crate::schema::Schema;
use crate::sky::{Environment, Remote};
use crate::stream::{Delivery, Streams, Verdict, json};
use crate::world::operator::Operator;
use crate::world::queue::Waiting;
use crate::world::started::Started;
use crate::world::worker::Worker;

/// The maximum number of steps until a history is at rest.
const STEPS_MAX: u32 = 100_000;
/// The number of steps after which no more faults happen, and time passes only if every worker
/// waits for it.
const NO_FAULTS_AFTER: u32 = 600;

pub(crate) struct World<'s> {
    schema: &'s Schema,
    mapping: Mapping,
    rates: FaultRates,
    engine: Rc<Engine>,
    remote: Remote,
    environment: Rc<Environment>,
    streams: Streams,
    /// The queue on which suspects wait, if there is one.
    queue: Option<Rc<Waiting>>,
    workers: Vec<Worker>,
    acts: VecDeque<Act>,
    /// The records that the event source mapping has discarded.
    destination: Vec<Rc<Delivery>>,
    past: Past,
    /// The repairs that workers have logged since the last collection.
    started: Rc<Started>,
    /// Who sent the writes that land late.
    late: Vec<By>,
    /// A person who repairs the tables at rest, if there is one.
    operator: Option<Operator>,
}

/// Creates the engine of these rules; `None` if the rules are refused.
pub(crate) fn engine(schema: &Schema) -> Option<Rc<Engine>> {
    let source = RuleSource { name: "rules".to_owned(), text: schema.text() };
    Some(Rc::new(Engine::new(rules::load(&source, &|_| None).rules?)))
}

impl<'s> World<'s> {
    pub(crate) fn new(scenario: &'s Scenario, engine: &Rc<Engine>) -> Self {
        let store = Rc::new(replay::store(engine.rules()));
        let environment = Rc::new(Environment::new(scenario.seed, scenario.rates, scenario.broken));
        if scenario.rates.lag != Lag::None {
            store.hold_indexes();
        }
        let is_in_index = scenario.schema.references.iter().any(|it| it.is_in_index);
        if is_in_index && scenario.rates.lag == Lag::Short {
            // From the first record on, there is a grace period, which outlasts the lag.
            store.set_now_ms(environment.now_ms.get().unsigned_abs());
        }
        let decides = Rc::clone(&environment);
        store.set_faults(Box::new(move |call| decides.fault(call)));
        Self {
            schema: &scenario.schema,
            mapping: scenario.mapping,
            rates: scenario.rates,
            engine: Rc::clone(engine),
            remote: Remote { store, environment: Rc::clone(&environment), by: By::Engine },
            queue: scenario.has_queue.then(|| Rc::new(Waiting::new(Rc::clone(&environment)))),
            environment,
            streams: Streams::new(scenario.mapping),
            workers: Vec::new(),
            acts: VecDeque::new(),
            destination: Vec::new(),
            past: Past { lag: scenario.rates.lag, ..Past::default() },
            started: Rc::default(),
            late: Vec::new(),
            operator: None,
        }
    }

    /// Makes these writes and runs until nothing is left to do. Records delivered earlier are not
    /// redelivered.
    pub(crate) fn run_to_rest(&mut self, acts: &[Act]) {
        self.acts.extend(acts.iter().cloned());
        self.streams.forget();
        self.environment.rates.set(self.rates);
        for step in 0..STEPS_MAX {
            if step < NO_FAULTS_AFTER {
                let is_over = self.is_at_rest() && !self.environment.happens(self.rates.rewinds);
                if is_over {
                    return;
                }
                self.step();
            } else if !self.step_without_faults() {
                return;
            }
        }
        panic!("it never reaches rest");
    }

    /// Replays the discarded records, and runs until the world is at rest.
    pub(crate) fn replay(&mut self) {
        let records = std::mem::take(&mut self.destination);
        if self.environment.broken == Some(Part::Replay) || records.is_empty() {
            return;
        }
        for _ in &records {
            self.environment.count_event("records given up and replayed");
        }
        self.streams.replay(records);
        self.run_to_rest(&[]);
    }

    /// Returns how often each event happened.
    pub(crate) fn happened(&self) -> BTreeMap<&'static str, u64> {
        self.environment.happened.borrow().clone()
    }

    /// Returns the record of everything that happened.
    pub(crate) fn into_past(self) -> Past {
        self.past
    }

    /// Returns the existing items.
    pub(crate) fn dump(&self) -> Dump {
        self.remote.store.dump()
    }

    /// Returns the existing items, as the model sees them.
    pub(crate) fn state(&self) -> State {
        let items = self.dump().into_values().flatten();
        items.map(|item| (name_of(&item), content(&item))).collect()
    }

    fn is_at_rest(&self) -> bool {
        self.acts.is_empty()
            && self.workers.is_empty()
            && self.remote.store.late() == 0
            && self.streams.ready().is_empty()
            && self.queue.as_ref().is_none_or(|queue| queue.is_empty())
            && self.operator.as_ref().is_none_or(Operator::is_idle)
    }

    /// Makes one random event happen.
    fn step(&mut self) {
        if self.operator.is_some() && self.draw(4) == 0 {
            self.operate();
            return self.wake();
        }
        let (chance, acts) = (self.draw(16), !self.acts.is_empty());
        match chance {
            0..2 if acts => self.act(),
            0..8 if !self.workers.is_empty() => {
                let place = self.draw(self.workers.len());
                self.poll(place);
            }
            8..12 => {
                let (ready, messages) = (self.streams.ready(), self.messages());
                if !ready.is_empty() || !messages.is_empty() {
                    let place = self.draw(ready.len() + messages.len());
                    match ready.get(place) {
                        Some(lane) => self.invoke(*lane),
                        None => self.recheck(messages[place - ready.len()]),
                    }
                }
            }
            12 => self.land(),
            13 => {
                let changes = self.draw(4);
                self.remote.store.advance_indexes(changes);
            }
            14 => self.interfere(),
            _ if self.environment.happens(self.rates.waits) => {
                // If much time passes, running workers time out.
                let ms_max = if self.draw(8) == 0 { 60_000 } else { 4_000 };
                let ms = self.environment.rng.borrow_mut().i64(1..ms_max);
                self.advance_clock(ms);
            }
            _ => {}
        }
        self.wake();
    }

    /// Makes one step without faults. Returns whether there was something to do.
    fn step_without_faults(&mut self) -> bool {
        self.environment.rates.set(FaultRates::default());
        let is_operating = self.operate();
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
            for place in self.messages().into_iter().rev() {
                self.recheck(place);
            }
            self.land();
            let is_waiting = self.queue.as_ref().is_some_and(|queue| !queue.is_empty());
            self.wake();
            return is_late || is_operating || is_waiting || !ready.is_empty();
        }
        for place in (0..self.workers.len()).rev() {
            self.poll(place);
        }
        self.wake();
        true
    }

    fn draw(&self, below: usize) -> usize {
        self.environment.rng.borrow_mut().usize(..below)
    }

    fn act(&mut self) {
        let Some(act) = self.acts.pop_front() else { return };
        if let Act::Transaction(parts) = act {
            // A transaction commits at once, but is seen part by part.
            self.environment.count_event("transactions seen in part");
            parts.into_iter().rev().for_each(|part| self.acts.push_front(part));
            return;
        }
        write(self.schema, &self.remote.store, &act);
        let expires = matches!(act, Act::Expire(_));
        if expires {
            self.environment.count_event("expiries");
        }
        self.collect(By::People, expires);
    }

    /// Executes a late request.
    fn land(&mut self) {
        let late = self.remote.store.late();
        if late > 0 {
            let place = self.draw(late);
            self.remote.store.land_one(place);
            let by = self.late.remove(place);
            self.collect(by, false);
        }
    }

    fn interfere(&mut self) {
        let rates = self.rates;
        if self.environment.happens(rates.splits)
            && self.streams.split(&mut self.environment.rng.borrow_mut())
        {
            self.environment.count_event("splits");
        }
        if self.environment.happens(rates.rewinds.saturating_mul(4))
            && self.streams.rewind(&mut self.environment.rng.borrow_mut())
        {
            self.environment.count_event("redelivered batches");
        }
        if self.environment.happens(rates.jumps.saturating_mul(4)) {
            self.environment.count_event("clock jumps");
            self.environment.skew_ms.set(self.environment.rng.borrow_mut().i64(-10_000..10_000));
        }
        if self.environment.happens(rates.junk) {
            self.environment.count_event("unreadable records");
            let junk = Delivery {
                name: None,
                created_ms: self.environment.now_ms.get(),
                is_impossible: false,
                json: RawValue::from_string(r#"{"eventName":"INSERT","dynamodb":7}"#.to_owned())
                    .unwrap(),
            };
            let place = self.draw(100);
            self.streams.push(place % 2, &(place.to_string(), String::new()), junk);
        }
    }

    /// Collects the new changes, and puts their records on the streams.
    fn collect(&mut self, by: By, expired: bool) {
        self.collect_started();
        for record in self.remote.store.take_stream() {
            let name = of_key(&record.key);
            let step = step(&record, by, expired);
            let mut images = step.before.iter().chain(&step.after);
            let delivery = Delivery {
                name: Some(name.clone()),
                created_ms: self.environment.now_ms.get(),
                is_impossible: images.any(|it| has_impossible_mirror(self.schema, &name, it)),
                json: json(&record, expired),
            };
            self.past.steps.push(step);
            let is_unseen = by == By::Engine && self.environment.broken == Some(Part::Verification);
            if !is_unseen {
                self.streams.push(table(self.schema, &name), &name, delivery);
            }
        }
        self.late.resize(self.remote.store.late(), by);
    }

    /// If every worker waits for a later time, advances the clock to it.
    fn wake(&mut self) {
        let now_ms = self.environment.now_ms.get();
        let operator = self.operator.as_ref().and_then(Operator::waits_until_ms);
        let workers = self.workers.iter().map(|worker| worker.until_ms.get());
        // Nobody waits for a message as long as there is something else to do.
        let is_quiet = self.acts.is_empty() && self.streams.ready().is_empty();
        let queue = self.queue.as_ref().filter(|_| is_quiet).and_then(|queue| queue.next_ms());
        let next_ms = workers.chain(operator).chain(queue).min();
        if let Some(next_ms) = next_ms.filter(|next_ms| *next_ms > now_ms) {
            let end_ms = self.workers.iter().map(|worker| worker.end_ms).min();
            self.advance_clock(end_ms.map_or(next_ms, |end_ms| end_ms.min(next_ms)) - now_ms);
        }
    }

    /// Advances the clock, and ends the workers that time out.
    fn advance_clock(&mut self, ms: i64) {
        if self.rates.lag == Lag::Short {
            self.remote.store.advance_indexes(self.remote.store.unseen());
        }
        let now_ms = self.environment.now_ms.get() + ms;
        self.environment.now_ms.set(now_ms);
        self.remote.store.set_now_ms(now_ms.unsigned_abs());
        while let Some(place) = self.workers.iter().position(|it| it.end_ms <= now_ms) {
            let worker = self.workers.remove(place);
            self.environment.count_event("timeouts");
            self.finish(worker.load, Verdict::Failed);
        }
    }

    /// The places of the messages that can be delivered now.
    fn messages(&self) -> Vec<usize> {
        self.queue.as_ref().map_or_else(Vec::new, |queue| queue.ready())
    }
}

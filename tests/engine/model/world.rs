//! The world as a model checker sees it: a table, its writers, and workers that run the engine on
//! its stream, one for each shard. Between any two requests, all others may proceed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use kit::requests::{Reply, Request};
use referee::data::{Item, KeyValue, Value};
use referee::engine::{Engine, Outcome};
use referee::integrity::mark::MARK;
use referee::rules::{self, RuleSource};
use referee::store::{StoreError, Write};
use serde_json::Value as Json;
use stateright::{Model, Property};

use crate::model::desk::{Progress, run};
use crate::model::state::{Replies, Run, Shard, State, Step};
use crate::model::table::{Entry, History, Items, Sealed, Served, Table, key_of, name_of};
use crate::model::weaken::{Safeguard, weakened};

/// The maximum number of changes in a history. The engine must stop writing before this limit.
pub(crate) const LOG_MAX: usize = 30;

/// A claim about states: its name and a test of it.
pub(crate) type Claim = (&'static str, fn(&World, &State) -> bool);

/// Everything that a run depends on: its record, and the replies that it got.
type Past = (Sealed<Json>, Replies);

/// A request, and the table on which it is executed.
type Asked = (Sealed<Request>, Table);

/// The world that a model describes.
pub(crate) struct World {
    engine: Engine,
    /// Caches the progress of runs, because many states continue the same run.
    known: Mutex<HashMap<Past, Arc<Progress>>>,
    /// Caches the results of requests, because a table is the same in many states.
    served: Mutex<HashMap<Asked, Arc<Served>>>,
    /// The initial items.
    seed: Items,
    /// The prefix of the partition keys in each shard. An item in no shard is not watched.
    shards: &'static [&'static str],
    /// The writes of each writer, in order.
    writers: Vec<Vec<Sealed<Request>>>,
    /// The writers that are TTL.
    ttl: Vec<usize>,
    /// How many times a request goes unanswered or a worker dies.
    faults: usize,
    /// How often a shard's last record is delivered again.
    redeliveries: usize,
    /// The table's index, and whether it lags. The lag is at most the grace period.
    index: Option<(&'static str, bool)>,
    without: Option<Safeguard>,
    always: Vec<Claim>,
    sometimes: Vec<Claim>,
}

impl World {
    /// A world in which nothing goes wrong.
    pub(crate) fn new(rules: &str, shards: &'static [&'static str]) -> Self {
        let source = RuleSource { name: "rules".to_owned(), text: rules.to_owned() };
        let loaded = rules::load(&source, &|_| None);
        let rules = loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        Self {
            engine: Engine::new(rules),
            known: Mutex::default(),
            served: Mutex::default(),
            seed: Items::new(),
            shards,
            writers: Vec::new(),
            ttl: Vec::new(),
            faults: 0,
            redeliveries: 0,
            index: None,
            without: None,
            always: vec![("it comes to rest", |_, state| state.log.len() < LOG_MAX)],
            sometimes: vec![("it is at rest", World::is_at_rest)],
        }
    }

    pub(crate) fn has(self, text: &str) -> Self {
        self.has_item(crate::model::table::item(text))
    }

    /// Adds an initial item with this mark of a mirror.
    pub(crate) fn has_mirror(self, text: &str, mark: Item<'static>) -> Self {
        let mut item = crate::model::table::item(text);
        item.insert(MARK.into(), Value::M(mark));
        self.has_item(item)
    }

    fn has_item(mut self, item: Item<'static>) -> Self {
        self.seed.insert(key_of(&item), Sealed::new(item));
        self
    }

    pub(crate) fn writer(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        let requests = writes.into_iter().map(|write| Sealed::new(Request::Write(write)));
        self.writers.push(requests.collect());
        self
    }

    /// TTL makes this write, at any time.
    pub(crate) fn ttl(mut self, write: Write) -> Self {
        self.ttl.push(self.writers.len());
        self.writer([write])
    }

    pub(crate) const fn faults(mut self, faults: usize) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) const fn redeliveries(mut self, redeliveries: usize) -> Self {
        self.redeliveries = redeliveries;
        self
    }

    pub(crate) const fn index(mut self, name: &'static str, lags: bool) -> Self {
        self.index = Some((name, lags));
        self
    }

    pub(crate) const fn without(mut self, safeguard: Option<Safeguard>) -> Self {
        self.without = safeguard;
        self
    }

    pub(crate) fn always(mut self, claim: Claim) -> Self {
        self.always.push(claim);
        self
    }

    pub(crate) fn sometimes(mut self, claim: Claim) -> Self {
        self.sometimes.push(claim);
        self
    }

    /// The history of the table in a state.
    pub(crate) fn history<'s>(&'s self, state: &'s State) -> History<'s> {
        History { seed: &self.seed, log: &state.log }
    }

    /// Whether no further step has to happen. A late write may never be executed. If it is
    /// executed, the world later comes to rest again.
    pub(crate) fn is_at_rest(&self, state: &State) -> bool {
        let is_written =
            self.writers.iter().zip(&state.written).all(|(writes, done)| writes.len() == *done);
        let is_processed = (0..self.shards.len())
            .all(|shard| state.shards[shard].run.is_none() && self.next(state, shard).is_none());
        let is_indexed = !self.lags() || state.indexed == state.log.len();
        is_written && is_processed && is_indexed
    }

    fn lags(&self) -> bool {
        self.index.is_some_and(|(_, lags)| lags)
    }

    /// Whether a shard delivers a record.
    fn delivers(&self, shard: usize, entry: &Entry) -> bool {
        let is_skipped = entry.by_engine && self.without == Some(Safeguard::Verification);
        let KeyValue::S(partition) = &entry.key.partition else { return false };
        !is_skipped && partition.starts_with(self.shards[shard])
    }

    fn delivered(&self, state: &State, shard: usize, mut places: Range<usize>) -> Option<usize> {
        places.find(|place| self.delivers(shard, &state.log[*place]))
    }

    /// The record that a shard delivers next.
    fn next(&self, state: &State, shard: usize) -> Option<usize> {
        self.delivered(state, shard, state.shards[shard].done..state.log.len())
    }

    /// The record that a shard delivered last.
    fn last(&self, state: &State, shard: usize) -> Option<usize> {
        let mut done = (0..state.shards[shard].done).rev();
        done.find(|place| self.delivers(shard, &state.log[*place]))
    }

    /// Whether every change by others has been processed once.
    fn is_settled(&self, state: &State) -> bool {
        state.shards.iter().enumerate().all(|(place, shard)| {
            let mut left = state.log.iter().skip(shard.done_max);
            !left.any(|entry| !entry.by_engine && self.delivers(place, entry))
        })
    }

    /// Executes a request and returns its reply.
    fn serve(
        &self,
        state: &mut State,
        request: &Sealed<Request>,
        behind: usize,
        by_engine: bool,
    ) -> Sealed<Reply> {
        let request = if by_engine { weakened(request, self.without) } else { request.clone() };
        let changes = state.log.len() - behind;
        let indexed = if self.lags() { state.indexed } else { changes };
        let served = self.served(request, self.history(state).table(changes, indexed));
        let is_settled = self.is_settled(state);
        state.log.extend(served.made.iter().cloned().map(|(key, after)| Entry {
            key,
            after,
            by_engine,
            by_ttl: false,
            is_settled,
        }));
        if !self.lags() {
            state.indexed = state.log.len();
        }
        served.reply.clone()
    }

    fn served(&self, request: Sealed<Request>, table: Table) -> Arc<Served> {
        let index = self.index.map(|(name, _)| name);
        let mut served = self.served.lock().unwrap();
        let served = served.entry((request, table));
        Arc::clone(
            served.or_insert_with_key(|(request, table)| Arc::new(table.serve(request, index))),
        )
    }

    /// Runs the engine for a shard until it waits or finishes.
    fn proceed(&self, state: &mut State, shard: usize, mut of: Run) {
        match &*self.progress(&of) {
            Progress::Asking(requests) => {
                of.asking.clone_from(requests);
                state.shards[shard].run = Some(of);
            }
            Progress::Done(outcome) => {
                let is_whole = outcome.rejected.is_empty() || self.without.is_some();
                assert!(is_whole, "{outcome:?}");
                finish(state, shard, &of, outcome);
            }
        }
    }

    fn progress(&self, of: &Run) -> Arc<Progress> {
        let run_again = |(event, replies): &Past| {
            let now_ms = if self.lags() { 0 } else { 1_000_000 };
            let replies = replies.iter().map(|(number, reply)| (*number, &**reply));
            Arc::new(run(&self.engine, event, now_ms, replies))
        };
        let mut known = self.known.lock().unwrap();
        let known = known.entry((of.event.clone(), of.replies.clone()));
        Arc::clone(known.or_insert_with_key(run_again))
    }

    fn answer(&self, state: &mut State, shard: usize, place: usize, behind: usize) {
        let mut run = state.shards[shard].run.take().unwrap();
        let (number, request) = run.asking[place].clone();
        let reply = self.serve(state, &request, behind, true);
        run.replies.push((number, reply));
        self.proceed(state, shard, run);
    }

    fn time_out(&self, state: &mut State, shard: usize, place: usize) {
        let mut run = state.shards[shard].run.take().unwrap();
        let (number, request) = run.asking[place].clone();
        let error = StoreError::Retry("the request timed out".to_owned());
        let is_single = matches!(*request, Request::Write(_));
        let reply =
            if is_single { Reply::Written(Err(error)) } else { Reply::Transacted(Err(error)) };
        state.late.push(request);
        run.replies.push((number, Sealed::new(reply)));
        self.proceed(state, shard, run);
    }

    /// Adds the steps that are possible for a run.
    fn steps_of(&self, state: &State, shard: usize, run: &Run, steps: &mut Vec<Step>) {
        for (place, (_, request)) in run.asking.iter().enumerate() {
            // An index lags for less than the grace period, unless that safeguard is removed.
            let is_grace = matches!(**request, Request::Sleep(_)) && state.indexed <= run.record;
            if is_grace && self.without != Some(Safeguard::Grace) {
                continue;
            }
            let is_stale = request.is_read() && self.without == Some(Safeguard::Consistency);
            let behind_max = if is_stale { state.log.len() } else { 0 };
            steps.extend((0..=behind_max).map(|behind| Step::Answer { shard, place, behind }));
            if state.faults > 0 && request.is_write() {
                steps.push(Step::TimeOut { shard, place });
            }
        }
        if state.faults > 0 {
            steps.push(Step::Crash(shard));
        }
    }
}

/// Records what a run found, and moves to the next record unless this one is to be redelivered.
fn finish(state: &mut State, shard: usize, run: &Run, outcome: &Outcome) {
    for found in &outcome.violations {
        let Some(referenced) = &found.finding.referenced else { continue };
        let referencing = found.finding.referencing.iter().map(|item| &item.key);
        let orphans = found.finding.orphans().into_iter().flat_map(|orphans| &orphans.keys);
        for key in referencing.chain(orphans) {
            let about = (name_of(key), name_of(&referenced.key));
            let looked = state.found.entry(about).or_default();
            *looked = run.began.max(*looked);
        }
    }
    let shard = &mut state.shards[shard];
    shard.run = None;
    if outcome.handed_back.is_empty() {
        shard.done = run.record + 1;
        shard.done_max = shard.done_max.max(shard.done);
    }
}

impl Model for World {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            log: Vec::new(),
            shards: vec![Shard::default(); self.shards.len()],
            written: vec![0; self.writers.len()],
            late: Vec::new(),
            faults: self.faults,
            redeliveries: self.redeliveries,
            indexed: 0,
            found: BTreeMap::new(),
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let writers = self.writers.iter().zip(&state.written).enumerate();
        let unfinished = writers.filter(|(_, (writes, done))| **done < writes.len());
        steps.extend(unfinished.map(|(writer, _)| Step::Write(writer)));
        for (shard, of) in state.shards.iter().enumerate() {
            if let Some(run) = &of.run {
                self.steps_of(state, shard, run, steps);
                continue;
            }
            steps.extend(self.next(state, shard).map(|_| Step::Deliver(shard)));
            let again = (state.redeliveries > 0).then(|| self.last(state, shard));
            steps.extend(again.flatten().map(|_| Step::Redeliver(shard)));
        }
        steps.extend((0..state.late.len()).map(Step::Land));
        if self.lags() && state.indexed < state.log.len() {
            steps.push(Step::Index);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Write(writer) => {
                let write = &self.writers[writer][state.written[writer]];
                state.written[writer] += 1;
                let place = state.log.len();
                self.serve(&mut state, write, 0, false);
                let is_ttl = self.ttl.contains(&writer);
                state.log[place..].iter_mut().for_each(|entry| entry.by_ttl = is_ttl);
            }
            Step::Deliver(shard) => {
                let (record, began) = (self.next(&state, shard)?, state.log.len());
                let event = Sealed::new(self.history(&state).record(record));
                let run = Run { record, event, began, replies: Vec::new(), asking: Vec::new() };
                self.proceed(&mut state, shard, run);
            }
            Step::Answer { shard, place, behind } => self.answer(&mut state, shard, place, behind),
            Step::TimeOut { shard, place } => {
                state.faults -= 1;
                self.time_out(&mut state, shard, place);
            }
            Step::Crash(shard) => {
                state.faults -= 1;
                let run = state.shards[shard].run.take()?;
                let asked = run.asking.into_iter().map(|(_, request)| request);
                state.late.extend(asked.filter(|request| request.is_write()));
            }
            Step::Land(place) => {
                let request = state.late.remove(place);
                self.serve(&mut state, &request, 0, true);
            }
            Step::Redeliver(shard) => {
                state.redeliveries -= 1;
                state.shards[shard].done = self.last(&state, shard)?;
            }
            Step::Index => state.indexed += 1,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = self.always.iter().map(|(name, holds)| Property::always(name, *holds));
        let sometimes = self.sometimes.iter().map(|(name, is)| Property::sometimes(name, *is));
        always.chain(sometimes).collect()
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.log.len() <= LOG_MAX
    }
}

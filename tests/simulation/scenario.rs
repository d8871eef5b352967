//! A history before it runs: rules, the application's writes, and the rates of faults. All of it is
//! plain data, so that a failing history can be reduced.

mod draw;

use std::rc::Rc;

use fastrand::Rng;

pub(crate) use self::draw::draw_plain;
use self::draw::{draw, draw_many, own_mirrors, put};
use crate::broken::Part;
use crate::model::{Act, Name, name, possible_mirrors};
use crate::required::Required;
use crate::schema::{IDS, Schema};

/// The maximum number of acts in a history.
const ACTS_MAX: usize = 12;

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) schema: Rc<Schema>,
    pub(crate) mapping: Mapping,
    pub(crate) rates: FaultRates,
    /// The writes before those whose records were lost.
    pub(crate) earlier: Vec<Act>,
    /// The writes of which the function gets no records.
    pub(crate) unseen: Vec<Act>,
    /// How often somebody repairs the tables while the rest happens.
    pub(crate) repairs: u32,
    pub(crate) acts: Vec<Act>,
    /// Decides the order of events.
    pub(crate) seed: u64,
    /// Whether suspects wait on a queue.
    pub(crate) has_queue: bool,
    /// The broken part of Referee, if any.
    pub(crate) broken: Option<Part>,
}

/// The settings of an event source mapping.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) batch_size: usize,
    pub(crate) lanes: usize,
    pub(crate) bisects: bool,
    /// How often a batch is retried before it is discarded.
    pub(crate) retries_max: Option<u32>,
    /// How old a record may be before it is discarded, in milliseconds.
    pub(crate) age_ms_max: Option<i64>,
    /// How long an invocation may take, in milliseconds.
    pub(crate) timeout_ms: i64,
}

/// The rates of faults, each per thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FaultRates {
    /// A worker dies during a request, which may have been executed.
    pub(crate) crashes: u16,
    /// A request is throttled.
    pub(crate) throttles: u16,
    /// A request is executed, and its answer is lost.
    pub(crate) losses: u16,
    /// A write times out, and lands later.
    pub(crate) late: u16,
    /// A transaction conflicts with another one.
    pub(crate) conflicts: u16,
    /// Processed batches are delivered again.
    pub(crate) rewinds: u16,
    /// Unreadable records appear.
    pub(crate) junk: u16,
    /// Shards are split.
    pub(crate) splits: u16,
    /// The workers' clocks jump forwards and backwards.
    pub(crate) jumps: u16,
    /// Time passes between two steps.
    pub(crate) waits: u16,
    /// The queue refuses a message, or loses its answer.
    pub(crate) refusals: u16,
    /// The queue delivers a message once more.
    pub(crate) repeats: u16,
    pub(crate) lag: Lag,
}

/// How far indexes lag behind their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lag {
    #[default]
    None,
    /// At most until time passes, so that every grace period outlasts the lag.
    Short,
    /// Without bound.
    Long,
}

impl Scenario {
    pub(crate) fn random(schema: Rc<Schema>, rng: &mut Rng) -> Self {
        let acts: Vec<_> = (0..rng.usize(1..=ACTS_MAX)).map(|_| draw(&schema, rng)).collect();
        let (mapping, rates) = (Mapping::random(rng), FaultRates::random(rng));
        let (earlier, unseen) = (Vec::new(), Vec::new());
        let seed = rng.u64(..);
        let mut scenario = Self {
            schema,
            mapping,
            rates,
            earlier,
            unseen,
            repairs: 0,
            acts,
            seed,
            has_queue: false,
            broken: None,
        };
        scenario.add_queue();
        if !scenario.schema.mirrors.is_empty() && rng.u8(..3) == 0 {
            scenario.close_account(rng);
        }
        scenario
    }

    /// Lets suspects wait on a queue in a third of the histories.
    fn add_queue(&mut self) {
        let mut rng = Rng::with_seed(self.seed.rotate_left(17));
        self.has_queue = rng.u8(..3) == 0;
        if self.has_queue {
            let mut often = |most: u16| if rng.u8(..3) == 0 { 0 } else { rng.u16(..most) };
            (self.rates.refusals, self.rates.repeats) = (often(300), often(300));
        }
    }

    /// Adds that someone deletes an item and everything else in its partition, in any order. Among
    /// these are usually a mirror, and the target of its source, both written a while before.
    fn close_account(&mut self, rng: &mut Rng) {
        let schema = Rc::clone(&self.schema);
        let mirror = rng.choice(&schema.mirrors).unwrap();
        let (other, id) = (rng.usize(..IDS), rng.usize(..IDS));
        let source = name(&schema, mirror.source, other, id);
        let user = name(&schema, mirror.by, 0, id);
        let at = rng.usize(..=self.acts.len());
        for written in [source, user.clone()] {
            let act = put(&schema, rng, written);
            self.acts.insert(at, act);
        }
        let mut names = vec![user];
        for other in 0..IDS {
            let is_child = |kind: &usize| schema.entities[*kind].parent == Some(mirror.by);
            let children = (0..schema.entities.len()).filter(is_child);
            names.extend(children.map(|child| name(&schema, child, id, other)));
            let mirrors = schema.mirrors.iter().filter(|it| it.by == mirror.by);
            for mirror in mirrors {
                let source = name(&schema, mirror.source, other, id);
                let possible = possible_mirrors(&schema, mirror, &source).into_iter();
                let is_inside = |it: &Name| mirror.attribute.is_none() || it.0 == names[0].0;
                names.extend(possible.filter(is_inside).collect::<Vec<_>>());
            }
        }
        rng.shuffle(&mut names);
        let expires = rng.u8(..6) == 0;
        let delete = |name| if expires { Act::Expire(name) } else { Act::Delete(name) };
        let act = Act::Transaction(names.into_iter().map(delete).collect());
        self.acts.insert(rng.usize(at + 2..=self.acts.len()), act);
    }

    /// A table that has been in use, and repairs of it.
    pub(crate) fn adopting(schema: Rc<Schema>, rng: &mut Rng) -> Self {
        let mut scenario = Self::random(schema, rng);
        let schema = &scenario.schema;
        let many = |rng: &mut Rng| rng.usize(..ACTS_MAX);
        scenario.earlier = if rng.bool() { Vec::new() } else { draw_many(schema, many(rng), rng) };
        for act in draw_many(schema, many(rng), rng) {
            if let Act::Put(of, content) = &act {
                scenario.unseen.extend(own_mirrors(schema, of, content, rng));
            }
            scenario.unseen.push(act);
        }
        scenario.repairs = rng.u32(1..4);
        scenario
    }

    /// The number of writes.
    fn writes(&self) -> usize {
        self.earlier.len() + self.unseen.len() + self.acts.len()
    }

    /// Returns every scenario in which one part of this one is removed or simplified.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut less = |change: &dyn Fn(&mut Self)| {
            let mut one = self.clone();
            change(&mut one);
            smaller.push(one);
        };
        for place in 0..self.acts.len() {
            less(&|one| drop(one.acts.remove(place)));
            if let Act::Transaction(parts) = &self.acts[place] {
                less(&|one| drop(one.acts.splice(place..=place, parts.iter().cloned())));
            }
        }
        for place in 0..self.earlier.len() {
            less(&|one| drop(one.earlier.remove(place)));
        }
        for place in 0..self.unseen.len() {
            less(&|one| drop(one.unseen.remove(place)));
        }
        if self.repairs > 1 {
            less(&|one| one.repairs -= 1);
        }
        for place in 0..self.schema.references.len() {
            less(&|one| drop(Rc::make_mut(&mut one.schema).references.remove(place)));
        }
        for place in 0..self.schema.mirrors.len() {
            less(&|one| drop(Rc::make_mut(&mut one.schema).mirrors.remove(place)));
        }
        less(&|one| one.has_queue = false);
        let calmer: [fn(&mut FaultRates); 13] = [
            |it| it.crashes = 0,
            |it| it.throttles = 0,
            |it| it.losses = 0,
            |it| it.late = 0,
            |it| it.conflicts = 0,
            |it| it.rewinds = 0,
            |it| it.junk = 0,
            |it| it.splits = 0,
            |it| it.jumps = 0,
            |it| it.waits = 0,
            |it| it.refusals = 0,
            |it| it.repeats = 0,
            |it| it.lag = Lag::None,
        ];
        for calm in calmer {
            less(&|one| calm(&mut one.rates));
        }
        let plainer: [fn(&mut Mapping); 6] = [
            |it| it.batch_size = 1,
            |it| it.lanes = 1,
            |it| it.bisects = false,
            |it| it.retries_max = None,
            |it| it.age_ms_max = None,
            |it| it.timeout_ms = 60_000,
        ];
        for plain in plainer {
            less(&|one| plain(&mut one.mapping));
        }
        for kind in 0..self.schema.entities.len() {
            less(&|one| Rc::make_mut(&mut one.schema).entities[kind].required = Required::Anything);
            less(&|one| Rc::make_mut(&mut one.schema).entities[kind].until = None);
        }
        for rule in 0..self.schema.references.len() {
            less(&|one| Rc::make_mut(&mut one.schema).references[rule].ends_with_expiry = false);
        }
        smaller.retain(|one| {
            one.writes() != self.writes()
                || one.repairs != self.repairs
                || one.has_queue != self.has_queue
                || (&one.schema, &one.mapping, &one.rates)
                    != (&self.schema, &self.mapping, &self.rates)
        });
        smaller
    }
}

impl Mapping {
    fn random(rng: &mut Rng) -> Self {
        Self {
            batch_size: *rng.choice(&[1, 2, 4, 8, 100]).unwrap(),
            lanes: rng.usize(1..3),
            bisects: rng.bool(),
            retries_max: (rng.u8(..6) == 0).then(|| rng.u32(..4)),
            age_ms_max: (rng.u8(..12) == 0).then_some(60_000),
            timeout_ms: rng.i64(5..30) * 1_000,
        }
    }
}

impl FaultRates {
    fn random(rng: &mut Rng) -> Self {
        let lag = *rng.choice(&[Lag::None, Lag::None, Lag::None, Lag::Short, Lag::Long]).unwrap();
        let mut often = |most: u16| if rng.u8(..3) == 0 { 0 } else { rng.u16(..most) };
        Self {
            crashes: often(60),
            throttles: often(60),
            losses: often(60),
            late: often(120),
            conflicts: often(150),
            rewinds: often(60),
            junk: often(60),
            splits: often(60),
            // A clock that is ahead would shorten every grace period.
            jumps: if lag == Lag::Short { 0 } else { often(30) },
            waits: often(60),
            refusals: 0,
            repeats: 0,
            lag,
        }
    }
}

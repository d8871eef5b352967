//! One history: it is drawn, run and checked. If it fails, it is reduced to a minimal failing
//! history.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use referee::engine::Engine;

use crate::broken::Part;
use crate::model::Act;
use crate::oracle::Oracle;
use crate::past::Past;
use crate::run::{SEEDS_TOGETHER, Tally, quietly};
use crate::scenario::Scenario;
use crate::schema::Schema;
use crate::world::{self, World};

/// How many orders of events are tried for each reduced history.
const ORDERS: u64 = 60;

/// Rules, with the number and the function by which they were drawn.
type Shared = (u64, fn(&mut Rng) -> Schema, Rc<Schema>, Option<Rc<Engine>>);

thread_local! {
    /// The rules that were loaded last.
    static READ: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// Returns the rules of a seed. Neighbouring seeds share rules, because loading them is the slowest
/// step.
fn rules(seed: u64, draw: fn(&mut Rng) -> Schema) -> (Rc<Schema>, Option<Rc<Engine>>) {
    let number = seed / SEEDS_TOGETHER;
    READ.with_borrow_mut(|read| {
        if let Some((of, by, schema, engine)) = read
            && *of == number
            && std::ptr::fn_addr_eq(*by, draw)
        {
            return (Rc::clone(schema), engine.clone());
        }
        let schema = Rc::new(draw(&mut Rng::with_seed(number)));
        let engine = world::engine(&schema);
        *read = Some((number, draw, Rc::clone(&schema), engine.clone()));
        (schema, engine)
    })
}

/// How a seed is turned into a history.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rules: fn(&mut Rng) -> Schema,
    pub(crate) scenario: fn(Rc<Schema>, &mut Rng) -> Scenario,
    /// Runs a scenario, and checks its results.
    pub(crate) execute: fn(&Scenario, &Rc<Engine>) -> Tally,
}

/// Rules, faults and writes of every kind.
pub(crate) const WILD: Plan = Plan { rules: Schema::rich, scenario: Scenario::random, execute };

impl Plan {
    /// Runs a seed's history. If it fails, it is reduced and described.
    pub(crate) fn run(self, seed: u64) -> Result<Tally, String> {
        let Some((scenario, engine)) = self.draw(seed) else {
            return Ok(Tally { refused: 1, ..Tally::default() });
        };
        quietly(|| (self.execute)(&scenario, &engine)).map_err(|words| {
            let (smallest, words) = self.smallest(scenario, words);
            let text = smallest.schema.text();
            let Scenario {
                mapping, rates, earlier, unseen, repairs, acts, seed, has_queue, ..
            } = smallest;
            let lines = |acts: &[Act]| {
                acts.iter().map(|act| format!("{act:?}")).collect::<Vec<_>>().join("\n")
            };
            let mut acts = lines(&acts);
            if repairs > 0 {
                let (earlier, unseen) = (lines(&earlier), lines(&unseen));
                acts = format!(
                    "earlier:\n{earlier}\nunseen:\n{unseen}\n{repairs} repairs, and:\n{acts}"
                );
            }
            let queue = if has_queue { "with a queue" } else { "without a queue" };
            format!("{words}\n\n{text}\n{mapping:?}\n{rates:?}\n{queue}\norder {seed}\n\n{acts}\n")
        })
    }

    /// Returns a seed's scenario and the engine of its rules; `None` if the rules are refused.
    fn draw(self, seed: u64) -> Option<(Scenario, Rc<Engine>)> {
        let (schema, engine) = rules(seed, self.rules);
        Some(((self.scenario)(schema, &mut Rng::with_seed(!seed)), engine?))
    }

    /// Removes what is not needed for the failure.
    fn smallest(self, mut scenario: Scenario, mut words: String) -> (Scenario, String) {
        while let Some(found) = scenario.smaller().iter().find_map(|smaller| self.failing(smaller))
        {
            (scenario, words) = found;
        }
        (scenario, words)
    }

    /// Returns the scenario with an order of events in which it fails, if one is found.
    fn failing(self, scenario: &Scenario) -> Option<(Scenario, String)> {
        let engine = world::engine(&scenario.schema)?;
        (0..ORDERS).find_map(|way| {
            let scenario = Scenario { seed: scenario.seed.wrapping_add(way), ..scenario.clone() };
            let words = quietly(|| (self.execute)(&scenario, &engine)).err()?;
            Some((scenario, words))
        })
    }
}

/// Runs a seed's history with one part of Referee broken, and returns the failure, if any.
pub(crate) fn failure_with(plan: Plan, seed: u64, broken: Part) -> Option<String> {
    let (scenario, engine) = plan.draw(seed).unwrap();
    let scenario = Scenario { broken: Some(broken), ..scenario };
    quietly(|| (plan.execute)(&scenario, &engine)).err()
}

fn execute(scenario: &Scenario, engine: &Rc<Engine>) -> Tally {
    let mut world = World::new(scenario, engine);
    world.run_to_rest(&scenario.acts);
    world.replay();
    let (dump, happened) = (world.dump(), world.happened());
    let past = world.into_past();
    let rest = Oracle::new(&scenario.schema, &past).check();
    rest.check(engine.rules(), dump, scenario.rates.lag);
    tally(&past, happened)
}

/// The totals of a history.
pub(crate) fn tally(past: &Past, happened: BTreeMap<&'static str, u64>) -> Tally {
    let count = |length: usize| u64::try_from(length).unwrap();
    Tally {
        whole: 1,
        deliveries: past.deliveries,
        unanswered: past.unanswered,
        writes: count(past.steps.iter().filter(|step| step.is_by_rules()).count()),
        violations: count(past.reported.len()),
        happened,
        ..Tally::default()
    }
}

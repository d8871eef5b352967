//! Histories of references only, in which each act is followed by all its effects before the next
//! one.

use std::rc::Rc;

use fastrand::Rng;
use referee::engine::Engine;

use crate::history::Plan;
use crate::model::{Effects, State};
use crate::run::Tally;
use crate::scenario::{Lag, Mapping, Scenario, draw_plain};
use crate::schema::Schema;
use crate::world::World;

/// The maximum number of acts in a history.
const ACTS_MAX: usize = 12;

/// The table is compared with the model's after every act.
pub(crate) const ONE_BY_ONE: Plan = Plan { rules: Schema::plain, scenario, execute };

fn scenario(schema: Rc<Schema>, rng: &mut Rng) -> Scenario {
    let mut scenario = Scenario::random(schema, rng);
    scenario.rates.lag = Lag::None;
    scenario.mapping = Mapping { retries_max: None, age_ms_max: None, ..scenario.mapping };
    let acts = 0..rng.usize(1..=ACTS_MAX);
    scenario.acts = acts.map(|_| draw_plain(&scenario.schema, rng)).collect();
    scenario
}

fn execute(scenario: &Scenario, engine: &Rc<Engine>) -> Tally {
    let mut world = World::new(scenario, engine);
    let mut expected = State::new();
    for act in &scenario.acts {
        let Some(after_effects) = Effects::of(&scenario.schema, expected, act) else {
            return Tally { cut: 1, ..Tally::default() };
        };
        expected = after_effects;
        world.run_to_rest(std::slice::from_ref(act));
        assert_eq!(world.state(), expected, "after {act:?}");
    }
    Tally { whole: 1, ..Tally::default() }
}

//! One act at a time, each followed by all that follows from it, under references alone.

use std::rc::Rc;

use fastrand::Rng;

use crate::history::rules;
use crate::model::{Settlement, State};
use crate::run::Tally;
use crate::scenario::{Mapping, Scenario, draw_plain};
use crate::schema::Schema;
use crate::world::World;

/// How many acts a history has at most.
const ACTS_MAX: usize = 12;

/// One history, compared with what the model says of it after every act.
pub(crate) fn run(seed: u64) -> Tally {
    let (schema, engine) = rules(seed, Schema::plain);
    let Some(engine) = engine else { return Tally { refused: 1, ..Tally::default() } };
    let mut rng = Rng::with_seed(!seed);
    let mut scenario = Scenario::random(Rc::clone(&schema), &mut rng);
    scenario.weather.lags = false;
    scenario.mapping = Mapping { retries_max: None, age_ms_max: None, ..scenario.mapping };
    let mut world = World::new(&scenario, &engine);
    let mut expected = State::new();
    for _ in 0..rng.usize(1..=ACTS_MAX) {
        let act = draw_plain(&schema, &mut rng);
        let Some(settled) = Settlement::of(&schema, expected, &act) else {
            return Tally { cut: 1, ..Tally::default() };
        };
        expected = settled;
        world.come_to_rest(std::slice::from_ref(&act));
        assert_eq!(world.state(), expected, "after {act:?}, under\n{}", schema.text());
    }
    Tally { whole: 1, ..Tally::default() }
}

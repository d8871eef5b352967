//! Cases under `events/`, edited anywhere and replayed: nothing panics, every replay ends, and
//! redelivery changes nothing.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use kit::fixture::Fixture;
use libfuzzer_sys::fuzz_target;
use referee::engine::Engine;
use referee::replay::{self, Options};
use referee::rules::Rules;
use referee::rules::model::Mode;

use case::{Case, Edit};
use world::World;

mod case;
mod world;

static CASES: LazyLock<Vec<(Engines, Case)>> = LazyLock::new(|| {
    let fixtures = Fixture::all().into_iter();
    fixtures.map(|fixture| (Engines::of(&fixture.rules), Case::of(&fixture))).collect()
});

/// The engines for a case's rules: with the modes as written, with all rules in observe mode, and
/// with all rules off.
struct Engines {
    enforcing: Engine,
    observing: Engine,
    off: Engine,
}

impl Engines {
    fn of(rules: &Rules) -> Self {
        let in_mode = |mode| Engine::new(rules.clone().in_mode(mode));
        Self {
            enforcing: Engine::new(rules.clone()),
            observing: in_mode(Mode::Observe),
            off: in_mode(Mode::Off),
        }
    }
}

/// The input of one run.
#[derive(Debug, Arbitrary)]
struct Input {
    case: u8,
    /// The seed of a chaotic delivery, if any.
    chaos: Option<u8>,
    /// Whether Referee runs while the application writes. Otherwise the case is replayed as
    /// recorded.
    is_live: bool,
    edits: Vec<Edit>,
}

fuzz_target!(|input: Input| {
    let (engines, case) = &CASES[usize::from(input.case) % CASES.len()];
    let mut case = case.clone();
    // With more edits, it would be hard to see which one causes a failure.
    for edit in input.edits.iter().take(16) {
        case.apply(edit);
    }
    if input.is_live {
        check_live(&engines.enforcing, &case);
    } else {
        check_recorded(engines, &case, input.chaos);
    }
});

/// Checks that redelivery changes nothing.
fn check_live(engine: &Engine, case: &Case) {
    let Some(mut world) = World::new(engine, case) else { return };
    world.live(case);
    let once = world.content();
    for times in [2, 3] {
        world.live_again();
        assert_eq!(world.content(), once, "{times} times {case}");
    }
}

/// Checks that a replay has the same result each time, and that rules in observe mode write
/// nothing.
fn check_recorded(engines: &Engines, case: &Case, chaos: Option<u8>) {
    // With the rules off, only the recorded writes are made.
    let Some(untouched) = run(&engines.off, case, None) else { return };
    assert_eq!(run(&engines.observing, case, None), Some(untouched), "observed {case}");
    let once = run(&engines.enforcing, case, None);
    assert_eq!(run(&engines.enforcing, case, None), once, "once more {case}");
    if let Some(seed) = chaos {
        run(&engines.enforcing, case, Some(seed.into()));
    }
}

/// Returns the content of the tables after a replay; `None` if the case's seed is invalid.
fn run(engine: &Engine, case: &Case, chaos: Option<u64>) -> Option<String> {
    let store = replay::store(engine.rules());
    replay::seed(&store, &case.seed()).ok()?;
    let options = Options { chaos, no_drain: false };
    replay::replay(engine, &store, case.batches(), options, |_| {}).expect("a replay ends");
    Some(replay::dump(&store))
}

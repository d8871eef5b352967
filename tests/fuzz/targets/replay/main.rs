//! Cases under `events/`, changed anywhere, replayed whole: nothing panics, every replay ends, and
//! what is delivered again changes nothing more.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use referee::engine::Engine;
use referee::replay::{self, Options, Told};
use referee::rules::Rules;
use referee::rules::model::Mode;

use case::{Case, Edit};
use history::straighten;

mod case;
mod history;

#[path = "../../../support/fixture.rs"]
mod fixture;

static CASES: LazyLock<Vec<(Engines, Case)>> = LazyLock::new(|| {
    let fixtures = fixture::Fixture::all().into_iter();
    fixtures.map(|fixture| (Engines::of(&fixture.rules), Case::of(&fixture))).collect()
});

/// The rules of a case as they are, and in the modes in which they write nothing.
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

/// What is tried.
#[derive(Debug, Arbitrary)]
struct Input {
    case: u8,
    /// Delivered as badly as Lambda may, by this seed.
    chaos: Option<u8>,
    /// Whether the records are made to tell of one history: numbered in their order, each with the
    /// image that the one before left.
    is_history: bool,
    edits: Vec<Edit>,
}

fuzz_target!(|input: Input| {
    let (engines, case) = &CASES[usize::from(input.case) % CASES.len()];
    let mut case = case.clone();
    // Longer ones would only hide which edit matters.
    for edit in input.edits.iter().take(16) {
        case.apply(edit);
    }
    if input.is_history {
        straighten(&mut case, engines.off.rules());
    }
    // Without rules, what happened is all that happens.
    let Some(untouched) = run(&engines.off, &case, 1, None) else { return };
    let content = |engine, times, chaos| run(engine, &case, times, chaos).map(|it| it.content);
    let observed = content(&engines.observing, 1, None);
    assert_eq!(observed, Some(untouched.content), "observed {case}");
    let once = content(&engines.enforcing, 1, None);
    // Records that nobody wrote in this order, or that are rejected, promise no more.
    let times = if input.is_history && !untouched.has_rejected { 3 } else { 1 };
    assert_eq!(content(&engines.enforcing, times, None), once, "{times} times {case}");
    if let Some(seed) = input.chaos {
        content(&engines.enforcing, 1, Some(seed.into()));
    }
});

/// What came of a replay.
struct Ended {
    content: String,
    /// Whether there were records that tell of nothing a table can have done.
    has_rejected: bool,
}

/// Replays a case, all of it as often as this; nothing if its seed is none.
fn run(engine: &Engine, case: &Case, times: usize, chaos: Option<u64>) -> Option<Ended> {
    let store = replay::store(engine.rules());
    replay::seed(&store, &case.seed()).ok()?;
    let batches = case.batches();
    let batches = std::iter::repeat_n(batches, times).flatten().collect();
    let mut has_rejected = false;
    let tell = |told| has_rejected |= matches!(told, Told::Rejected(..));
    let options = Options { chaos, no_drain: false };
    replay::replay(engine, &store, batches, options, tell).expect("a replay ends");
    Some(Ended { content: replay::dump(&store), has_rejected })
}

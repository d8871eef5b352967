//! Cases under `events/`, changed anywhere, replayed whole: nothing panics, every replay ends, and
//! what is delivered again changes nothing more.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use referee::engine::Engine;
use referee::replay::{self, Options, Told};

use case::{Case, Edit};
use history::straighten;

mod case;
mod history;

#[path = "../../../support/fixture.rs"]
mod fixture;

static CASES: LazyLock<Vec<(Engine, Case)>> = LazyLock::new(|| {
    let fixtures = fixture::Fixture::all().into_iter();
    fixtures.map(|fixture| (Engine::new(fixture.rules.clone()), Case::of(&fixture))).collect()
});

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
    let (engine, case) = &CASES[usize::from(input.case) % CASES.len()];
    let mut case = case.clone();
    // Longer ones would only hide which edit matters.
    for edit in input.edits.iter().take(16) {
        case.apply(edit);
    }
    if input.is_history {
        straighten(&mut case, engine.rules());
    }
    let Some(once) = run(engine, &case, 1, None) else { return };
    if let Some(seed) = input.chaos {
        run(engine, &case, 1, Some(seed.into()));
    }
    // Records that nobody wrote in this order, or that are rejected, promise no more.
    let (times, is_comparable) = if input.is_history { (3, !once.has_rejected) } else { (1, true) };
    if is_comparable {
        let again = run(engine, &case, times, None).expect("the seed is the same");
        assert_eq!(again.content, once.content, "{times} times {case}");
    }
});

/// What came of a replay.
struct Ended {
    content: String,
    has_rejected: bool,
}

/// Replays a case, all of it as often as this; nothing if its seed is none.
fn run(engine: &Engine, case: &Case, times: usize, chaos: Option<u64>) -> Option<Ended> {
    let store = replay::store(engine.rules());
    replay::seed(&store, &case.seed()).ok()?;
    let batches = case.batches();
    let batches = std::iter::repeat_n(batches, times).flatten().collect();
    let mut has_rejected = false;
    let tell = |told| {
        has_rejected |= match told {
            Told::Rejected(..) => true,
            Told::Delivered(outcome, _) => !outcome.rejected.is_empty(),
        };
    };
    let options = Options { chaos, no_drain: false };
    replay::replay(engine, &store, batches, options, tell).expect("a replay ends");
    Some(Ended { content: replay::dump(&store), has_rejected })
}

//! Referential actions under rule files and histories drawn at random, delivered badly: nothing is
//! done that is not called for, nothing is left dangling unreported, and where what comes of a
//! history does not depend on time, it is what a simple model of the rules says.
//!
//! A seed that fails is named, and may be run alone: `SEED=42 cargo test --test actions`. More are
//! tried with `SEEDS=1000000`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "a run says how much it tried")]

mod model;
mod schema;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use model::{Settlement, State};
use schema::Schema;
use world::World;

/// How many seeds each test tries, if nobody says otherwise.
const SEEDS: u64 = 10_000;
/// How many acts a history has at most.
const ACTS_MAX: usize = 12;

/// What came of a seed.
enum Tried {
    /// The rules are refused.
    Refused,
    /// It ended before its history did, for what comes next depends on the order of things.
    Cut,
    Whole,
}

/// Runs every seed, and tells how many there were of which kind.
fn try_all(name: &str, run: fn(u64) -> Tried) {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how many")]
    let number = |variable| std::env::var(variable).ok().map(|text| text.parse().unwrap());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let (mut refused, mut cut, mut whole) = (0, 0, 0);
    let mut failed = Vec::new();
    for seed in seeds {
        match catch_unwind(AssertUnwindSafe(|| run(seed))) {
            Ok(Tried::Refused) => refused += 1,
            Ok(Tried::Cut) => cut += 1,
            Ok(Tried::Whole) => whole += 1,
            Err(_) => failed.push(seed),
        }
        assert!(failed.len() < 5, "{name}: seeds {failed:?} fail");
    }
    println!("{name}: {whole} whole, {cut} cut short, {refused} refused");
    assert!(failed.is_empty(), "{name}: seeds {failed:?} fail");
}

/// A world whose rules are drawn at random; nothing if they are refused.
fn world(seed: u64) -> Option<(World, Rng)> {
    let mut rng = Rng::with_seed(seed);
    let schema = Schema::random(&mut rng);
    Some((World::new(schema, rng.fork())?, rng))
}

#[test]
fn one_act_at_a_time_comes_to_what_the_model_says() {
    try_all("one at a time", |seed| {
        let Some((mut world, mut rng)) = world(seed) else { return Tried::Refused };
        let mut expected = State::new();
        for _ in 0..rng.usize(1..=ACTS_MAX) {
            let act = world.draw();
            let schema = world.schema.clone();
            let Some(settled) = Settlement::of(&schema, expected, &act) else { return Tried::Cut };
            expected = settled;
            let floor = world.records();
            world.act(&act);
            world.drain(floor);
            assert_eq!(world.state(), expected, "after {act:?}, under\n{}", schema.text());
        }
        world.assert_sound();
        world.assert_unmarked();
        world.assert_reported();
        Tried::Whole
    });
}

#[test]
fn acts_that_come_meanwhile_break_nothing() {
    try_all("meanwhile", |seed| {
        let Some((mut world, mut rng)) = world(seed) else { return Tried::Refused };
        let lags = rng.u8(..4) == 0;
        if lags {
            world.let_indexes_lag();
        }
        for _ in 0..rng.usize(1..=ACTS_MAX) {
            let act = world.draw();
            if rng.bool() {
                world.act(&act);
            } else {
                world.meanwhile(vec![act]);
            }
            if rng.u8(..3) == 0 {
                world.drain(0);
            }
        }
        world.drain(0);
        world.assert_sound();
        world.assert_unmarked();
        // What an index does not show in time is for an audit to find.
        if !lags {
            world.assert_reported();
        }
        Tried::Whole
    });
}

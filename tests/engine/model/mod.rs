//! Exhaustive checks of races: the real engine runs in worlds so small that a model checker can try
//! every order of events.
//!
//! Each model is checked with all safeguards: its claims must hold in every state. It is also
//! checked without each safeguard in turn: the checker must then find a counterexample. `cargo test
//! --test engine model -- --nocapture` prints how many states there are, and the counterexamples.
//!
//! # Layout
//!
//! - `desk`: a run of the engine, represented by the replies that it got.
//! - `table`: the table, represented by the log of its changes.
//! - `state`, `world`: the states, and the steps between them.
//! - `weaken`: the safeguards, and how to remove them.
//! - `references`, `mirrors`, `repairs`, `indexes`, `accounts`: the models.

#![expect(clippy::print_stdout, reason = "a run prints how many states it tried")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, and indexes come from the state that they index"
)]

mod accounts;
mod desk;
mod indexes;
mod mirrors;
mod references;
mod repairs;
mod state;
mod table;
mod weaken;
mod world;

use referee::store::{Action, Write};
use stateright::{Checker as _, HasDiscoveries, Model as _};

use crate::model::table::TABLE;
use crate::model::world::World;

/// Asserts that every claim of the world holds in every state.
fn holds(name: &str, world: World) {
    let checker = world.checker().spawn_bfs().join();
    println!(
        "{name}: {} states, {} steps, {} deep",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

/// Asserts that the world, without one of its safeguards, has a history in which this claim fails.
fn fails(name: &str, world: World, claim: &'static str) {
    let claims = HasDiscoveries::AnyOf([claim].into());
    let checker = world.checker().finish_when(claims).spawn_bfs().join();
    let states = checker.unique_state_count();
    let path = checker.discovery(claim);
    let path = path.unwrap_or_else(|| panic!("{name}: {states} states, and no counterexample"));
    let steps = path.into_actions();
    println!("{name}: not \"{claim}\" after {} steps, {states} states: {steps:?}", steps.len());
}

fn write(action: Action) -> Write {
    Write { table: TABLE.to_owned(), action, condition: None }
}

fn put(text: &str) -> Write {
    write(Action::Put(table::item(text)))
}

fn delete(name: &str) -> Write {
    write(Action::Delete(table::item(name)))
}

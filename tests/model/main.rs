//! The races, exhaustively: the real engine in worlds so small that a checker can try everything
//! that may happen in them, in every order.
//!
//! Each model is checked twice: as it is, where its claims hold in every state; and without one
//! safeguard after the other, where the checker must find a counterexample. `cargo test --test
//! model -- --nocapture` prints how many states there are, and the counterexamples.
//!
//! # Layout
//!
//! - `desk`: a run of the engine, as the list of the answers that it got.
//! - `table`: the table, as the log of its changes.
//! - `world`: what may happen, and in which states.
//! - `weaken`: the safeguards, and how to take them away.
//! - `references`, `mirrors`, `repairs`, `indexes`: the models.

#![expect(clippy::print_stdout, reason = "a run says how much it tried")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod desk;
mod indexes;
mod mirrors;
mod references;
mod repairs;
mod table;
mod weaken;
mod world;

use referee::store::{Action, Write};
use stateright::{Checker as _, HasDiscoveries, Model as _};

use crate::table::TABLE;
use crate::world::World;

/// Every claim of the world holds, in every state.
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

/// The world without one of its safeguards has a history in which this claim does not hold.
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

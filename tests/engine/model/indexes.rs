//! Referencing items of a deleted item are found by an index that lags.

use crate::model::references::is_repaired;
use crate::model::state::State;
use crate::model::table::key;
use crate::model::weaken::Safeguard;
use crate::model::world::World;
use crate::model::{delete, fails, holds, put};

const TASK: &str = "task#1/-";
const USER: &str = "user#ann/-";

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task: { table: app, key: { pk: "task#{task}", sk: "-" }, attributes: { owner: S } }
references:
  task_owner:
    from: task
    to: user
    on: { user: "{owner}" }
    find: { index: by_owner, key: { owner: "{user}" } }
    on_delete: DELETE
"#;

const FOUND: &str = "an item that the index shows late is still found";

/// A task is created and passed to a user who is deleted.
fn world(on_delete: &str) -> World {
    World::new(&RULES.replace("DELETE", on_delete), &["task#", "user#"])
        .index("by_owner", true)
        .has(USER)
        .writer([put(&format!("{TASK} owner=bob")), put(&format!("{TASK} owner=ann"))])
        .writer([delete(USER)])
        .always((FOUND, is_found))
}

/// If the task's reference dangles at rest, it was found after the last change that could make it
/// dangle.
fn is_found(world: &World, state: &State) -> bool {
    if !world.is_at_rest(state) {
        return true;
    }
    let (history, now) = (world.history(state), state.log.len());
    let is_anns = history.item(TASK, now).is_some_and(|it| it.get("owner") == Some(&"ann".into()));
    if !is_anns || history.item(USER, now).is_some() {
        return true;
    }
    let last = state.log.iter().rposition(|entry| [key(TASK), key(USER)].contains(&entry.key));
    let found = state.found.get(&(TASK.to_owned(), USER.to_owned()));
    found.is_some_and(|looked| last.is_none_or(|last| *looked > last))
}

/// Whether a delete was processed before the index had seen every earlier change.
fn was_behind(_: &World, state: &State) -> bool {
    state.waits_for_index()
}

#[test]
fn an_index_that_catches_up_within_grace_hides_no_referencing_item() {
    holds("report, with an index behind", world("report").sometimes(("behind", was_behind)));
    let cascade = world("cascade").faults(1).sometimes(("it is repaired", is_repaired));
    holds("cascade, with an index behind", cascade);
}

#[test]
fn without_the_query_after_the_grace_period_an_orphan_is_missed() {
    for on_delete in ["report", "cascade"] {
        let world = world(on_delete).without(Some(Safeguard::Grace));
        fails(&format!("{on_delete}, without the wait"), world, FOUND);
    }
}

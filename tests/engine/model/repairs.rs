//! Repairs of violations that may end by themselves. The record of a violation may be redelivered,
//! and the transaction of a repair may land late.

use crate::model::state::State;
use crate::model::table::name_of;
use crate::model::weaken::Safeguard;
use crate::model::world::World;
use crate::model::{delete, fails, holds, put};

const TASK: &str = "task#1/-";
const OWNERS: [&str; 2] = ["ann", "bob"];

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
    on_missing: MISSING
    on_delete: DELETE
"#;

const SOUND: &str = "no valid item is repaired";
const WHOLE: &str = "at rest no reference dangles";

/// A task is passed to another owner while its first owner is deleted and re-created.
fn world(on_missing: &str, on_delete: &str) -> World {
    let rules = RULES.replace("MISSING", on_missing).replace("DELETE", on_delete);
    World::new(&rules, &["task#", "user#"])
        .index("by_owner", false)
        .has("user#ann/-")
        .has("user#bob/-")
        .has(&format!("{TASK} owner=ann"))
        .writer([put(&format!("{TASK} owner=bob"))])
        .writer([delete("user#ann/-"), put("user#ann/-")])
        .always((SOUND, is_sound))
        .always((WHOLE, is_whole))
        .sometimes(("it is repaired", crate::model::references::is_repaired))
}

fn dangles(world: &World, state: &State, changes: usize) -> bool {
    let history = world.history(state);
    let task = history.item(TASK, changes);
    let owned = |owner: &str| task.is_some_and(|it| it.get("owner") == Some(&owner.into()));
    let is_there = |owner: &str| history.item(&format!("user#{owner}/-"), changes).is_some();
    OWNERS.into_iter().any(|owner| owned(owner) && !is_there(owner))
}

/// The engine wrote only to a task whose reference dangled.
fn is_sound(world: &World, state: &State) -> bool {
    state
        .log
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.by_engine)
        .all(|(place, entry)| name_of(&entry.key) == TASK && dangles(world, state, place))
}

fn is_whole(world: &World, state: &State) -> bool {
    !world.is_at_rest(state) || !dangles(world, state, state.log.len())
}

#[test]
fn a_repair_is_right_when_it_commits() {
    for (on_missing, on_delete) in [("delete", "cascade"), ("unset", "unset")] {
        let name = format!("on_missing: {on_missing}, on_delete: {on_delete}");
        holds(&name, world(on_missing, on_delete).faults(1).redeliveries(1));
    }
}

#[test]
fn without_a_part_of_its_guard_a_repair_can_be_wrong() {
    for (on_missing, on_delete) in [("delete", "cascade"), ("unset", "unset")] {
        for without in [Safeguard::Guard, Safeguard::Condition] {
            let world = world(on_missing, on_delete).without(Some(without));
            fails(&format!("{on_delete} without its {without:?}"), world, SOUND);
        }
    }
}

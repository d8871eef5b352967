//! A reference is created while its target is deleted, re-created and deleted again. Both sides are
//! watched, each in its own shard.

use referee::data::Path;
use referee::store::{Condition, Write};

use crate::model::state::State;
use crate::model::table::{key, name_of};
use crate::model::weaken::Safeguard;
use crate::model::world::World;
use crate::model::{delete, fails, holds, put};

const USER: &str = "user#ann/-";
const ORDER: &str = "orders#ann/1";

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  order: { table: app, key: { pk: "orders#{user}", sk: "{order}" } }
references:
  order_user: { from: order, to: user, on_missing: MISSING, on_delete: DELETE }
"#;

const BOTH: &[&str] = &["orders#", "user#"];

fn world(on_missing: &str, on_delete: &str, shards: &'static [&'static str]) -> World {
    let rules = RULES.replace("MISSING", on_missing).replace("DELETE", on_delete);
    World::new(&rules, shards)
        .has(USER)
        .writer([put(ORDER)])
        .writer(deletes_and_recreates())
        .always(("no dangling reference goes unreported", is_reported))
        .always(("no item with a valid reference is deleted", is_sound))
}

/// The referencing item is found by a mirror, which another writer may delete at any time.
fn found_by_a_mirror() -> World {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  order: { table: app, key: { pk: "orders#{user}", sk: "{order}" } }
  order_of: { table: app, key: { pk: "of#{user}", sk: "{order}" } }
references:
  order_user: { from: order, to: user, find: { mirror: orders_of } }
mirrors:
  orders_of: { source: order, mirror: order_of, copy: none }
"#;
    World::new(rules, &["orders#", "user#", "of#"])
        .has(USER)
        .writer([put(ORDER)])
        .writer([delete("of#ann/1")])
        .writer([delete(USER)])
        .always(("no dangling reference goes unreported", is_found_if_dangling))
        .sometimes(("it is found", is_found))
}

/// The order refers to a user who has expired. TTL deletes the user at any time, unless an
/// application keeps the user before.
fn expiring(keeps: bool) -> World {
    let rules = RULES.replace("sk] }", "sk], ttl: until }").replace("MISSING", "delete");
    let rules = rules.replace("DELETE", "report, on_ttl_delete: cascade, expired: absent");
    let has_expired = Condition::Exists(Path::parse("until").unwrap());
    World::new(&rules, BOTH)
        .has(&format!("{USER} until=-1"))
        .writer([put(ORDER)])
        .writer(keeps.then(|| put(USER)))
        .ttl(Write { condition: Some(has_expired), ..delete(USER) })
        .always(("at rest no reference dangles", is_whole))
        .always(("no item with a valid reference is deleted", is_sound))
        .sometimes(("it is repaired", is_repaired))
}

fn is_whole(world: &World, state: &State) -> bool {
    let (history, now) = (world.history(state), state.log.len());
    let dangles = history.item(ORDER, now).is_some() && history.item(USER, now).is_none();
    !world.is_at_rest(state) || !dangles
}

/// If the reference dangles at rest, it was found. In this model, it starts to dangle at most once.
fn is_found_if_dangling(world: &World, state: &State) -> bool {
    let (history, now) = (world.history(state), state.log.len());
    let dangles = history.item(ORDER, now).is_some() && history.item(USER, now).is_none();
    let is_found = state.found.contains_key(&(ORDER.to_owned(), USER.to_owned()));
    !world.is_at_rest(state) || !dangles || is_found
}

fn deletes_and_recreates() -> Vec<Write> {
    vec![delete(USER), put(USER), delete(USER)]
}

/// If a reference dangles at rest, it was found after the last change of either item.
pub(crate) fn is_reported(world: &World, state: &State) -> bool {
    if !world.is_at_rest(state) {
        return true;
    }
    let history = world.history(state);
    let now = state.log.len();
    if history.item(ORDER, now).is_none() || history.item(USER, now).is_some() {
        return true;
    }
    let about = [key(ORDER), key(USER)];
    let last = state.log.iter().rposition(|entry| about.contains(&entry.key));
    let found = state.found.get(&(ORDER.to_owned(), USER.to_owned()));
    found.is_some_and(|looked| last.is_none_or(|last| *looked > last))
}

/// The engine deleted the order only while its target did not exist or had expired, and wrote
/// nothing else.
fn is_sound(world: &World, state: &State) -> bool {
    let history = world.history(state);
    state.log.iter().enumerate().filter(|(_, entry)| entry.by_engine).all(|(place, entry)| {
        let is_delete = name_of(&entry.key) == ORDER && entry.after.is_none();
        let user = history.item(USER, place);
        is_delete && user.is_none_or(|user| user.contains_key("until"))
    })
}

fn is_found(_: &World, state: &State) -> bool {
    !state.found.is_empty()
}

pub(crate) fn is_repaired(_: &World, state: &State) -> bool {
    state.log.iter().any(|entry| entry.by_engine)
}

#[test]
fn each_action_is_right_in_every_order_of_events() {
    for (on_missing, on_delete, faults) in [
        ("report", "report", 1),
        ("report", "cascade", 0),
        ("delete", "report", 0),
        ("delete", "cascade", 1),
    ] {
        let name = format!("on_missing: {on_missing}, on_delete: {on_delete}");
        let mut world = world(on_missing, on_delete, BOTH).faults(faults);
        world = world.sometimes(("it is found", is_found));
        if (on_missing, on_delete) != ("report", "report") {
            world = world.sometimes(("it is repaired", is_repaired));
        }
        holds(&name, world);
    }
}

#[test]
fn deleting_a_lookup_mirror_hides_no_referrer() {
    holds("find: { mirror: … }", found_by_a_mirror());
}

#[test]
fn an_expired_target_is_absent_in_every_order_of_events() {
    holds("an expired target", expiring(false).faults(1));
    holds("an expired target that is kept", expiring(true).faults(1).redeliveries(1));
    let world = expiring(true).without(Some(Safeguard::Guard));
    fails("no guard, an expired target", world, "no item with a valid reference is deleted");
}

#[test]
fn with_only_one_side_watched_a_dangling_reference_is_missed() {
    for shards in [&["orders#"], &["user#"]] {
        let name = format!("only {shards:?} watched");
        fails(&name, world("report", "report", shards), "no dangling reference goes unreported");
    }
}

#[test]
fn with_eventually_consistent_reads_a_dangling_reference_is_missed() {
    let world = world("report", "report", BOTH).without(Some(Safeguard::Consistency));
    fails("eventually consistent reads", world, "no dangling reference goes unreported");
}

#[test]
fn without_a_guard_a_repair_deletes_a_valid_item() {
    for (on_missing, on_delete) in [("report", "cascade"), ("delete", "report")] {
        let world = world(on_missing, on_delete, BOTH).without(Some(Safeguard::Guard));
        let name = format!("no guard, on_missing: {on_missing}, on_delete: {on_delete}");
        fails(&name, world, "no item with a valid reference is deleted");
    }
}

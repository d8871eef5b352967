//! A mirror is maintained while its source changes, others write to the mirror, workers die, and
//! abandoned writes land late.

use referee::data::{Item, Path, Value};
use referee::store::{Action, Clause, Condition, Write};

use crate::model::state::State;
use crate::model::table::name_of;
use crate::model::weaken::Safeguard;
use crate::model::world::World;
use crate::model::{delete, fails, holds, put, write};

const SOURCE: &str = "company#c/user#u";
const MIRROR: &str = "user#u/company#c";

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, on_mirror_delete: DELETE }
"#;

const CONVERGES: &str = "at rest the mirror equals its source";
const STAYS_CORRECT: &str = "a correct mirror stays correct";
const KEEPS_SOURCES: &str = "the engine deletes no source";
const LEAVES_FOREIGN_ITEMS: &str = "items of others are left alone";

fn world(on_mirror_delete: &str, writes: impl IntoIterator<Item = Write>) -> World {
    World::new(&RULES.replace("DELETE", on_mirror_delete), &["company#", "user#"])
        .writer(writes)
        .always((CONVERGES, is_mirrored))
}

fn source(role: &str) -> Write {
    put(&format!("{SOURCE} role={role}"))
}

/// Another writer changes the mirror, if it exists.
fn edit_mirror() -> Write {
    let role = Path::parse("role").unwrap();
    let clauses = vec![Clause::Set(role.clone(), "forged".into())];
    let update = Action::Update { key: crate::model::table::item(MIRROR), clauses };
    Write { condition: Some(Condition::Exists(role)), ..write(update) }
}

fn is_same(source: Option<&Item<'_>>, mirror: Option<&Item<'_>>) -> bool {
    source.map(|it| it.get("role")) == mirror.map(|it| it.get("role"))
}

fn is_mirrored(world: &World, state: &State) -> bool {
    let (history, now) = (world.history(state), state.log.len());
    !world.is_at_rest(state) || is_same(history.item(SOURCE, now), history.item(MIRROR, now))
}

/// Once all changes by others are processed, redelivered records and late writes do not undo a
/// correct mirror.
fn stays_correct(world: &World, state: &State) -> bool {
    let history = world.history(state);
    let own = state.log.iter().enumerate().filter(|(_, it)| it.by_engine && it.is_settled);
    own.filter(|(_, entry)| name_of(&entry.key) == MIRROR).all(|(place, _)| {
        let (source, before) = (history.item(SOURCE, place), history.item(MIRROR, place));
        let was_right = before.is_some() && is_same(source, before);
        !was_right || is_same(source, history.item(MIRROR, place + 1))
    })
}

/// The engine replaces or deletes only its own mirrors.
fn leaves_foreign_items(world: &World, state: &State) -> bool {
    let history = world.history(state);
    state.log.iter().enumerate().filter(|(_, entry)| entry.by_engine).all(|(place, entry)| {
        let before = history.item(&name_of(&entry.key), place);
        before.is_none_or(|before| before.contains_key("_referee"))
    })
}

fn late_writes() -> World {
    let writes = [source("a"), delete(SOURCE)];
    world("restore", writes)
        .faults(1)
        .redeliveries(1)
        .always((LEAVES_FOREIGN_ITEMS, leaves_foreign_items))
}

/// A source is deleted and written again. Only the engine deleted the mirror, so the source must
/// not be deleted with it.
fn deleted_and_recreated() -> World {
    let writes = [source("a"), delete(SOURCE), source("b")];
    world("delete_source", writes).always((LEAVES_FOREIGN_ITEMS, leaves_foreign_items))
}

fn redelivered_records() -> World {
    world("restore", [source("a"), source("b")])
        .faults(1)
        .redeliveries(2)
        .always((STAYS_CORRECT, stays_correct))
}

/// The mirror comes from another stream, or its mark is forged: its fence is higher than every
/// sequence number.
fn foreign_fence(on_mirror_delete: &str, writes: impl IntoIterator<Item = Write>) -> World {
    let fence = Value::S("9".repeat(40).into());
    let mark = Item::from([("rule".into(), "membership".into()), ("fence".into(), fence)]);
    world(on_mirror_delete, writes)
        .has(&format!("{SOURCE} role=a"))
        .has_mirror(&format!("{MIRROR} role=a"), mark)
}

/// TTL deletes an item that still has the time at which it expires.
fn expire(name: &str) -> Write {
    let has_expired = Condition::Exists(Path::parse("until").unwrap());
    Write { condition: Some(has_expired), ..delete(name) }
}

/// TTL deletes the expired source and its expired mirror, in any order. The application may keep the
/// source before.
fn expiring(writes: impl IntoIterator<Item = Write>) -> World {
    let fence = Value::S(format!("{:040}", 7).into());
    let mark = Item::from([("rule".into(), "membership".into()), ("fence".into(), fence)]);
    let rules = RULES.replace("sk] }", "sk], ttl: until }").replace("DELETE", "delete_source");
    World::new(&rules, &["company#", "user#"])
        .has(&format!("{SOURCE} role=a until=-1"))
        .has_mirror(&format!("{MIRROR} role=a until=-1"), mark)
        .writer(writes)
        .ttl(expire(MIRROR))
        .ttl(expire(SOURCE))
        .always((CONVERGES, is_mirrored_unless_expired))
        .always((KEEPS_SOURCES, keeps_sources))
}

fn is_mirrored_unless_expired(world: &World, state: &State) -> bool {
    let (history, now) = (world.history(state), state.log.len());
    let (source, mirror) = (history.item(SOURCE, now), history.item(MIRROR, now));
    let has_expired = source.is_some_and(|it| it.get("until").is_some());
    !world.is_at_rest(state) || is_same(source, mirror) || (has_expired && mirror.is_none())
}

/// Only TTL and the application delete a source.
fn keeps_sources(_: &World, state: &State) -> bool {
    let mut own = state.log.iter().filter(|entry| entry.by_engine);
    own.all(|entry| name_of(&entry.key) != SOURCE || entry.after.is_some())
}

fn edited_by_others() -> World {
    let writes = [source("a"), source("b")];
    world("restore", writes).writer([edit_mirror(), delete(MIRROR)])
}

fn edited_by_others_with_late_writes() -> World {
    world("restore", [source("a"), source("b")]).writer([edit_mirror()]).faults(1)
}

fn foreign_item_at_the_key() -> World {
    let foreign = put(&format!("{MIRROR} role=a mine=true"));
    let writes = [source("a"), delete(SOURCE)];
    World::new(&RULES.replace("DELETE", "restore"), &["company#", "user#"])
        .writer(writes)
        .writer([foreign])
        .faults(1)
        .always((LEAVES_FOREIGN_ITEMS, leaves_foreign_items))
}

#[test]
fn a_mirror_converges_despite_late_writes() {
    holds("late writes", late_writes());
}

#[test]
fn a_correct_mirror_stays_correct() {
    holds("redelivered records", redelivered_records());
}

#[test]
fn a_mirror_converges_despite_writes_by_others() {
    holds("written by others", edited_by_others());
    holds("written by others, late writes", edited_by_others_with_late_writes());
}

#[test]
fn items_of_others_are_left_alone() {
    holds("a foreign item at the mirror's key", foreign_item_at_the_key());
    holds("on_mirror_delete: delete_source", deleted_and_recreated());
}

#[test]
fn a_mirror_converges_despite_a_fence_from_another_stream() {
    for action in ["restore", "delete_source"] {
        let world = foreign_fence(action, [source("b"), delete(SOURCE)]);
        holds(&format!("a foreign fence, {action}"), world.faults(1));
    }
    let world = foreign_fence("restore", [source("b"), source("c")]).redeliveries(1);
    holds("a foreign fence, redelivered", world.always((STAYS_CORRECT, stays_correct)));
}

#[test]
fn a_mirror_converges_whatever_ttl_deletes_first() {
    holds("TTL deletes", expiring([]).faults(1));
    holds("TTL deletes, the source is kept", expiring([source("a")]));
}

#[test]
fn without_verification_of_own_writes_a_mirror_can_diverge() {
    let without = Some(Safeguard::Verification);
    fails("no verification, late writes", late_writes().without(without), CONVERGES);
}

#[test]
fn without_a_fence_or_condition_a_mirror_write_can_do_harm() {
    let without = Some(Safeguard::Condition);
    fails("no fence, redelivered records", redelivered_records().without(without), STAYS_CORRECT);
    fails(
        "no condition, a foreign item",
        foreign_item_at_the_key().without(without),
        LEAVES_FOREIGN_ITEMS,
    );
    fails(
        "no condition, on_mirror_delete: delete_source",
        deleted_and_recreated().without(without),
        LEAVES_FOREIGN_ITEMS,
    );
}

#[test]
fn with_eventually_consistent_reads_a_mirror_can_diverge() {
    let world = late_writes().without(Some(Safeguard::Consistency));
    fails("eventually consistent reads of sources", world, CONVERGES);
}

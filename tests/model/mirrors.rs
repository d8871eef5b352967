//! A mirror is kept while its source changes, others touch it, workers die, and writes that nobody
//! waits for any more land late.

use referee::data::{Item, Path};
use referee::store::{Action, Clause, Condition, Write};

use crate::state::State;
use crate::table::name_of;
use crate::weaken::Safeguard;
use crate::world::World;
use crate::{delete, fails, holds, put, write};

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

const CONVERGES: &str = "at rest the mirror is what its source says";
const STAYS: &str = "a mirror that is right stays so";
const SPARES: &str = "what others wrote is left alone";

fn world(on_mirror_delete: &str, writes: impl IntoIterator<Item = Write>) -> World {
    World::new(&RULES.replace("DELETE", on_mirror_delete), &["company#", "user#"])
        .writer(writes)
        .always((CONVERGES, is_mirrored))
}

fn source(role: &str) -> Write {
    put(&format!("{SOURCE} role={role}"))
}

/// Somebody changes the mirror, if it is there.
fn forge() -> Write {
    let role = Path::parse("role").unwrap();
    let clauses = vec![Clause::Set(role.clone(), "forged".into())];
    let update = Action::Update { key: crate::table::item(MIRROR), clauses };
    Write { condition: Some(Condition::Exists(role)), ..write(update) }
}

fn is_same(source: Option<&Item<'_>>, mirror: Option<&Item<'_>>) -> bool {
    source.map(|it| it.get("role")) == mirror.map(|it| it.get("role"))
}

fn is_mirrored(world: &World, state: &State) -> bool {
    let (history, now) = (world.history(state), state.log.len());
    !world.is_at_rest(state) || is_same(history.item(SOURCE, now), history.item(MIRROR, now))
}

/// Once every record of the source is processed, whatever is delivered again or lands late does
/// not undo a mirror that is right.
fn stays(world: &World, state: &State) -> bool {
    let history = world.history(state);
    let own = state.log.iter().enumerate().filter(|(_, it)| it.by_engine && it.is_settled);
    own.filter(|(_, entry)| name_of(&entry.key) == MIRROR).all(|(place, _)| {
        let (source, before) = (history.item(SOURCE, place), history.item(MIRROR, place));
        let was_right = before.is_some() && is_same(source, before);
        !was_right || is_same(source, history.item(MIRROR, place + 1))
    })
}

/// The engine replaces or deletes nothing but its own mirrors.
fn spares(world: &World, state: &State) -> bool {
    let history = world.history(state);
    state.log.iter().enumerate().filter(|(_, entry)| entry.by_engine).all(|(place, entry)| {
        let before = history.item(&name_of(&entry.key), place);
        before.is_none_or(|before| before.contains_key("_referee"))
    })
}

fn late() -> World {
    let writes = [source("a"), delete(SOURCE)];
    world("restore", writes).faults(1).redeliveries(1).always((SPARES, spares))
}

/// A source is deleted, and written again: nobody but the engine deleted its mirror, so that it
/// must not be deleted with it.
fn followed() -> World {
    let writes = [source("a"), delete(SOURCE), source("b")];
    world("delete_source", writes).always((SPARES, spares))
}

fn redelivered() -> World {
    world("restore", [source("a"), source("b")]).faults(1).redeliveries(2).always((STAYS, stays))
}

fn touched() -> World {
    let writes = [source("a"), source("b")];
    world("restore", writes).writer([forge(), delete(MIRROR)])
}

fn touched_and_late() -> World {
    world("restore", [source("a"), source("b")]).writer([forge()]).faults(1)
}

fn taken() -> World {
    let foreign = put(&format!("{MIRROR} role=a mine=true"));
    let writes = [source("a"), delete(SOURCE)];
    World::new(&RULES.replace("DELETE", "restore"), &["company#", "user#"])
        .writer(writes)
        .writer([foreign])
        .faults(1)
        .always((SPARES, spares))
}

#[test]
fn a_mirror_converges_whatever_lands_late() {
    holds("late writes", late());
}

#[test]
fn a_mirror_that_is_right_stays_so() {
    holds("redelivered records", redelivered());
}

#[test]
fn a_mirror_converges_whoever_touches_it() {
    holds("touched by others", touched());
    holds("touched by others, late writes", touched_and_late());
}

#[test]
fn what_others_wrote_is_left_alone() {
    holds("an item of others in the mirror's place", taken());
    holds("on_mirror_delete: delete_source", followed());
}

#[test]
fn own_writes_must_be_verified() {
    let without = Some(Safeguard::Verification);
    fails("no verification, late writes", late().without(without), CONVERGES);
}

#[test]
fn mirrors_must_be_fenced() {
    let without = Some(Safeguard::Condition);
    fails("no fence, redelivered records", redelivered().without(without), STAYS);
    fails("no condition, an item of others", taken().without(without), SPARES);
    fails("no condition, on_mirror_delete: delete_source", followed().without(without), SPARES);
}

#[test]
fn sources_must_be_read_consistently() {
    let world = late().without(Some(Safeguard::Consistency));
    fails("eventually consistent reads of sources", world, CONVERGES);
}

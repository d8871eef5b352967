//! A person closes an account: a user and the mirror by which the user's membership is found are
//! deleted, in either order and at any time, and the account may be opened again.

use referee::data::{Item, Value};
use referee::store::Write;

use crate::model::state::State;
use crate::model::table::name_of;
use crate::model::weaken::Safeguard;
use crate::model::world::World;
use crate::model::{delete, fails, holds, put};

const USER: &str = "user#u/-";
const MEMBER: &str = "company#c/user#u";

/// The partition of the mirror: the user's own, or one of its own, whose records are processed
/// separately.
const WITH_USER: &str = "user";
const APART: &str = "of";

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "PARTITION#{user}", sk: "company#{company}" } }
references:
  member_user: { from: member, to: user, find: { mirror: membership }, on_delete: DELETE }
mirrors:
  membership: { source: member, mirror: member_of, copy: none, on_mirror_delete: LEAVE }
"#;

const GONE: &str = "at rest the membership of a deleted user is gone";
const REPORTED: &str = "at rest, a membership whose user was deleted has been reported";
const SOUND: &str = "no membership of an existing user is deleted";
const MIRRORED: &str = "at rest the mirror is there if the membership is";

/// A user with a membership and its mirror. The writers close the account.
fn world(partition: &'static str, on_delete: &str, leave: &str, user: Vec<Write>) -> World {
    let rules = RULES.replace("PARTITION", partition).replace("DELETE", on_delete);
    let rules = rules.replace("LEAVE", leave);
    let shards: &[_] =
        if partition == APART { &["company#", "user#", "of#"] } else { &["company#", "user#"] };
    let mirror = format!("{partition}#u/company#c");
    let fence = Value::S(format!("{:040}", 0).into());
    let mark = Item::from([("rule".into(), "membership".into()), ("fence".into(), fence)]);
    World::new(&rules, shards)
        .has(USER)
        .has(MEMBER)
        .has_mirror(&mirror, mark)
        .writer([delete(&mirror)])
        .writer(user)
        .always((MIRRORED, is_mirrored))
}

fn has(world: &World, state: &State, name: &str, changes: usize) -> bool {
    world.history(state).item(name, changes).is_some()
}

fn dangles(world: &World, state: &State) -> bool {
    let now = state.log.len();
    has(world, state, MEMBER, now) && !has(world, state, USER, now)
}

fn is_gone(world: &World, state: &State) -> bool {
    !world.is_at_rest(state) || !dangles(world, state)
}

fn is_reported(world: &World, state: &State) -> bool {
    let is_reported = state.found.contains_key(&(MEMBER.to_owned(), USER.to_owned()));
    !world.is_at_rest(state) || !dangles(world, state) || is_reported
}

fn is_mirrored(world: &World, state: &State) -> bool {
    let now = state.log.len();
    let mut mirrors =
        [WITH_USER, APART].map(|partition| format!("{partition}#u/company#c")).into_iter();
    let is_mirrored = mirrors.any(|mirror| has(world, state, &mirror, now));
    !world.is_at_rest(state) || has(world, state, MEMBER, now) == is_mirrored
}

/// The engine deletes the membership only while the user is missing.
fn is_sound(world: &World, state: &State) -> bool {
    let own = state.log.iter().enumerate().filter(|(_, entry)| entry.by_engine);
    let mut deletes = own.filter(|(_, it)| name_of(&it.key) == MEMBER && it.after.is_none());
    deletes.all(|(place, _)| !has(world, state, USER, place))
}

fn closed(partition: &'static str, leave: &str) -> World {
    world(partition, "cascade", leave, vec![delete(USER)])
        .always((GONE, is_gone))
        .sometimes(("it is deleted", |world, state| !has(world, state, MEMBER, state.log.len())))
}

fn opened_again() -> World {
    world(WITH_USER, "cascade", "restore", vec![delete(USER), put(USER), delete(USER)])
        .always((GONE, is_gone))
        .always((SOUND, is_sound))
}

#[test]
fn closing_an_account_deletes_its_membership_in_every_order() {
    holds("an account is closed", closed(WITH_USER, "restore").faults(1).redeliveries(1));
    holds("an account is closed, in three shards", closed(APART, "restore").redeliveries(1));
    holds("an account is closed, delete_source", closed(APART, "delete_source").redeliveries(1));
    holds("an account is opened and closed again", opened_again());
}

#[test]
fn closing_an_account_is_reported_in_every_order() {
    for on_delete in ["report", "restore"] {
        let world = world(APART, on_delete, "restore", vec![delete(USER)]);
        let world = world.always((REPORTED, is_reported)).redeliveries(1);
        holds(&format!("an account is closed, {on_delete}"), world);
    }
}

#[test]
fn without_a_guard_opening_an_account_again_loses_its_membership() {
    let world = opened_again().without(Some(Safeguard::Guard));
    fails("an account is opened again, no guard", world, SOUND);
}

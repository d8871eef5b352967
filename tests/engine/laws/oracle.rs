//! What must hold in the end, computed naively.

use referee::data::{Item, Key, KeyValue, Value};
use referee::integrity::mark::MARK;

use crate::laws::world::{World, text};

/// Asserts that every mirror equals its source, or that an item of the application is at its key.
pub(crate) fn assert_mirrored(world: &World) {
    let items = world.items();
    for (name @ (pk, sk), item) in &items {
        let reversed = items.get(&(sk.clone(), pk.clone()));
        if is_member(name) {
            let mirror = reversed.unwrap_or_else(|| panic!("{pk}/{sk} has no mirror"));
            let is_copy = mirror.len() == 4 && text(mirror, "role") == text(item, "role");
            assert!(!mirror.contains_key(MARK) || is_copy, "{mirror:?} of {item:?}");
        }
        assert!(!item.contains_key(MARK) || reversed.is_some(), "{pk}/{sk} has no source");
    }
}

/// Asserts that the application's items are unchanged, except for sources that a rule deletes.
pub(crate) fn assert_own(world: &World, deletes_sources: bool) {
    let mut items = world.items();
    items.retain(|_, item| !item.contains_key(MARK));
    let mut own = world.own.clone();
    if deletes_sources {
        own.retain(|name, _| items.contains_key(name) || !is_member(name));
    }
    assert_eq!(items, own);
}

pub(crate) fn is_member((pk, sk): &(String, String)) -> bool {
    pk.starts_with("company#") && sk.starts_with("user#")
}

/// Asserts that every dangling reference that a rule can find was reported.
pub(crate) fn assert_reported(world: &World) {
    let items = world.items();
    let dangling = world.dangling();
    for (name @ (pk, sk), item) in &items {
        for (rule, target) in targets(name, item) {
            let is_there = items.contains_key(&(target.clone(), "-".to_owned()));
            let is_reported = dangling.contains(&(rule, &key(pk, sk), &key(&target, "-")));
            assert!(is_there || is_reported, "{rule} of {pk}/{sk} dangles unreported");
        }
    }
}

/// Asserts that no reference that a rule can find dangles.
pub(crate) fn assert_whole(world: &World) {
    let items = world.items();
    for (name, item) in &items {
        for (rule, target) in targets(name, item) {
            let is_there = items.contains_key(&(target, "-".to_owned()));
            assert!(is_there, "{rule} of {name:?} dangles");
        }
    }
}

/// The rules by which an item refers, and the partition keys of its targets.
pub(crate) fn targets(name: &(String, String), item: &Item<'_>) -> Vec<(&'static str, String)> {
    if is_member(name) {
        return vec![("member_company", name.0.clone()), ("member_user", name.1.clone())];
    }
    let is_open = item.get("open") == Some(&Value::Bool(true));
    let by = text(item, "by").filter(|_| is_open);
    by.map(|by| ("task_by", format!("user#{by}"))).into_iter().collect()
}

pub(crate) fn key(pk: &str, sk: &str) -> Key<'static> {
    let value = |text: &str| KeyValue::S(text.to_owned().into());
    Key { partition: value(pk), sort: Some(value(sk)) }
}

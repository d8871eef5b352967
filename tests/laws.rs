//! Laws that hold of every history, however it is delivered.
//!
//! The application writes as it likes, and tampers with mirrors; its records are delivered in
//! batches cut anywhere, some again. What must hold in the end is worked out here anew, naively.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use history::{item_json, load};
use proptest::prelude::*;
use proptest::sample::Index;
use referee::data::{Item, JsonItem, Key, KeyValue, Value, into_owned};
use referee::engine::{Clock, Engine, MARK, Violation};
use referee::replay;
use referee::store::memory::StreamRecord;
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::value::RawValue;

const MEMBERS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "company#{company}", sk: "-" } }
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { role: S } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_company: { from: member, to: company }
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role], on_mirror_delete: ACTION }
"#;

/// Something that the application does, or somebody to a mirror.
#[derive(Debug, Clone)]
enum Act {
    /// Puts or deletes a company or a user.
    Target(&'static str, u8, bool),
    /// Puts a member with this role, or deletes it.
    Member(u8, u8, Option<&'static str>),
    /// Does something to a mirror.
    Tamper(u8, u8, Tampering),
}

#[derive(Debug, Clone, Copy)]
enum Tampering {
    /// Changes an attribute, if the mirror is there.
    Edit,
    /// Deletes it.
    Delete,
    /// Puts an item of the application's own in its place.
    Replace,
}

/// A table, and the records of what was done to it.
struct World {
    engine: Engine,
    store: Memory,
    log: Vec<StreamRecord>,
    /// How many of them are delivered.
    done: usize,
    found: Vec<Violation>,
    /// The items that the application wrote last, and that carry no mark.
    own: Items,
}

/// Items by their keys, as partition and sort key.
type Items = BTreeMap<(String, String), Item<'static>>;

/// Every record is old enough.
struct Late;

impl Clock for Late {
    fn now_ms(&self) -> i64 {
        1_000_000
    }

    async fn sleep_until_ms(&self, _: i64) {
        panic!("an old record needs no waiting");
    }
}

impl World {
    fn new(rules: &str) -> Self {
        let engine = Engine::new(load(rules));
        let store = replay::store(engine.rules());
        Self { engine, store, log: Vec::new(), done: 0, found: Vec::new(), own: Items::new() }
    }

    /// What becomes of these acts, all of them before anything is delivered.
    fn after(rules: &str, acts: &[Act]) -> Self {
        let mut world = Self::new(rules);
        for act in acts {
            world.act(act);
        }
        world
    }

    fn act(&mut self, act: &Act) {
        let (key, attributes) = match act {
            Act::Target(kind, number, is_there) => {
                (format!("pk: {kind}#{number}, sk: '-'"), is_there.then(String::new))
            }
            Act::Member(company, user, role) => (
                format!("pk: company#{company}, sk: user#{user}"),
                role.map(|role| format!(", role: {role}, notes: n")),
            ),
            Act::Tamper(company, user, tampering) => {
                let key = format!("pk: user#{user}, sk: company#{company}");
                match tampering {
                    Tampering::Edit => return self.edit(&item(&key)),
                    Tampering::Delete => (key, None),
                    Tampering::Replace => (key, Some(", mine: true".to_owned())),
                }
            }
        };
        self.write(match attributes {
            Some(attributes) => Action::Put(item(&format!("{key}{attributes}"))),
            None => Action::Delete(item(&key)),
        });
    }

    /// Changes the role of the item with this key, if it is there.
    fn edit(&mut self, key: &Item<'static>) {
        if let Some(mut item) = self.items().remove(&name(key)) {
            item.insert("role".into(), "forged".into());
            self.write(Action::Put(item));
        }
    }

    fn write(&mut self, action: Action) {
        match &action {
            Action::Put(item) if !item.contains_key(MARK) => {
                self.own.insert(name(item), item.clone());
            }
            Action::Put(key) | Action::Delete(key) => {
                self.own.remove(&name(key));
            }
            Action::Update { .. } | Action::Check(_) => {}
        }
        let write = Write { table: "app".to_owned(), action, condition: None };
        self.store.write(write).now_or_never().unwrap().unwrap();
        self.log.extend(self.store.take_stream());
    }

    /// Delivers the next records as a batch.
    fn deliver(&mut self, records: usize) {
        let until = (self.done + records).min(self.log.len());
        self.deliver_these(self.done, until);
        self.done = until;
    }

    fn deliver_these(&mut self, from: usize, until: usize) {
        let records: Vec<Box<RawValue>> = self.log[from..until]
            .iter()
            .map(|record| serde_json::value::to_raw_value(record).unwrap())
            .collect();
        let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        let processing = self.engine.process(&records, &self.store, &Late);
        let outcome = processing.now_or_never().unwrap().unwrap();
        assert!(outcome.rejected.is_empty() && outcome.handed_back.is_empty(), "{outcome:?}");
        self.found.extend(outcome.violations);
        self.log.extend(self.store.take_stream());
    }

    /// Delivers all that is left, in batches of these lengths.
    fn drain(&mut self, lengths: &[usize]) {
        for place in 0.. {
            if self.done == self.log.len() {
                return;
            }
            assert!(place < 1_000, "it never comes to rest");
            self.deliver(lengths[place % lengths.len()]);
        }
    }

    fn items(&self) -> Items {
        let items = self.store.dump().remove("app").unwrap();
        items.into_iter().map(|item| (name(&item), item)).collect()
    }

    /// The references that were said to dangle, whatever brought each to light.
    fn dangling(&self) -> BTreeSet<(&str, &Key<'static>, &Key<'static>)> {
        let mut dangling = BTreeSet::new();
        for found in self.found.iter().filter(|found| found.rule != "membership") {
            let referenced = &found.referenced.as_ref().unwrap().key;
            for referencing in referencing(found) {
                dangling.insert((&*found.rule, referencing, referenced));
            }
        }
        dangling
    }

    fn ids(&self) -> BTreeSet<String> {
        self.found.iter().map(|found| found.id(self.engine.rules())).collect()
    }
}

/// The items that a violation says refer in vain.
fn referencing(found: &Violation) -> Vec<&Key<'static>> {
    match &found.orphans {
        Some(orphans) => orphans.keys.iter().collect(),
        None => found.referencing.iter().map(|item| &item.key).collect(),
    }
}

fn item(text: &str) -> Item<'static> {
    let json = item_json(text).to_string();
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json).unwrap().0)
}

/// An item's attribute, if it is a text.
fn text<'i>(item: &'i Item<'_>, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(Value::S(text)) => Some(text),
        _ => None,
    }
}

fn name(item: &Item<'_>) -> (String, String) {
    (text(item, "pk").unwrap().to_owned(), text(item, "sk").unwrap().to_owned())
}

/// Every mirror is what its source says, or something of the application's own is in its place.
fn assert_mirrored(world: &World) {
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

/// What the application wrote is as it left it, but for sources that a rule deletes.
fn assert_own(world: &World, deletes_sources: bool) {
    let mut items = world.items();
    items.retain(|_, item| !item.contains_key(MARK));
    let mut own = world.own.clone();
    if deletes_sources {
        own.retain(|name, _| items.contains_key(name) || !is_member(name));
    }
    assert_eq!(items, own);
}

fn is_member((pk, sk): &(String, String)) -> bool {
    pk.starts_with("company#") && sk.starts_with("user#")
}

/// Every member whose company or user does not exist was reported.
fn assert_reported(world: &World) {
    let items = world.items();
    let dangling = world.dangling();
    for (pk, sk) in items.keys().filter(|name| is_member(name)) {
        for (rule, target) in [("member_company", pk), ("member_user", sk)] {
            let is_there = items.contains_key(&(target.clone(), "-".to_owned()));
            let is_reported = dangling.contains(&(rule, &key(pk, sk), &key(target, "-")));
            assert!(is_there || is_reported, "{rule} of {pk}/{sk} dangles unreported");
        }
    }
}

fn key(pk: &str, sk: &str) -> Key<'static> {
    let value = |text: &str| KeyValue::S(text.to_owned().into());
    Key { partition: value(pk), sort: Some(value(sk)) }
}

fn act() -> impl Strategy<Value = Act> {
    let number = || 0..2_u8;
    let role = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    let tampering =
        prop_oneof![Just(Tampering::Edit), Just(Tampering::Delete), Just(Tampering::Replace)];
    prop_oneof![
        2 => (prop_oneof![Just("company"), Just("user")], number(), any::<bool>())
            .prop_map(|(kind, number, is_there)| Act::Target(kind, number, is_there)),
        3 => (number(), number(), role)
            .prop_map(|(company, user, role)| Act::Member(company, user, role)),
        2 => (number(), number(), tampering)
            .prop_map(|(company, user, tampering)| Act::Tamper(company, user, tampering)),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..16)
}

/// Acts, and how many records are delivered after each.
fn interleaved() -> impl Strategy<Value = Vec<(Act, usize)>> {
    prop::collection::vec((act(), prop_oneof![Just(0_usize), 1..4_usize]), 1..20)
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..6_usize, 1..5)
}

fn rules(action: &str) -> String {
    MEMBERS.replace("ACTION", action)
}

fn action() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("restore"), Just("delete_source")]
}

proptest! {
    #[test]
    fn at_rest_every_mirror_is_what_its_source_says(
        action in action(), acts in interleaved(), lengths in lengths(),
    ) {
        let mut world = World::new(&rules(action));
        for (act, delivered) in &acts {
            world.act(act);
            world.deliver(*delivered);
        }
        world.drain(&lengths);
        assert_mirrored(&world);
        assert_own(&world, action == "delete_source");
    }

    #[test]
    fn at_rest_every_dangling_reference_was_reported(acts in interleaved(), lengths in lengths()) {
        let mut world = World::new(&rules("restore"));
        for (act, delivered) in &acts {
            world.act(act);
            world.deliver(*delivered);
        }
        world.drain(&lengths);
        assert_reported(&world);
    }

    #[test]
    fn applying_twice_is_applying_once(
        action in action(), acts in acts(), lengths in lengths(), again: (Index, Index),
    ) {
        let mut world = World::after(&rules(action), &acts);
        world.drain(&lengths);
        let once = world.items();
        let (one, other) = (again.0.index(world.log.len() + 1), again.1.index(world.log.len() + 1));
        world.deliver_these(one.min(other), one.max(other));
        world.drain(&lengths);
        prop_assert_eq!(world.items(), once);
    }

    #[test]
    fn a_batch_cut_anywhere_comes_to_the_same(
        action in action(), acts in acts(), lengths in lengths(),
    ) {
        let mut whole = World::after(&rules(action), &acts);
        whole.drain(&[usize::MAX / 2]);
        let mut cut = World::after(&rules(action), &acts);
        cut.drain(&lengths);
        prop_assert_eq!(cut.items(), whole.items());
        prop_assert_eq!(cut.dangling(), whole.dangling());
    }
    /// What a shorter batch reports of a value that came and went, a longer one may pass over.
    #[test]
    fn a_violation_has_the_same_name_whenever_it_is_found(acts in acts(), lengths in lengths()) {
        let rules = rules("report").replace("copy:", "mode: observe, copy:");
        let mut whole = World::after(&rules, &acts);
        whole.drain(&[usize::MAX / 2]);
        let once = whole.ids();
        whole.deliver_these(0, whole.log.len());
        prop_assert_eq!(whole.ids(), once);
        let mut cut = World::after(&rules, &acts);
        cut.drain(&lengths);
        prop_assert!(cut.ids().is_superset(&whole.ids()));
    }

    /// Without deletes by others that sources are to follow, it does not matter what comes first.
    #[test]
    fn the_order_between_items_does_not_matter(
        acts in acts(), lengths in lengths(), places in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut in_order = World::after(&rules("restore"), &acts);
        in_order.drain(&lengths);
        let mut mixed = World::after(&rules("restore"), &acts);
        mixed.log = mix(std::mem::take(&mut mixed.log), &places);
        mixed.drain(&lengths);
        let content = |world: &World| -> Vec<_> {
            world.items().into_values().map(without_fence).collect()
        };
        prop_assert_eq!(content(&mixed), content(&in_order));
        assert_reported(&mixed);
    }
}

/// The records in another order, but each item's own in theirs.
fn mix(records: Vec<StreamRecord>, places: &[Index]) -> Vec<StreamRecord> {
    let mut mixed: Vec<StreamRecord> = Vec::new();
    for (record, place) in records.into_iter().zip(places.iter().cycle()) {
        let after = mixed.iter().rposition(|known| known.key == record.key).map_or(0, |it| it + 1);
        mixed.insert(after + place.index(mixed.len() - after + 1), record);
    }
    mixed
}

/// An item as far as it does not tell which change it was written for: a mirror that someone
/// deleted is restored with the lowest fence, or written for the source's record, as may be.
fn without_fence(mut item: Item<'static>) -> Item<'static> {
    if let Some(Value::M(mark)) = item.get_mut(MARK) {
        mark.remove("fence");
    }
    item
}

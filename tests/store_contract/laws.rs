//! Laws of the embedded store, on programs drawn at random.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use referee::data::{Item, Key, Value};
use referee::store::memory::{Committed, Usage};
use referee::store::{
    Action, Clause, Condition, Memory, Operand, Query, Store as _, Transacted, Write, Written,
};
use serde_json::{Value as Json, json};

use crate::harness::{APP, begins_with, city, partition, tables};
use crate::items::{absent, compare, exists, item, path, value};

/// The laws, each as a test.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("laws::content_is_that_of_a_naive_model", || {
            hold(&programs(), |program| agrees_with_the_model(&program));
            Ok(())
        }),
        Trial::test("laws::the_stream_rebuilds_the_content", || {
            hold(&programs(), |program| rebuilds_from_the_stream(&program));
            Ok(())
        }),
    ]
}

fn hold<S: Strategy>(strategy: &S, law: impl Fn(S::Value)) {
    let run = TestRunner::new(ProptestConfig::with_source_file(file!())).run(strategy, |drawn| {
        law(drawn);
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

/// Writes and transactions on few keys with few values, so that they meet.
type Program = Vec<Vec<Write>>;

fn programs() -> impl Strategy<Value = Program> {
    prop::collection::vec(prop::collection::vec(writes(), 1..4), 0..30)
}

fn writes() -> impl Strategy<Value = Write> {
    let keys = (0..2_u8, 0..3_u8)
        .prop_map(|(pk, sk)| item(&json!({"pk": pk.to_string(), "sk": sk.to_string()})));
    let attributes = prop::option::of((0..2_u8, 0..3_u8)).prop_map(|drawn| match drawn {
        Some((city, n)) => item(&json!({"city": city.to_string(), "n": n, "m": {}})),
        None => Item::new(),
    });
    (keys, attributes, 0..4, conditions()).prop_map(|(key, attributes, kind, condition)| {
        let action = match kind {
            0 => Action::Put(key.into_iter().chain(attributes).collect()),
            1 => update(key, "x", &json!(attributes.len())),
            2 => update(key, "m.y", &json!(1)),
            _ => Action::Delete(key),
        };
        Write { table: APP.to_owned(), action, condition }
    })
}

fn update(key: Item<'static>, text: &str, json: &Json) -> Action {
    Action::Update { key, clauses: vec![Clause::Set(path(text), value(json))] }
}

fn conditions() -> impl Strategy<Value = Option<Condition>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(exists("city"))),
        1 => Just(Some(absent("pk"))),
        1 => Just(Some(compare("n", Operand::Less, &json!(2)))),
    ]
}

/// Runs a program: single writes as such, several as a transaction.
fn run(memory: &Memory, program: &Program) -> Vec<bool> {
    let made = |writes: &Vec<Write>| {
        if let [write] = &writes[..] {
            let answer = memory.write(write.clone()).now_or_never().unwrap();
            answer.is_ok_and(|answer| answer.value == Written::Applied)
        } else {
            let answer = memory.transact(writes.clone()).now_or_never().unwrap();
            answer.is_ok_and(|answer| answer.value == Transacted::Applied)
        }
    };
    program.iter().map(made).collect()
}

/// Keys and items in no order at all.
#[derive(Default)]
struct Model(Vec<(Item<'static>, Item<'static>)>);

impl Model {
    fn find(&self, key: &Item<'static>) -> Option<&Item<'static>> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, item)| item)
    }

    /// The key and the item that a write would leave; nothing if it would not be made.
    fn plan(&self, write: &Write) -> Option<(Item<'static>, Option<Item<'static>>)> {
        let key = key_of(&write.action);
        let old = self.find(&key);
        if write.condition.as_ref().is_some_and(|condition| !condition.holds(old)) {
            return None;
        }
        let new = match &write.action {
            Action::Put(item) => Some(item.clone()),
            Action::Delete(_) | Action::Check(_) => None,
            Action::Update { clauses, .. } => {
                let mut item = old.unwrap_or(&key).clone();
                clauses.iter().try_for_each(|clause| change(&mut item, clause))?;
                Some(item)
            }
        };
        Some((key, new))
    }

    fn run(&mut self, writes: &[Write]) -> bool {
        let mut keys: Vec<_> = writes.iter().map(|write| key_of(&write.action)).collect();
        keys.sort_by_key(|key| format!("{key:?}"));
        keys.dedup();
        let plans: Option<Vec<_>> = writes.iter().map(|write| self.plan(write)).collect();
        let Some(plans) = plans.filter(|_| keys.len() == writes.len()) else { return false };
        for (key, new) in plans {
            self.0.retain(|(other, _)| *other != key);
            self.0.extend(new.map(|item| (key, item)));
        }
        true
    }

    fn sorted(&self) -> Vec<Item<'static>> {
        let mut items: Vec<_> = self.0.iter().map(|(_, item)| item.clone()).collect();
        items.sort_by_key(|item| format!("{:?}{:?}", item["pk"], item["sk"]));
        items
    }
}

/// Sets an attribute, or what is one level below it.
fn change(item: &mut Item<'static>, clause: &Clause) -> Option<()> {
    let Clause::Set(path, value) = clause else { return None };
    let [name, inner] = path.segments() else {
        item.insert(path.root().to_owned().into(), value.clone());
        return Some(());
    };
    let Value::M(map) = item.get_mut(name.as_str())? else { return None };
    map.insert(inner.clone().into(), value.clone());
    Some(())
}

fn key_of(action: &Action) -> Item<'static> {
    let (Action::Put(item)
    | Action::Update { key: item, .. }
    | Action::Delete(item)
    | Action::Check(item)) = action;
    let is_key = |name: &str| ["pk", "sk"].contains(&name);
    item.clone().into_iter().filter(|(name, _)| is_key(name)).collect()
}

fn agrees_with_the_model(program: &Program) {
    let memory = Memory::new(tables(""));
    let mut model = Model::default();
    let made = run(&memory, program);
    let expected: Vec<bool> = program.iter().map(|writes| model.run(writes)).collect();
    assert_eq!(made, expected);
    assert_eq!(memory.dump()[APP], model.sorted());
    for number in ["0", "1"] {
        let page = memory.query(city(APP, number)).now_or_never().unwrap().unwrap().value;
        let in_city = |item: &Item<'_>| item.get("city") == Some(&number.into());
        assert_eq!(page.items.len(), model.sorted().into_iter().filter(in_city).count());
        let query = Query { sort: Some(begins_with("sk", "1")), ..partition(APP, number) };
        let page = memory.query(query).now_or_never().unwrap().unwrap().value;
        let key = item(&json!({"pk": number, "sk": "1"}));
        assert_eq!(page.items.first(), model.find(&key));
    }
}

/// The records of one store, committed to another one twice, make the same content of it; each
/// record begins where the last of its item ended.
fn rebuilds_from_the_stream(program: &Program) {
    let memory = Memory::new(tables(""));
    run(&memory, program);
    let rebuilt = Memory::new(tables(""));
    let mut last: BTreeMap<Key<'static>, Option<Item<'static>>> = BTreeMap::new();
    for record in memory.take_stream() {
        assert_ne!(record.before, record.after);
        let before = last.insert(record.key.clone(), record.after.clone()).flatten();
        assert_eq!(before, record.before);
        let commit =
            || rebuilt.commit(APP, &record.key, record.after.clone(), &record.sequence).unwrap();
        assert_eq!(commit(), Committed::Applied(record.sequence.clone()));
        assert_eq!(commit(), Committed::Redelivered(record.sequence.clone()));
    }
    assert_eq!(rebuilt.dump(), memory.dump());
    assert!(rebuilt.take_stream().is_empty());
    assert_eq!(rebuilt.usage(), Usage::default());
}

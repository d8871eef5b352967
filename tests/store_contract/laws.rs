//! Laws that the in-memory store must obey, checked on random programs.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use referee::data::{Item, Key, Path, Step, Value};
use referee::store::memory::{Committed, Usage};
use referee::store::{
    Action, Clause, Condition, Memory, Operand, Query, Store, Transacted, Write, Written,
};
use serde_json::json;

use crate::harness::{APP, begins_with, city, partition, tables};
use crate::items::{absent, contains, item, not, path, strings, value, with};

/// Returns each law as a trial.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("laws::content_equals_that_of_a_naive_model", || {
            check_law(&programs(), |program| agrees_with_the_model(&program));
            Ok(())
        }),
        Trial::test("laws::a_lagging_index_equals_that_of_an_earlier_table", || {
            check_law(&programs(), |program| lags_behind_the_table(&program));
            Ok(())
        }),
        Trial::test("laws::the_stream_rebuilds_the_content", || {
            check_law(&programs(), |program| rebuilds_from_the_stream(&program));
            Ok(())
        }),
    ]
}

fn check_law<S: Strategy>(strategy: &S, law: impl Fn(S::Value)) {
    check_law_in(ProptestConfig::default().cases, strategy, law);
}

/// Checks a law on this many random inputs.
pub(crate) fn check_law_in<S: Strategy>(cases: u32, strategy: &S, law: impl Fn(S::Value)) {
    let config = ProptestConfig { cases, ..ProptestConfig::with_source_file(file!()) };
    let run = TestRunner::new(config).run(strategy, |drawn| {
        law(drawn);
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

/// Steps that are single writes or transactions. They use few keys and few values, so that they
/// interact.
pub(crate) type Program = Vec<Vec<Write>>;

pub(crate) fn programs() -> impl Strategy<Value = Program> {
    prop::collection::vec(prop::collection::vec(writes(), 1..4), 0..30)
}

fn writes() -> impl Strategy<Value = Write> {
    let keys = (0..2_u8, 0..3_u8)
        .prop_map(|(pk, sk)| item(&json!({"pk": pk.to_string(), "sk": sk.to_string()})));
    let updates = prop::collection::vec(clauses(), 0..4);
    (keys, attributes(), updates, 0..6, prop::option::weighted(0.3, conditions())).prop_map(
        |(key, attributes, clauses, kind, condition)| {
            let action = match kind {
                0..2 => Action::Put(key.into_iter().chain(attributes).collect()),
                2 => Action::Delete(key),
                _ => Action::Update { key, clauses },
            };
            Write { table: APP.to_owned(), action, condition }
        },
    )
}

fn attributes() -> impl Strategy<Value = Item<'static>> {
    prop::option::weighted(0.9, (0..2_u8, 0..3_u8, 0..4_usize)).prop_map(|drawn| match drawn {
        Some((city, n, length)) => {
            let list: Vec<_> = (0..length).collect();
            let plain = json!({"city": city.to_string(), "n": n, "m": {"y": list}});
            let sets = Value::L((0..length).map(|place| letters(place + 1)).collect());
            with(with(item(&plain), "s", letters(length + 1)), "l", sets)
        }
        None => Item::new(),
    })
}

/// Returns a set of the first `count` letters of the alphabet.
fn letters(count: usize) -> Value<'static> {
    strings(&["a", "b", "c", "d"][..count])
}

/// Draws paths, most of which exist.
fn paths() -> impl Strategy<Value = Path> {
    let names = vec!["x", "m", "m.x", "m.y", "l", "s", "n", "none.x"];
    prop_oneof![
        4 => (0..5_usize).prop_map(|place| path("l").element_at(place)),
        1 => (0..5_usize).prop_map(|place| path("m.y").element_at(place)),
        1 => prop::sample::select(names).prop_map(path),
    ]
}

fn clauses() -> impl Strategy<Value = Clause> {
    prop_oneof![
        1 => (paths(), 0..3_u8).prop_map(|(path, number)| Clause::Set(path, value(&json!(number)))),
        2 => paths().prop_map(Clause::Remove),
        2 => (prop::sample::select(vec!["s", "s", "l[0]", "l[1]", "x"]), 1..4_usize)
            .prop_map(|(text, count)| Clause::Delete(path(text), letters(count))),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    let plain = prop_oneof![
        paths().prop_map(Condition::Exists),
        paths().prop_map(Condition::NotExists),
        Just(absent("pk")),
        (paths(), 0..3_u8).prop_map(|(path, number)| {
            Condition::Compare(path, Operand::Less, value(&json!(number)))
        }),
        (paths(), 0..3_u8)
            .prop_map(|(path, number)| { Condition::Contains(path, value(&json!(number))) }),
        prop::sample::select(vec!["a", "b"]).prop_map(|letter| contains("s", letter.into())),
    ];
    plain.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(not),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            1 => prop::collection::vec(inner, 0..3).prop_map(Condition::Any),
        ]
    })
}

/// Runs a program. A step with several writes is sent as a transaction. Returns which steps
/// succeeded.
pub(crate) async fn run_on(store: &impl Store, program: &Program) -> Vec<bool> {
    let mut made = Vec::new();
    for writes in program {
        made.push(if let [write] = &writes[..] {
            let answer = store.write(write.clone()).await;
            answer.is_ok_and(|answer| answer.value == Written::Applied)
        } else {
            let answer = store.transact(writes.clone()).await;
            answer.is_ok_and(|answer| answer.value == Transacted::Applied)
        });
    }
    made
}

fn run(memory: &Memory, program: &Program) -> Vec<bool> {
    run_on(memory, program).now_or_never().unwrap()
}

/// A naive store, which is a list of keys and items.
#[derive(Default)]
struct Model(Vec<(Item<'static>, Item<'static>)>);

impl Model {
    fn find(&self, key: &Item<'static>) -> Option<&Item<'static>> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, item)| item)
    }

    /// Returns the key and the resulting item of a write, or `None` if the write would fail.
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
                are_apart(clauses).then_some(())?;
                clauses.iter().try_for_each(|clause| change(&mut item, clause))?;
                close_gaps(&mut item);
                let makes = clauses.iter().any(|clause| matches!(clause, Clause::Set(..)));
                (old.is_some() || makes || clauses.is_empty()).then_some(item)
            }
        };
        Some((key, new))
    }

    fn run(&mut self, writes: &[Write]) -> bool {
        let mut keys: Vec<_> = writes.iter().map(|write| key_of(&write.action)).collect();
        keys.sort_by_key(|key| format!("{key:?}"));
        keys.dedup();
        let plans: Option<Vec<_>> = writes.iter().map(|write| self.plan(write)).collect();
        let is_empty = |write: &Write| matches!(&write.action, Action::Update { clauses, .. } if clauses.is_empty());
        // A transaction must contain each item at most once, and no update without an expression.
        let is_sound =
            keys.len() == writes.len() && (keys.len() == 1 || !writes.iter().any(is_empty));
        let Some(plans) = plans.filter(|_| is_sound) else { return false };
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

/// Returns a marker that replaces a removed value, so that the other elements of a list keep their
/// indexes.
fn gone() -> Value<'static> {
    "(gone)".into()
}

fn change(item: &mut Item<'static>, clause: &Clause) -> Option<()> {
    let slot = slot(item, clause.path())?;
    *slot = match (clause, &*slot) {
        (Clause::Set(_, value), _) => value.clone(),
        (Clause::Remove(_), _) => gone(),
        (Clause::Delete(_, Value::Ss(elements)), Value::Ss(set)) => {
            let left: Vec<_> =
                set.iter().filter(|element| !elements.contains(element)).cloned().collect();
            if left.is_empty() { gone() } else { Value::Ss(left) }
        }
        (Clause::Delete(..), value) if *value == gone() => gone(),
        (Clause::Delete(..), _) => return None,
    };
    Some(())
}

/// Returns the value at a path, or a new slot for it. Returns `None` if a parent of the path does
/// not exist.
fn slot<'i>(item: &'i mut Item<'static>, path: &Path) -> Option<&'i mut Value<'static>> {
    let (last, parents) = path.steps().split_last()?;
    let [Step::Name(root), inner @ ..] = parents else {
        return Some(item.entry(path.root().to_owned().into()).or_insert_with(gone));
    };
    let mut parent = item.get_mut(root.as_str())?;
    for step in inner {
        parent = match (parent, step) {
            (Value::M(map), Step::Name(name)) => map.get_mut(name.as_str())?,
            (Value::L(values), Step::Index(place)) => values.get_mut(*place)?,
            _ => return None,
        };
    }
    match (parent, last) {
        (Value::M(map), Step::Name(name)) => {
            Some(map.entry(name.clone().into()).or_insert_with(gone))
        }
        (Value::L(values), Step::Index(place)) => {
            values.resize(values.len().max(place + 1), gone());
            values.get_mut(*place)
        }
        _ => None,
    }
}

fn close_gaps(item: &mut Item<'static>) {
    item.retain(|_, value| *value != gone());
    item.iter_mut().for_each(|(_, value)| close_gaps_in(value));
}

fn close_gaps_in(value: &mut Value<'static>) {
    if let Value::M(map) = value {
        close_gaps(map);
    }
    if let Value::L(list) = value {
        list.retain(|element| *element != gone());
        list.iter_mut().for_each(close_gaps_in);
    }
}

/// Whether no clause's path is a prefix of another clause's path, compared as text.
fn are_apart(clauses: &[Clause]) -> bool {
    let texts: Vec<_> = clauses.iter().map(|clause| clause.path().to_string()).collect();
    let is_within = |one: &str, other: &str| {
        one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let pairs = texts
        .iter()
        .enumerate()
        .flat_map(|(place, one)| texts.iter().take(place).map(move |other| (one, other)));
    pairs.into_iter().all(|(one, other)| !is_within(one, other) && !is_within(other, one))
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
        let in_city =
            |item: &Item<'_>| item.get("city") == Some(&number.into()) && item.get("n").is_some();
        assert_eq!(page.items.len(), model.sorted().into_iter().filter(in_city).count());
        let query = Query { sort: Some(begins_with("sk", "1")), ..partition(APP, number) };
        let page = memory.query(query).now_or_never().unwrap().unwrap().value;
        let key = item(&json!({"pk": number, "sk": "1"}));
        assert_eq!(page.items.first(), model.find(&key));
    }
}

/// After each change that reaches a lagging index, it equals the index of a store that contains
/// only the changes so far.
fn lags_behind_the_table(program: &Program) {
    let lagging = Memory::new(tables(""));
    lagging.hold_indexes();
    run(&lagging, program);
    let follower = Memory::new(tables(""));
    let seen = |memory: &Memory| {
        ["0", "1"].map(|name| memory.query(city(APP, name)).now_or_never().unwrap().unwrap().value)
    };
    let records = lagging.take_stream();
    assert_eq!(lagging.unseen(), records.len());
    for record in records {
        assert_eq!(seen(&lagging), seen(&follower));
        follower.commit(APP, &record.key, record.after, &record.sequence).unwrap();
        lagging.advance_indexes(1);
    }
    assert_eq!(seen(&lagging), seen(&follower));
    assert_eq!(lagging.unseen(), 0);
}

/// If each record of one store is committed twice to another store, both stores have the same
/// content. The old image of each record equals the new image of the item's previous record.
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

//! Short constructors of items and requests.

use std::borrow::Cow;
use std::collections::BTreeSet;

use referee::data::{Item, Number, Path, Value};
use referee::store::{Action, Clause, Condition, Operand, Write};
use serde_json::Value as Json;

/// Builds an item from plain JSON: strings, numbers, lists and maps.
pub(crate) fn item(json: &Json) -> Item<'static> {
    let Value::M(item) = value(json) else { panic!("{json} is not an item") };
    item
}

/// Builds a value from plain JSON.
pub(crate) fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::N(Number::parse(number.to_string()).unwrap()),
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => Value::L(list.iter().map(value).collect()),
        Json::Object(map) => Value::M(
            map.iter().map(|(name, json)| (Cow::Owned(name.clone()), value(json))).collect(),
        ),
    }
}

pub(crate) fn binary(bytes: &[u8]) -> Value<'static> {
    Value::B(Cow::Owned(bytes.to_vec()))
}

/// Builds a string set, and sorts its elements, because values contain sorted sets.
pub(crate) fn strings(texts: &[&str]) -> Value<'static> {
    let texts: BTreeSet<_> = texts.iter().map(|text| Cow::Owned((*text).to_owned())).collect();
    Value::Ss(texts.into_iter().collect())
}

pub(crate) fn numbers(texts: &[&str]) -> Value<'static> {
    let number = |text: &&str| Number::parse((*text).to_owned()).unwrap();
    let mut numbers: Vec<_> = texts.iter().map(number).collect();
    numbers.sort();
    Value::Ns(numbers)
}

pub(crate) fn binaries(all: &[&[u8]]) -> Value<'static> {
    let all: BTreeSet<_> = all.iter().map(|bytes| Cow::Owned(bytes.to_vec())).collect();
    Value::Bs(all.into_iter().collect())
}

/// Adds an attribute to an item.
pub(crate) fn with(mut item: Item<'static>, name: &str, value: Value<'static>) -> Item<'static> {
    item.insert(Cow::Owned(name.to_owned()), value);
    item
}

/// Builds an item of exactly this many bytes. The attribute `x` fills it.
pub(crate) fn sized(pk: &str, sk: &str, bytes: usize) -> Item<'static> {
    let filler = bytes - "pk".len() - pk.len() - "sk".len() - sk.len() - "x".len();
    item(&serde_json::json!({"pk": pk, "sk": sk, "x": "x".repeat(filler)}))
}

/// Builds a value inside this many nested lists.
pub(crate) fn nested(lists: usize) -> Value<'static> {
    (0..lists).fold(Value::Null, |inner, _| Value::L(vec![inner]))
}

/// Parses a path as written in expressions: `map.list[0]`.
pub(crate) fn path(text: &str) -> Path {
    match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((list, place)) => Path::parse(list).unwrap().element_at(place.parse().unwrap()),
        None => Path::parse(text).unwrap(),
    }
}

pub(crate) fn exists(text: &str) -> Condition {
    Condition::Exists(path(text))
}

pub(crate) fn absent(text: &str) -> Condition {
    Condition::NotExists(path(text))
}

pub(crate) fn compare(text: &str, operand: Operand, json: &Json) -> Condition {
    Condition::Compare(path(text), operand, value(json))
}

pub(crate) fn put(table: &str, item: Item<'static>) -> Write {
    Write { table: table.to_owned(), action: Action::Put(item), condition: None }
}

pub(crate) fn delete(table: &str, key: Item<'static>) -> Write {
    Write { table: table.to_owned(), action: Action::Delete(key), condition: None }
}

pub(crate) fn check(table: &str, key: Item<'static>, condition: Condition) -> Write {
    Write { table: table.to_owned(), action: Action::Check(key), condition: Some(condition) }
}

pub(crate) fn contains(text: &str, value: Value<'static>) -> Condition {
    Condition::Contains(path(text), value)
}

pub(crate) fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

pub(crate) fn set(text: &str, json: &Json) -> Clause {
    Clause::Set(path(text), value(json))
}

pub(crate) fn remove(text: &str) -> Clause {
    Clause::Remove(path(text))
}

/// Builds a clause that deletes elements from a set.
pub(crate) fn take(text: &str, elements: Value<'static>) -> Clause {
    Clause::Delete(path(text), elements)
}

pub(crate) fn update(table: &str, key: Item<'static>, sets: &[(&str, Json)]) -> Write {
    change(table, key, sets.iter().map(|(text, json)| set(text, json)).collect())
}

pub(crate) fn change(table: &str, key: Item<'static>, clauses: Vec<Clause>) -> Write {
    Write { table: table.to_owned(), action: Action::Update { key, clauses }, condition: None }
}

/// Adds a condition to a write.
pub(crate) fn on(condition: Condition, write: Write) -> Write {
    Write { condition: Some(condition), ..write }
}

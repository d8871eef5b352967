//! Conversions between the model's items and the store's items.

use futures_util::FutureExt as _;
use referee::data::{Item, Key, KeyValue, Number, Path, Value};
use referee::integrity::mark::MARK;
use referee::store::memory::StreamRecord;
use referee::store::{Action, Clause, Condition, Memory, Operand, Store as _, Write};

use crate::model::{Act, Content, Name, PAST_S, TTL, Val, table};
use crate::past::{By, Step};
use crate::schema::Schema;

/// The content of a mirror's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) rule: String,
    pub(crate) fence: String,
    /// The change after which the mirror was corrected, if it was.
    pub(crate) fix: Option<String>,
}

/// Makes one write of the application. The caller makes a transaction's writes one by one.
pub(crate) fn write(schema: &Schema, store: &Memory, act: &Act) {
    let key = |name| item(name, &Content::new());
    let (name, action, condition) = match act {
        Act::Put(name, content) => (name, Action::Put(item(name, content)), None),
        Act::Delete(name) => (name, Action::Delete(key(name)), None),
        Act::Expire(name) => {
            let has_expired = Condition::Compare(
                Path::attribute(TTL),
                Operand::Equal,
                Value::N(Number::from(PAST_S)),
            );
            let condition = schema.ttl[table(schema, name)].then_some(has_expired);
            (name, Action::Delete(key(name)), condition)
        }
        Act::Edit(name, value) => {
            let clauses = vec![Clause::Set(Path::attribute("v"), value.as_str().into_value())];
            let is_there = Condition::Exists(Path::attribute("pk"));
            (name, Action::Update { key: key(name), clauses }, Some(is_there))
        }
        Act::Transaction(_) => panic!("a transaction is made part by part"),
    };
    let table = format!("table{}", table(schema, name));
    store.write(Write { table, action, condition }).now_or_never().unwrap().unwrap();
}

trait IntoValue {
    fn into_value(self) -> Value<'static>;
}

impl IntoValue for &str {
    fn into_value(self) -> Value<'static> {
        Value::S(self.to_owned().into())
    }
}

fn item((pk, sk): &Name, content: &Content) -> Item<'static> {
    let text = IntoValue::into_value;
    let key = [("pk".into(), text(pk.as_str())), ("sk".into(), text(sk.as_str()))];
    let values = content.iter().map(|(name, val)| {
        let value = match val {
            Val::Text(id) => text(id),
            Val::Nested(id) if id.is_empty() => Value::M(Item::new()),
            Val::Nested(id) => Value::M(Item::from([("x".into(), text(id))])),
            Val::Set(ids) => Value::Ss(ids.iter().map(|id| id.clone().into()).collect()),
            Val::List(ids) => Value::L(ids.iter().map(|id| text(id)).collect()),
            Val::Lines(lines) => {
                let line = |id: &Option<String>| {
                    let fields = id.iter().map(|id| ("x".into(), id.as_str().into_value()));
                    Value::M(fields.collect())
                };
                Value::L(lines.iter().map(line).collect())
            }
            Val::Number(seconds) => Value::N(Number::from(*seconds)),
        };
        (name.clone().into(), value)
    });
    key.into_iter().chain(values).collect()
}

pub(crate) fn content(item: &Item<'_>) -> Content {
    let attributes = item.iter().filter(|(name, _)| !["pk", "sk", MARK].contains(&&***name));
    attributes.map(|(name, value)| (name.to_string(), val(value))).collect()
}

/// Returns the mark of a mirror, if the item has one.
fn mark(item: &Item<'_>) -> Option<Mark> {
    let Some(Value::M(mark)) = item.get(MARK) else { return None };
    let fix = mark.get("fix").map(text);
    Some(Mark { rule: text(mark.get("rule")?), fence: text(mark.get("fence")?), fix })
}

fn val(value: &Value<'_>) -> Val {
    match value {
        Value::M(map) => Val::Nested(map.get("x").map(text).unwrap_or_default()),
        Value::Ss(ids) => Val::Set(ids.iter().map(ToString::to_string).collect()),
        Value::L(lines) if matches!(lines.first(), Some(Value::M(_))) => {
            let line = |line: &Value<'_>| {
                let Value::M(map) = line else { panic!("{line:?}") };
                map.get("x").map(text)
            };
            Val::Lines(lines.iter().map(line).collect())
        }
        Value::L(ids) => Val::List(ids.iter().map(text).collect()),
        Value::N(seconds) => Val::Number(seconds.as_str().parse().unwrap()),
        Value::S(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::Ns(_) | Value::Bs(_) => {
            Val::Text(text(value))
        }
    }
}

fn text(value: &Value<'_>) -> String {
    let Value::S(text) = value else { panic!("{value:?}") };
    text.to_string()
}

pub(crate) fn name_of(item: &Item<'_>) -> Name {
    (text(&item["pk"]), text(&item["sk"]))
}

pub(crate) fn of_key(key: &Key<'_>) -> Name {
    let text = |value: &KeyValue<'_>| text(&value.to_value());
    // The key of an index has no sort key.
    let sort = key.sort.as_ref().map_or_else(|| "-".to_owned(), text);
    (text(&key.partition), sort)
}

/// The change of an item that a record shows.
pub(crate) fn step(record: &StreamRecord, by: By, expired: bool) -> Step {
    let image = |image: &Option<_>| image.as_ref().map(content);
    Step {
        name: of_key(&record.key),
        before: image(&record.before),
        after: image(&record.after),
        mark_before: record.before.as_ref().and_then(mark),
        mark_after: record.after.as_ref().and_then(mark),
        by,
        expired,
    }
}

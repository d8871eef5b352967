//! The table, represented by the log of its changes. The log is enough to derive the current table,
//! every earlier version of it, and the stream.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt as _;
use kit::clocks::Jumping;
use kit::requests::{Reply, Request};
use referee::data::{
    Item, Key, KeyAttribute, KeyKind, KeySchema, KeyValue, Number, SequenceNumber,
};
use referee::store::Memory;
use referee::store::memory::StreamRecord;
use referee::store::schema::{IndexSchema, TableSchema};
use serde_json::Value;

pub(crate) const TABLE: &str = "app";

/// A value that is compared and hashed by its debug text: items have no hash of their own.
pub(crate) struct Sealed<T> {
    value: Arc<T>,
    text: Arc<str>,
    /// The hash of the text, which is needed for every state with this value.
    hash: u64,
}

impl<T: fmt::Debug> Sealed<T> {
    pub(crate) fn new(value: T) -> Self {
        let text: Arc<str> = format!("{value:?}").into();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { value: Arc::new(value), text, hash: hasher.finish() }
    }
}

impl<T> std::ops::Deref for Sealed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), text: Arc::clone(&self.text), hash: self.hash }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> Hash for Sealed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A change of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) key: Key<'static>,
    pub(crate) after: Option<Sealed<Item<'static>>>,
    pub(crate) by_engine: bool,
    /// Whether TTL made it.
    pub(crate) by_ttl: bool,
    /// Whether every earlier change by others had been processed.
    pub(crate) is_settled: bool,
}

/// Items by their keys.
pub(crate) type Items = BTreeMap<Key<'static>, Sealed<Item<'static>>>;

/// The initial items of a table, and its changes.
pub(crate) struct History<'h> {
    pub(crate) seed: &'h Items,
    pub(crate) log: &'h [Entry],
}

impl<'h> History<'h> {
    /// Returns the item as it was after this many changes.
    pub(crate) fn item(&self, name: &str, changes: usize) -> Option<&'h Item<'static>> {
        self.item_of(&key(name), changes)
    }

    fn item_of(&self, key: &Key<'static>, changes: usize) -> Option<&'h Item<'static>> {
        let known = self.log[..changes].iter().rfind(|entry| entry.key == *key);
        known.map_or_else(|| self.seed.get(key), |entry| entry.after.as_ref()).map(|item| &**item)
    }

    /// Returns the stream record of a change, as Lambda receives it.
    pub(crate) fn record(&self, place: usize) -> Value {
        let entry = &self.log[place];
        let record = StreamRecord {
            table: TABLE.to_owned(),
            key: entry.key.clone(),
            key_attributes: schema().item_of(&entry.key),
            before: self.item_of(&entry.key, place).cloned(),
            after: entry.after.as_deref().cloned(),
            sequence: sequence(place),
            created_at_ms: 0,
            number: place as u64,
        };
        let mut json = serde_json::to_value(&record).unwrap();
        if entry.by_ttl {
            json["userIdentity"] = serde_json::json!({
                "type": "Service", "principalId": "dynamodb.amazonaws.com",
            });
        }
        json
    }

    /// Returns the table as it was after this many changes, of which the index has seen `indexed`.
    pub(crate) fn table(&self, changes: usize, indexed: usize) -> Table {
        let indexed = self.items(indexed.min(changes));
        Table { items: self.items(changes), indexed }
    }

    fn items(&self, changes: usize) -> Items {
        let mut items = self.seed.clone();
        for entry in &self.log[..changes] {
            match &entry.after {
                Some(item) => items.insert(entry.key.clone(), item.clone()),
                None => items.remove(&entry.key),
            };
        }
        items
    }
}

/// The table at a moment.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Table {
    items: Items,
    /// The items in the index. They differ from those of the table while the index lags.
    indexed: Items,
}

/// The reply to a request, and the changes that the request made.
pub(crate) struct Served {
    pub(crate) reply: Sealed<Reply>,
    pub(crate) made: Vec<(Key<'static>, Option<Sealed<Item<'static>>>)>,
}

impl Table {
    /// Executes a request.
    pub(crate) fn serve(&self, request: &Request, index: Option<&str>) -> Served {
        let memory = self.memory(index);
        let clock = Jumping { now_ms: Rc::default(), deadline_ms: i64::MAX };
        let reply = request.clone().carry_out(&memory, &clock).now_or_never().unwrap();
        let made = memory.take_stream().into_iter();
        let made = made.map(|record| (record.key, record.after.map(Sealed::new))).collect();
        Served { reply: Sealed::new(reply), made }
    }

    fn memory(&self, index: Option<&str>) -> Memory {
        let by_owner = |name: &str| IndexSchema {
            name: name.to_owned(),
            key: KeySchema { partition: attribute("owner"), sort: None },
        };
        let memory = Memory::new([TableSchema {
            name: TABLE.to_owned(),
            key: schema(),
            indexes: index.map(by_owner).into_iter().collect(),
        }]);
        for item in self.indexed.values() {
            memory.seed(TABLE, Item::clone(item)).unwrap();
        }
        memory.hold_indexes();
        let keys = self.indexed.keys().chain(self.items.keys());
        let changed = keys.filter(|key| self.items.get(key) != self.indexed.get(key));
        for (place, key) in changed.collect::<BTreeSet<_>>().into_iter().enumerate() {
            let item = self.items.get(key).map(|item| Item::clone(item));
            memory.commit(TABLE, key, item, &sequence(place)).unwrap();
        }
        memory
    }
}

fn sequence(place: usize) -> SequenceNumber<'static> {
    SequenceNumber::parse(format!("{:021}", place + 1)).unwrap()
}

fn attribute(name: &str) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), kind: KeyKind::S }
}

fn schema() -> KeySchema {
    KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) }
}

/// Parses an item, such as `user#ann/- name=Ann`. The TTL attribute is `until`.
pub(crate) fn item(text: &str) -> Item<'static> {
    let (name, attributes) = text.split_once(' ').unwrap_or((text, ""));
    let mut item = schema().item_of(&key(name));
    for attribute in attributes.split_whitespace() {
        let (name, value) = attribute.split_once('=').unwrap();
        let value = match name {
            "until" => referee::data::Value::N(Number::parse(value.to_owned()).unwrap()),
            _ => value.into(),
        };
        item.insert(name.to_owned().into(), value);
    }
    item
}

/// Parses a key, such as `user#ann/-`.
pub(crate) fn key(name: &str) -> Key<'static> {
    let (partition, sort) = name.split_once('/').unwrap();
    let text = |text: &str| KeyValue::S(text.to_owned().into());
    Key { partition: text(partition), sort: Some(text(sort)) }
}

pub(crate) fn key_of(item: &Item<'static>) -> Key<'static> {
    schema().key_of(item).unwrap().into_owned()
}

/// Formats a key, such as `user#ann/-`.
pub(crate) fn name_of(key: &Key<'_>) -> String {
    let text = |value: &KeyValue<'_>| match value {
        KeyValue::S(text) => text.to_string(),
        KeyValue::N(_) | KeyValue::B(_) => panic!("the keys are text"),
    };
    format!("{}/{}", text(&key.partition), key.sort.as_ref().map_or(String::new(), text))
}

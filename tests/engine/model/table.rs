//! The table, represented by the log of its changes. The log is enough to derive the current table,
//! every earlier version of it, and the stream.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use futures_util::FutureExt as _;
use referee::data::{
    Item, Key, KeyAttribute, KeyKind, KeySchema, KeyValue, Number, SequenceNumber,
};
use referee::store::memory::StreamRecord;
use referee::store::schema::{IndexSchema, TableSchema};
use referee::store::{Memory, Store as _};
use serde_json::Value;

use crate::model::desk::{Reply, Request};

pub(crate) const TABLE: &str = "app";

/// A value that is compared and hashed by its debug text: items have no hash of their own.
pub(crate) struct Sealed<T> {
    value: Arc<T>,
    text: Arc<str>,
}

impl<T: fmt::Debug> Sealed<T> {
    pub(crate) fn new(value: T) -> Self {
        let text = format!("{value:?}").into();
        Self { value: Arc::new(value), text }
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
        Self { value: Arc::clone(&self.value), text: Arc::clone(&self.text) }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> Hash for Sealed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
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

/// The initial items of a table, and its changes.
pub(crate) struct History<'h> {
    pub(crate) seed: &'h [Item<'static>],
    pub(crate) log: &'h [Entry],
    pub(crate) index: Option<&'static str>,
}

impl<'h> History<'h> {
    /// Returns the item as it was after this many changes.
    pub(crate) fn item(&self, name: &str, changes: usize) -> Option<&'h Item<'static>> {
        let key = key(name);
        let known = self.log[..changes].iter().rfind(|entry| entry.key == key);
        known.map_or_else(
            || self.seed.iter().find(|item| key_of(item) == key),
            |entry| entry.after.as_deref(),
        )
    }

    /// Returns the stream record of a change, as Lambda receives it.
    pub(crate) fn record(&self, place: usize) -> Value {
        let entry = &self.log[place];
        let record = StreamRecord {
            table: TABLE.to_owned(),
            key: entry.key.clone(),
            key_attributes: schema().item_of(&entry.key),
            before: self.item(&name_of(&entry.key), place).cloned(),
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

    /// Executes a request on the table as it was after this many changes, of which the index has
    /// seen `indexed`. Returns the reply, and the changes that the request made.
    pub(crate) fn serve(
        &self,
        request: &Request,
        changes: usize,
        indexed: usize,
    ) -> (Reply, Vec<StreamRecord>) {
        let memory = self.memory(changes, indexed);
        let reply = match request.clone() {
            Request::BatchGet(reads) => {
                Reply::Items(memory.batch_get(reads).now_or_never().unwrap())
            }
            Request::Query(query) => Reply::Page(memory.query(query).now_or_never().unwrap()),
            Request::Write(write) => Reply::Written(memory.write(write).now_or_never().unwrap()),
            Request::Transact(actions) => {
                Reply::Transacted(memory.transact(actions).now_or_never().unwrap())
            }
            Request::Sleep => Reply::Awake,
        };
        (reply, memory.take_stream())
    }

    fn memory(&self, changes: usize, indexed: usize) -> Memory {
        let by_owner = |name: &str| IndexSchema {
            name: name.to_owned(),
            key: KeySchema { partition: attribute("owner"), sort: None },
        };
        let memory = Memory::new([TableSchema {
            name: TABLE.to_owned(),
            key: schema(),
            indexes: self.index.map(by_owner).into_iter().collect(),
        }]);
        for item in self.seed {
            memory.seed(TABLE, item.clone()).unwrap();
        }
        for (place, entry) in self.log[..changes].iter().enumerate() {
            if place == indexed {
                memory.hold_indexes();
            }
            let after = entry.after.as_deref().cloned();
            memory.commit(TABLE, &entry.key, after, &sequence(place)).unwrap();
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

fn key_of(item: &Item<'static>) -> Key<'static> {
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

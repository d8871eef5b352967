//! The embedded store: DynamoDB's behaviour in a `BTreeMap`.
//!
//! It is what a replay runs on, and the simulator; here is where faults are injected. Nothing in
//! it reads a clock or draws a random number: the same calls have the same answers, always.
//!
//! It refuses what DynamoDB refuses, bills what DynamoDB bills, and makes the stream records that
//! DynamoDB makes. It differs in that its indexes are never behind, but where they are held back
//! ([`Memory::hold_indexes`]), and that a partition is never over its capacity, but where a fault
//! says so ([`Memory::set_faults`]).

mod bill;
mod check;
mod fault;
mod lag;
mod read;
mod recorded;
mod request;
mod stream;
mod table;
mod update;
mod write;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

pub use bill::Usage;
pub use fault::{Call, CallKind, Fault, Faults};
pub use recorded::Committed;
pub use stream::StreamRecord;

use super::schema::TableSchema;
use super::{Answer, Page, Query, Read, Store, StoreError, Transacted, Units, Write, Written};
use crate::data::{Item, Key, SequenceNumber};
use fault::LateWrite;
use lag::Unseen;
use table::Table;

/// Tables in memory, for one thread.
#[derive(Default)]
pub struct Memory {
    state: RefCell<State>,
    faults: RefCell<Option<Faults>>,
}

#[derive(Default)]
struct State {
    tables: BTreeMap<String, Table>,
    /// The highest sequence number seen or given so far.
    highest: SequenceNumber<'static>,
    stream: Vec<StreamRecord>,
    /// How many stream records were ever made.
    records: u64,
    now_ms: u64,
    usage: Usage,
    late: Vec<LateWrite>,
    /// What the indexes have not seen, if they are held back.
    unseen: Option<VecDeque<Unseen>>,
}

impl Memory {
    /// A store with these tables, empty. Of two tables with one name, the last counts.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = TableSchema>) -> Self {
        let tables =
            tables.into_iter().map(|schema| (schema.name.clone(), Table::new(schema))).collect();
        Self { state: RefCell::new(State { tables, ..State::default() }), ..Self::default() }
    }

    /// Puts an item as if it had always been there: at no cost, and without a stream record.
    pub fn seed(&self, table: &str, item: Item<'static>) -> Result<(), StoreError> {
        let mut state = self.state.borrow_mut();
        let table = state.table_mut(table)?;
        let key = check::item_key(&table.key, &item)?;
        request::item(table, &item)?;
        check::index_keys(table, &item)?;
        if table.item(&key).is_some() {
            return Err(StoreError::Rejected("there is an item with this key already".to_owned()));
        }
        table.replace(&key, Some(item));
        Ok(())
    }

    /// Every item of every table, in the order of their keys.
    #[must_use]
    pub fn dump(&self) -> BTreeMap<String, Vec<Item<'static>>> {
        let state = self.state.borrow();
        let items = |table: &Table| table.items().cloned().collect();
        state.tables.iter().map(|(name, table)| (name.clone(), items(table))).collect()
    }

    /// Takes the stream records made since the last time, in the order of the writes.
    #[must_use]
    pub fn take_stream(&self) -> Vec<StreamRecord> {
        std::mem::take(&mut self.state.borrow_mut().stream)
    }

    /// Sets the time that stream records are stamped with, in milliseconds since 1970.
    pub fn set_now_ms(&self, now_ms: u64) {
        self.state.borrow_mut().now_ms = now_ms;
    }

    /// What was asked of the store so far, and what it cost.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.state.borrow().usage
    }
}

impl Store for Memory {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        let kind = CallKind::BatchGet;
        let fault = self.fault(kind, reads.iter().map(|read| read.table.as_str()));
        self.answer(kind, fault, move |state| state.batch_get(&reads)).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        let kind = CallKind::Query;
        let fault = self.fault(kind, [query.table.as_str()]);
        self.answer(kind, fault, move |state| state.query(&query)).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        let kind = CallKind::Write;
        let fault = self.fault(kind, [write.table.as_str()]);
        self.answer(kind, fault, move |state| state.write(write)).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        let kind = CallKind::Transact;
        let fault = self.fault(kind, actions.iter().map(|write| write.table.as_str()));
        if let Fault::Cancel(reasons) = fault {
            let canceled = Transacted::Canceled(reasons);
            return Ok(Answer { value: canceled, units: Units::default() });
        }
        self.answer(kind, fault, move |state| state.transact(actions)).await
    }
}

impl State {
    fn table(&self, name: &str) -> Result<&Table, StoreError> {
        self.tables.get(name).ok_or_else(|| unknown_table(name))
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, StoreError> {
        self.tables.get_mut(name).ok_or_else(|| unknown_table(name))
    }

    /// Makes a write of the store's own, and a stream record of it if it changes anything.
    fn replace(
        &mut self,
        name: &str,
        key: Key<'static>,
        image: Option<Item<'static>>,
    ) -> Result<(), StoreError> {
        let sequence = self.highest.successor();
        let table = self.table_mut(name)?;
        let before = table.replace(&key, image.clone());
        if before == image {
            return Ok(());
        }
        table.histories.entry(key.clone()).or_default().write(sequence.clone());
        let key_attributes = table.key.item_of(&key);
        self.hide(name, &key, before.as_ref());
        self.raise(&sequence);
        self.records += 1;
        self.stream.push(StreamRecord {
            table: name.to_owned(),
            key,
            key_attributes,
            before,
            after: image,
            sequence,
            created_at_ms: self.now_ms,
            number: self.records,
        });
        Ok(())
    }

    /// Sees to it that the next number is above this one.
    fn raise(&mut self, sequence: &SequenceNumber<'static>) {
        if *sequence > self.highest {
            self.highest = sequence.clone();
        }
    }
}

fn unknown_table(name: &str) -> StoreError {
    StoreError::Fatal(format!("ResourceNotFoundException: Requested resource not found: `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
    use crate::store::Action;
    use crate::store::schema::IndexSchema;
    use futures_util::FutureExt as _;

    /// The key of the item that the tests are about.
    pub(super) const ITEM_KEY: &str = r#"{"pk": {"S": "p"}, "sk": {"S": "1"}}"#;

    /// A store with one table, `app`, and its index `by_city`.
    pub(super) fn memory() -> Memory {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let by_city = KeySchema { partition: attribute("city"), sort: None };
        Memory::new([TableSchema {
            name: "app".to_owned(),
            key: KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) },
            indexes: vec![IndexSchema { name: "by_city".to_owned(), key: by_city }],
        }])
    }

    pub(super) fn item(json: &str) -> Item<'static> {
        into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
    }

    /// The item that the tests are about, with this text in `x`.
    pub(super) fn item_with(x: &str) -> Item<'static> {
        let mut item = item(ITEM_KEY);
        item.insert("x".into(), x.into());
        item
    }

    /// A put of that item.
    pub(super) fn put(x: &str) -> Write {
        Write { table: "app".to_owned(), action: Action::Put(item_with(x)), condition: None }
    }

    /// The item that is there, if there is one.
    pub(super) fn content(memory: &Memory) -> Option<Item<'static>> {
        memory.dump().remove("app").and_then(|mut items| items.pop())
    }

    #[test]
    fn a_seed_costs_nothing_and_is_in_the_index() {
        let memory = memory();
        let seed = item(r#"{"pk": {"S": "p"}, "sk": {"S": "1"}, "city": {"S": "Rome"}}"#);
        memory.seed("app", seed.clone()).unwrap();
        assert_eq!(memory.usage(), Usage::default());
        assert!(memory.take_stream().is_empty());
        let query = Query {
            table: "app".to_owned(),
            index: Some("by_city".to_owned()),
            partition: ("city".to_owned(), "Rome".into()),
            sort: None,
            attributes: None,
            limit: None,
            start: None,
        };
        let page = memory.query(query).now_or_never().unwrap().unwrap().value;
        assert_eq!(page.items, [seed]);
        assert!(matches!(memory.seed("app", Item::new()), Err(StoreError::Rejected(_))));
        assert!(matches!(memory.seed("none", Item::new()), Err(StoreError::Fatal(_))));
    }

    #[test]
    fn usage_adds_up_over_all_requests() {
        let memory = memory();
        memory.write(put("a")).now_or_never().unwrap().unwrap();
        let read = Read { table: "app".to_owned(), key: item(ITEM_KEY), attributes: None };
        memory.batch_get(vec![read]).now_or_never().unwrap().unwrap();
        memory.batch_get(Vec::new()).now_or_never().unwrap().unwrap_err();
        let units = Units { read: 1.0, write: 1.0 };
        assert_eq!(memory.usage(), Usage { requests: 3, units });
    }
}

//! The in-memory store: DynamoDB's behaviour in a `BTreeMap`.
//!
//! Replays and simulations run on it. Tests inject faults into it. It reads no clock and draws no
//! random numbers: the same calls always have the same answers.
//!
//! It rejects what DynamoDB rejects, bills what DynamoDB bills, and produces the stream records
//! that DynamoDB produces. There are two differences: its indexes lag only after
//! [`Memory::hold_indexes`], and its requests are throttled only by [`Memory::set_faults`].

mod bill;
mod check;
mod fault;
mod invalid;
mod lag;
mod read;
mod recorded;
mod request;
mod scan;
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
#[cfg(feature = "cli")]
pub(crate) use update::updated;

use super::scan::{Scan, Scanner};
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
    /// The highest sequence number so far, of recorded changes and of the store's own writes.
    highest: SequenceNumber<'static>,
    stream: Vec<StreamRecord>,
    /// The number of stream records so far.
    records: u64,
    now_ms: u64,
    usage: Usage,
    late: Vec<LateWrite>,
    /// The changes that are not in the indexes yet, if the indexes lag.
    unseen: Option<VecDeque<Unseen>>,
}

impl Memory {
    /// A store with these tables, without items. If several tables have the same name, the last one
    /// is used.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = TableSchema>) -> Self {
        let tables =
            tables.into_iter().map(|schema| (schema.name.clone(), Table::new(schema))).collect();
        Self { state: RefCell::new(State { tables, ..State::default() }), ..Self::default() }
    }

    /// Adds an item as if it had existed from the beginning: at no cost, and without a stream
    /// record.
    pub fn seed(&self, table: &str, item: Item<'static>) -> Result<(), StoreError> {
        let mut state = self.state.borrow_mut();
        let table = state.table_mut(table)?;
        let key = invalid::item_key(&table.key, &item)?;
        request::item(table, &item)?;
        check::index_keys(table, &item)?;
        if table.item(&key).is_some() {
            return Err(StoreError::Rejected("an item with this key already exists".to_owned()));
        }
        table.replace(&key, Some(item));
        Ok(())
    }

    /// Every item of every table, in key order.
    #[must_use]
    pub fn dump(&self) -> BTreeMap<String, Vec<Item<'static>>> {
        let state = self.state.borrow();
        let items = |table: &Table| table.items().cloned().collect();
        state.tables.iter().map(|(name, table)| (name.clone(), items(table))).collect()
    }

    /// Removes and returns the stream records since the last call, in the order of the writes.
    #[must_use]
    pub fn take_stream(&self) -> Vec<StreamRecord> {
        std::mem::take(&mut self.state.borrow_mut().stream)
    }

    /// Sets the creation time of stream records, in milliseconds since 1970.
    pub fn set_now_ms(&self, now_ms: u64) {
        self.state.borrow_mut().now_ms = now_ms;
    }

    /// The number of requests so far and their cost.
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

impl Scanner for Memory {
    async fn scan(&self, scan: Scan) -> Result<Answer<Page>, StoreError> {
        let kind = CallKind::Scan;
        let fault = self.fault(kind, [scan.table.as_str()]);
        self.answer(kind, fault, move |state| state.scan(&scan)).await
    }
}

impl State {
    fn table(&self, name: &str) -> Result<&Table, StoreError> {
        self.tables.get(name).ok_or_else(|| unknown_table(name))
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, StoreError> {
        self.tables.get_mut(name).ok_or_else(|| unknown_table(name))
    }

    /// Applies one of the store's own writes, and adds a stream record if it changes anything.
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

    /// Ensures that the next sequence number is higher than this one.
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

    /// The key of the item that the tests use.
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

    /// The item that the tests use, with this string in `x`.
    pub(super) fn item_with(x: &str) -> Item<'static> {
        let mut item = item(ITEM_KEY);
        item.insert("x".into(), x.into());
        item
    }

    /// A put of that item.
    pub(super) fn put(x: &str) -> Write {
        Write { table: "app".to_owned(), action: Action::Put(item_with(x)), condition: None }
    }

    /// The last item in the table, if it has any.
    pub(super) fn content(memory: &Memory) -> Option<Item<'static>> {
        memory.dump().remove("app").and_then(|mut items| items.pop())
    }

    #[test]
    fn a_seeded_item_costs_nothing_and_is_in_the_index() {
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

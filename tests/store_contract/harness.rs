//! The harness of the cases, which consists of a store and its tables.

use referee::data::{Item, KeyAttribute, KeyKind, KeySchema};
use referee::store::scan::Scanner;
use referee::store::schema::{IndexSchema, TableSchema};
use referee::store::{
    Answer, Page, Query, Read, SortCondition, Store, StoreError, Transacted, Write, Written,
};
use serde_json::Value as Json;

/// The index of the table [`APP`].
pub(crate) const BY_CITY: &str = "by_city";

/// Tables with a sort key, with a number as the key, and with binaries.
pub(crate) const APP: &str = "app";
pub(crate) const NUMBERS: &str = "numbers";
pub(crate) const BINARIES: &str = "binaries";

/// A store that contains the tables of the cases, which are empty at first.
pub(crate) trait Harness: 'static {
    type Store: Store + Scanner;

    /// Returns the store.
    fn store(&self) -> &Self::Store;

    /// Returns the name in the store of a table that [`tables`] defines.
    fn table(&self, name: &str) -> String;

    /// Returns the records of a table's stream so far, in the format in which Lambda delivers them.
    async fn stream(&self, table: &str) -> Vec<Json>;

    /// Waits until the indexes have caught up with their tables.
    async fn wait_for_indexes(&self);

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.store().write(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.store().transact(actions).await
    }

    /// Makes a write that must succeed.
    async fn apply(&self, write: Write) {
        assert_eq!(self.write(write).await.unwrap().value, Written::Applied);
    }

    /// Returns the item with this key.
    async fn item(&self, table: &str, key: Item<'static>) -> Option<Item<'static>> {
        let read = Read { table: table.to_owned(), key, attributes: None };
        self.store().batch_get(vec![read]).await.unwrap().value.remove(0)
    }

    async fn query(&self, query: Query) -> Page {
        self.store().query(query).await.unwrap().value
    }
}

/// Returns the tables of the cases, whose names have this prefix.
pub(crate) fn tables(prefix: &str) -> Vec<TableSchema> {
    let schema =
        |name: &str, key, indexes| TableSchema { name: format!("{prefix}{name}"), key, indexes };
    let by_city = IndexSchema {
        name: BY_CITY.to_owned(),
        key: key(("city", KeyKind::S), Some(("n", KeyKind::N))),
    };
    vec![
        schema(APP, key(("pk", KeyKind::S), Some(("sk", KeyKind::S))), vec![by_city]),
        schema(NUMBERS, key(("id", KeyKind::N), None), Vec::new()),
        schema(BINARIES, key(("id", KeyKind::B), Some(("sk", KeyKind::B))), Vec::new()),
    ]
}

fn key(partition: (&str, KeyKind), sort: Option<(&str, KeyKind)>) -> KeySchema {
    let attribute = |(name, kind): (&str, KeyKind)| KeyAttribute { name: name.to_owned(), kind };
    KeySchema { partition: attribute(partition), sort: sort.map(attribute) }
}

/// Returns a query of all items in a partition of the table `app`.
pub(crate) fn partition(table: &str, pk: &str) -> Query {
    Query {
        table: table.to_owned(),
        index: None,
        partition: ("pk".to_owned(), pk.into()),
        sort: None,
        attributes: None,
        limit: None,
        start: None,
    }
}

/// Returns a query of all items in a partition of the index of `app`.
pub(crate) fn city(table: &str, city: &str) -> Query {
    Query {
        index: Some(BY_CITY.to_owned()),
        partition: ("city".to_owned(), city.into()),
        ..partition(table, "")
    }
}

pub(crate) fn begins_with(name: &str, text: &str) -> SortCondition {
    SortCondition::BeginsWith(name.to_owned(), text.into())
}

pub(crate) fn equals(name: &str, text: &str) -> SortCondition {
    SortCondition::Equals(name.to_owned(), text.into())
}

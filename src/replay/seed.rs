//! The in-memory store of a replay, and its seeds and dumps, which contain all tables as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::data::{JsonItem, into_owned, plain_item, without_position};
use crate::rules::model::{Rules, TableIndex};
use crate::store::Memory;
use crate::store::schema::{IndexSchema, TableSchema};

/// Why a seed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It is not JSON in the format of a dump.
    #[error(
        "the seed is not of the form {{\"<table name in DynamoDB>\": [<item in DynamoDB JSON>, …]}}: \
         {0}"
    )]
    Shape(serde_json::Error),
    /// The items name no table, and neither does the caller.
    #[error("the items name no table, and the rule file has several\nhelp: name it with `--table`")]
    NoTable,
    /// A table is not in the rule file.
    #[error("table `{table}` is not in the rule file, which has {known}")]
    Table {
        /// The table.
        table: String,
        /// The tables in the rule file.
        known: String,
    },
    /// An item is invalid.
    #[error("item {position} of table `{table}`: {error}")]
    Item {
        /// The table.
        table: String,
        /// The item's position in the list of the table, from 1.
        position: usize,
        /// What is wrong with it.
        error: String,
    },
}

/// The tables of the rules, with the indexes that the rules use.
pub fn schemas(rules: &Rules) -> impl Iterator<Item = TableSchema> {
    let index =
        |index: &TableIndex| IndexSchema { name: index.name.clone(), key: index.key.clone() };
    rules.tables.iter().map(move |table| TableSchema {
        name: table.name.clone(),
        key: table.key.clone(),
        indexes: table.indexes.iter().map(index).collect(),
    })
}

/// Creates an empty store with the tables and indexes of the rules.
#[must_use]
pub fn store(rules: &Rules) -> Memory {
    Memory::new(schemas(rules))
}

/// How to read a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeedFormat<'a> {
    /// The table of items that name none, as the AWS CLI prints them; a name in DynamoDB. By
    /// default, the store's only table.
    pub table: Option<&'a str>,
    /// Whether items are in plain JSON instead of DynamoDB's.
    pub is_plain: bool,
}

/// Fills a store with the items of a seed.
pub fn seed(store: &Memory, text: &str) -> Result<(), SeedError> {
    seed_as(store, text, SeedFormat::default())
}

/// Like [`seed`], also for what the AWS CLI prints, for lines of items, and for plain JSON.
pub fn seed_as(store: &Memory, text: &str, format: SeedFormat<'_>) -> Result<(), SeedError> {
    let known: BTreeSet<String> = store.dump().into_keys().collect();
    let tables = tables(text, &known, format.table)?;
    for (table, items) in tables {
        if !known.contains(&table) {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            return Err(SeedError::Table { table, known: known.join(", ") });
        }
        for (index, item) in items.into_iter().enumerate() {
            let wrong = |error: String| SeedError::Item {
                table: table.clone(),
                position: index + 1,
                error,
            };
            let item = if format.is_plain {
                plain_item(item.get()).map_err(&wrong)?
            } else {
                let JsonItem(item) = serde_json::from_str(item.get())
                    .map_err(|error| wrong(without_position(&error)))?;
                into_owned(item)
            };
            store.seed(&table, item).map_err(|error| wrong(error.to_string()))?;
        }
    }
    Ok(())
}

/// What the AWS CLI prints for `scan`, `query`, `get-item` and `batch-get-item`.
#[derive(Deserialize)]
struct Printed<'a> {
    #[serde(borrow, rename = "Items")]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "Item")]
    item: Option<&'a RawValue>,
    #[serde(borrow, rename = "Responses")]
    responses: Option<BTreeMap<String, Vec<&'a RawValue>>>,
}

/// The items of each table in a seed.
fn tables<'a>(
    text: &'a str,
    known: &BTreeSet<String>,
    table: Option<&str>,
) -> Result<BTreeMap<String, Vec<&'a RawValue>>, SeedError> {
    let whole = match serde_json::from_str::<BTreeMap<String, Vec<&RawValue>>>(text) {
        // A table may have the name of a field that the AWS CLI prints.
        Ok(tables) if tables.keys().all(|name| known.contains(name)) => return Ok(tables),
        whole => whole,
    };
    let lines: Result<Vec<&RawValue>, _> =
        serde_json::Deserializer::from_str(text).into_iter().collect();
    let Ok(lines) = lines else { return whole.map_err(SeedError::Shape) };
    let is_one = lines.len() == 1;
    let mut items = Vec::new();
    for line in lines {
        match serde_json::from_str(line.get()) {
            Ok(Printed { responses: Some(tables), .. }) if is_one => return Ok(tables),
            Ok(Printed { items: Some(some), .. }) => items.extend(some),
            Ok(Printed { item: Some(one), .. }) => items.push(one),
            _ if is_one => return whole.map_err(SeedError::Shape),
            _ => items.push(line),
        }
    }
    let only = || known.first().filter(|_| known.len() == 1);
    let table = table.or_else(|| only().map(String::as_str)).ok_or(SeedError::NoTable)?;
    Ok(BTreeMap::from([(table.to_owned(), items)]))
}

/// The whole content of a store in the format of a seed, with items in the order of their keys.
#[must_use]
pub fn dump(store: &Memory) -> String {
    let mut text = serde_json::to_string_pretty(&store.dump()).unwrap_or_default();
    text.push('\n');
    text
}

//! The in-memory store of a replay, and its seeds and dumps, which contain all tables as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::data::{JsonItem, into_owned, without_position};
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

/// Fills a store with the items of a seed.
pub fn seed(store: &Memory, text: &str) -> Result<(), SeedError> {
    #[derive(Deserialize)]
    struct Seed<'a>(#[serde(borrow)] BTreeMap<String, Vec<&'a RawValue>>);
    let Seed(tables) = serde_json::from_str(text).map_err(SeedError::Shape)?;
    let known: BTreeSet<String> = store.dump().into_keys().collect();
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
            let JsonItem(item) = serde_json::from_str(item.get())
                .map_err(|error| wrong(without_position(&error)))?;
            store.seed(&table, into_owned(item)).map_err(|error| wrong(error.to_string()))?;
        }
    }
    Ok(())
}

/// The whole content of a store in the format of a seed, with items in the order of their keys.
#[must_use]
pub fn dump(store: &Memory) -> String {
    let mut text = serde_json::to_string_pretty(&store.dump()).unwrap_or_default();
    text.push('\n');
    text
}

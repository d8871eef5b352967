//! Models of NoSQL Workbench: tables with their keys, indexes and some items.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::audit::{Archive, Problem, Row, Stop};
use crate::data::{KeyAttribute, KeyKind, KeySchema};
use crate::infer::InputTable;
use crate::rules::model::TableId;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    data_model: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    #[serde(rename = "TableName")]
    name: String,
    key_attributes: Key,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    #[serde(default, rename = "TableData")]
    rows: Vec<Box<RawValue>>,
    #[serde(default, rename = "TableFacets")]
    facets: Vec<Facet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Facet {
    #[serde(default, rename = "TableData")]
    rows: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_attributes: Key,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    partition_key: Attribute,
    sort_key: Option<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

impl Key {
    fn schema(&self) -> KeySchema {
        let attribute = |attribute: &Attribute| KeyAttribute {
            name: attribute.attribute_name.clone(),
            kind: match attribute.attribute_type.as_str() {
                "N" => KeyKind::N,
                "B" => KeyKind::B,
                _ => KeyKind::S,
            },
        };
        KeySchema {
            partition: attribute(&self.partition_key),
            sort: self.sort_key.as_ref().map(attribute),
        }
    }
}

/// The tables of a model, and their items.
pub(super) fn read(text: &str) -> Result<Vec<(InputTable, Vec<String>)>, String> {
    let model: Model = serde_json::from_str(text)
        .map_err(|error| format!("it is not a model of NoSQL Workbench: {error}"))?;
    let tables = model.data_model.into_iter().map(|table| {
        let facets = table.facets.iter().flat_map(|facet| &facet.rows);
        let mut rows: Vec<String> = Vec::new();
        for row in table.rows.iter().chain(facets) {
            // A facet repeats the items of the table.
            if !rows.iter().any(|known| known == row.get()) {
                rows.push(row.get().to_owned());
            }
        }
        let index = |index: &Index| (index.index_name.clone(), index.key_attributes.schema());
        let known = InputTable {
            name: table.name,
            key: Some(table.key_attributes.schema()),
            indexes: table.global_secondary_indexes.iter().map(index).collect(),
            ttl: None,
        };
        (known, rows)
    });
    Ok(tables.collect())
}

/// Items in memory.
pub(super) struct Rows {
    pub(super) table: TableId,
    pub(super) rows: Vec<String>,
}

impl Archive for Rows {
    fn chunks(&self) -> u32 {
        1
    }

    fn items(&self) -> Option<u64> {
        Some(self.rows.len() as u64)
    }

    fn name(&self, _: u32) -> String {
        "the model".to_owned()
    }

    fn read(
        &self,
        _: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        _: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        for (row, text) in (0..).zip(&self.rows) {
            each(Row { row, table: self.table, text: text.as_bytes() })?;
        }
        Ok(())
    }
}

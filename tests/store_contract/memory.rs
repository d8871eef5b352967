//! Runs the cases on the in-memory store.

use referee::store::Memory;
use serde_json::Value as Json;

use crate::harness::{Harness, tables};

pub(crate) struct InMemory(Memory);

impl InMemory {
    pub(crate) fn new() -> Self {
        Self(Memory::new(tables("")))
    }
}

impl Harness for InMemory {
    type Store = Memory;

    fn store(&self) -> &Memory {
        &self.0
    }

    fn table(&self, name: &str) -> String {
        name.to_owned()
    }

    async fn stream(&self, table: &str) -> Vec<Json> {
        let records = self.0.take_stream();
        let of_table = records.iter().filter(|record| record.table == table);
        of_table.map(|record| serde_json::to_value(record).unwrap()).collect()
    }

    async fn wait_for_indexes(&self) {}
}

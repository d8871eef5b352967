//! Dumps: all tables in one file, in the format of `replay --dump`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::audit::archive::{Archive, Problem, Row, Stop};
use crate::rules::model::{Rules, TableId};

/// A dump. It is read item by item, whatever its length.
#[derive(Debug)]
pub struct Dump {
    path: PathBuf,
    /// The tables' names in DynamoDB.
    tables: Vec<String>,
}

impl Dump {
    /// Opens a dump.
    pub fn open(path: &Path, rules: &Rules) -> io::Result<Self> {
        File::open(path)?;
        let tables = rules.tables.iter().map(|table| table.name.clone()).collect();
        Ok(Self { path: path.to_owned(), tables })
    }
}

impl Archive for Dump {
    fn chunks(&self) -> u32 {
        1
    }

    fn items(&self) -> Option<u64> {
        None
    }

    fn name(&self, _: u32) -> String {
        self.path.display().to_string()
    }

    fn read(
        &self,
        _: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let mut reading = Reading { tables: &self.tables, each, row: 0, stop: None };
        let done = File::open(&self.path).map_err(serde_json::Error::io).and_then(|file| {
            let mut json = serde_json::Deserializer::from_reader(BufReader::new(file));
            (&mut reading).deserialize(&mut json)?;
            json.end()
        });
        if let Some(stop) = reading.stop {
            return Err(stop);
        }
        if let Err(error) = done {
            let place = self.path.display().to_string();
            let error = format!("cannot be read: {error}");
            problem(Problem { place, error, help: None });
        }
        Ok(())
    }
}

/// The state of reading a dump.
struct Reading<'r> {
    tables: &'r [String],
    each: &'r mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    row: u32,
    stop: Option<Stop>,
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("{\"<table name in DynamoDB>\": [<item in DynamoDB JSON>, …]}, a dump")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key::<String>()? {
            let Some(table) = self.tables.iter().position(|table| *table == name) else {
                let known: Vec<_> = self.tables.iter().map(|name| format!("`{name}`")).collect();
                return Err(A::Error::custom(format_args!(
                    "table `{name}` is not in the rule file, which has {}",
                    known.join(", ")
                )));
            };
            access.next_value_seed(Items { reading: self, table: TableId(table) })?;
        }
        Ok(())
    }
}

/// Reads the items of one table.
struct Items<'i, 'r> {
    reading: &'i mut Reading<'r>,
    table: TableId,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(text) = access.next_element::<Box<RawValue>>()? {
            let text = text.get().as_bytes();
            let (table, row) = (self.table, self.reading.row);
            if let Err(stop) = (self.reading.each)(Row { row, table, text }) {
                self.reading.stop = Some(stop);
                return Err(A::Error::custom("stopped"));
            }
            self.reading.row += 1;
        }
        Ok(())
    }
}

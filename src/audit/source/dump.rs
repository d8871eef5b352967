//! Dumps: all tables in one file, in the format of `replay --dump`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::rows::{List, Rows};
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
        let mut rows = Rows::new(each);
        let done = File::open(&self.path).map_err(serde_json::Error::io).and_then(|file| {
            let mut json = serde_json::Deserializer::from_reader(BufReader::new(file));
            Tables { names: &self.tables, rows: &mut rows }.deserialize(&mut json)?;
            json.end()
        });
        rows.end(&self.path, done, problem)
    }
}

/// Reads the items of all tables.
struct Tables<'t, 'r> {
    /// The tables' names in DynamoDB.
    names: &'t [String],
    rows: &'t mut Rows<'r>,
}

impl<'de> DeserializeSeed<'de> for Tables<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tables<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("{\"<table name in DynamoDB>\": [<item in DynamoDB JSON>, …]}, a dump")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key::<String>()? {
            let Some(table) = self.names.iter().position(|table| *table == name) else {
                let known: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
                return Err(A::Error::custom(format_args!(
                    "table `{name}` is not in the rule file, which has {}",
                    known.join(", ")
                )));
            };
            access.next_value_seed(List(self.rows, TableId(table)))?;
        }
        Ok(())
    }
}

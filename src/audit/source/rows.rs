//! Lists of items in JSON, read item by item, whatever their length.

use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::audit::archive::{Problem, Row, Stop};
use crate::rules::model::TableId;

/// Passes items on, and numbers them.
pub(crate) struct Rows<'r> {
    each: &'r mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    row: u32,
    stop: Option<Stop>,
}

impl<'r> Rows<'r> {
    /// Passes the items on to this function.
    pub(crate) fn new(each: &'r mut dyn FnMut(Row<'_>) -> Result<(), Stop>) -> Self {
        Self { each, row: 0, stop: None }
    }

    /// Passes the text of an item on. An error ends the parser; [`Self::end`] knows the reason.
    pub(crate) fn take<E: Error>(&mut self, table: TableId, text: &str) -> Result<(), E> {
        let row = Row { row: self.row, table, text: text.as_bytes() };
        self.row += 1;
        (self.each)(row).map_err(|stop| {
            self.stop = Some(stop);
            E::custom("stopped")
        })
    }

    /// Ends the reading of a file with what its parser says, and reports a problem with the file.
    pub(crate) fn end(
        self,
        path: &Path,
        done: Result<(), serde_json::Error>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        if let Some(stop) = self.stop {
            return Err(stop);
        }
        if let Err(error) = done {
            let place = path.display().to_string();
            problem(Problem { place, error: format!("cannot be read: {error}"), help: None });
        }
        Ok(())
    }
}

/// Reads a list of the items of one table.
pub(crate) struct List<'l, 'r>(pub(crate) &'l mut Rows<'r>, pub(crate) TableId);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(text) = access.next_element::<Box<RawValue>>()? {
            self.0.take::<A::Error>(self.1, text.get())?;
        }
        Ok(())
    }
}

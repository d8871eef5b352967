//! Exports of one table.

use crate::audit::archive::{Archive, Problem, Row, Stop};
use crate::audit::export::{self, ExportError, RowError, TableExport};
use crate::rules::model::TableId;

/// The items of a table, as its exports describe it. A chunk is a data file.
#[derive(Debug)]
pub struct Exported {
    export: TableExport,
    table: TableId,
}

impl Exported {
    /// The items of these exports.
    #[must_use]
    pub const fn new(export: TableExport, table: TableId) -> Self {
        Self { export, table }
    }
}

impl Archive for Exported {
    fn chunks(&self) -> u32 {
        u32::try_from(self.export.files().len()).unwrap_or(u32::MAX)
    }

    fn items(&self) -> Option<u64> {
        Some(self.export.files().iter().map(export::DataFile::items).sum())
    }

    fn name(&self, chunk: u32) -> String {
        let file = self.export.files().get(chunk as usize);
        file.map(export::DataFile::address).unwrap_or_default()
    }

    fn problems(&self) -> Vec<Problem> {
        self.export.problems().iter().map(Problem::from).collect()
    }

    fn read(
        &self,
        chunk: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let mut stop = None;
        let table = self.table;
        let checked =
            self.export.read(chunk, |row, text| pass_on(each, &mut stop, Row { row, table, text }));
        if let Some(reason) = stop {
            return Err(reason);
        }
        let checked = checked.map_err(|error: ExportError| Stop(error.to_string()))?;
        checked.problems.iter().map(Problem::from).for_each(problem);
        Ok(())
    }

    fn read_rows(
        &self,
        chunk: u32,
        rows: &[u32],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut stop = None;
        let table = self.table;
        let done = self
            .export
            .read_rows(chunk, rows, |row, text| pass_on(each, &mut stop, Row { row, table, text }));
        match stop {
            Some(reason) => Err(reason),
            None => done.map_err(|error| Stop(error.to_string())),
        }
    }
}

/// Passes an item on, and keeps the reason to stop.
fn pass_on(
    each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    stop: &mut Option<Stop>,
    row: Row<'_>,
) -> Result<(), RowError> {
    each(row).map_err(|reason| {
        *stop = Some(reason);
        RowError::Stop
    })
}

impl From<&export::Problem> for Problem {
    fn from(problem: &export::Problem) -> Self {
        let help = problem.help().to_owned();
        Self { place: problem.address.clone(), error: problem.flaw.to_string(), help: Some(help) }
    }
}

//! The scan of one side. The log has the key of each item and the hash of its content.

use std::path::Path;

use super::Scope;
use crate::audit::live::Interrupted;
use crate::audit::live::checkpoint::CheckpointError;
use crate::audit::live::error::LiveError;
use crate::audit::live::log::LogWriter;
use crate::audit::live::run::Session;
use crate::audit::live::scan::{Options, Sink, scan};
use crate::audit::live::segments::TableScan;
use crate::audit::live::state::State;
use crate::audit::replica::content::ContentHasher;
use crate::audit::tally::Tally;
use crate::data::{Item, Key};
use crate::rules::model::TableId;
use crate::runtime::clock::Clock;
use crate::store::scan::Scanner;

/// The scan of one side.
pub(super) struct SideScan<'s> {
    scope: Scope<'s>,
    state: State,
}

impl<'s> SideScan<'s> {
    pub(super) fn begin(
        scope: Scope<'s>,
        folder: &Path,
        started_ms: i64,
        segments: impl Fn(TableId) -> u32,
    ) -> Result<Self, LiveError> {
        let tables = (0..).map(TableId).zip(&scope.rules.tables);
        let tables = tables.map(|(id, table)| TableScan::new(table.name.clone(), segments(id)));
        let begun = (tables.collect(), Tally::new(scope.rules));
        let state = State::begin(folder, identity(scope), started_ms, begun)?;
        Ok(Self { scope, state })
    }

    pub(super) fn resume(scope: Scope<'s>, folder: &Path) -> Result<Self, LiveError> {
        let tables: Vec<_> = scope.rules.tables.iter().map(|table| table.name.as_str()).collect();
        let state = match State::resume(folder, &identity(scope), &tables) {
            Err(LiveError::Checkpoint(CheckpointError::Rules { path })) => {
                return Err(LiveError::OtherComparison(path));
            }
            resumed => resumed?,
        };
        Ok(Self { scope, state })
    }

    pub(super) fn tables(&self) -> &[TableScan] {
        self.state.tables()
    }

    /// Scans what is left.
    pub(super) async fn scan<S: Scanner, C: Clock>(
        &mut self,
        Session { store, clock, limiter, stop }: Session<'_, S, C>,
        width_max: u32,
        show: &mut dyn FnMut(&[TableScan]),
    ) -> Result<(), Interrupted<LiveError>> {
        // Every attribute is compared.
        let attributes = vec![None; self.scope.rules.tables.len()];
        let options = Options { attributes: &attributes, width_max, limiter, stop };
        let log = self.state.write_log().map_err(Interrupted::Sink)?;
        let mut tables = self.state.tables().to_vec();
        let mut collector = Collector {
            scope: self.scope,
            tally: self.state.tally().clone(),
            state: &mut self.state,
            log,
            hasher: ContentHasher::default(),
            payload: Vec::new(),
            show,
        };
        scan(store, clock, &options, &mut tables, &mut collector).await
    }

    /// Reads what was scanned: each item's table, key, and the hash of its content.
    pub(super) fn read(
        &self,
        mut each: impl FnMut(TableId, &Key<'_>, &[u8]) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let mut log = self.state.read_log()?;
        while let Some(row) = log.row().map_err(|error| self.state.log_error(error))? {
            each(row.table, &row.key, row.payload)?;
        }
        Ok(())
    }

    pub(super) fn remove(self) -> Result<(), LiveError> {
        self.state.remove()
    }
}

/// Identifies what is compared in a checkpoint.
fn identity(scope: Scope<'_>) -> String {
    format!("{} {}", scope.rules.fingerprint(), scope.identity)
}

/// Writes the items of pages to the log.
struct Collector<'c> {
    scope: Scope<'c>,
    tally: Tally,
    log: LogWriter,
    state: &'c mut State,
    hasher: ContentHasher,
    payload: Vec<u8>,
    show: &'c mut dyn FnMut(&[TableScan]),
}

impl Sink for Collector<'_> {
    type Error = LiveError;

    fn page(
        &mut self,
        table: usize,
        _segment: u32,
        items: Vec<Item<'static>>,
    ) -> Result<(), LiveError> {
        let id = TableId(table);
        let table = &self.scope.rules[id];
        for item in items {
            let key = table.key.key_of(&item);
            let key = key.map_err(|error| LiveError::Key { table: table.name.clone(), error })?;
            if !(self.scope.concerns)(id, &key) {
                continue;
            }
            self.tally.items += 1;
            self.payload.extend(self.hasher.item(&item).to_bytes());
            let added = self.log.add(id, &key, &mut self.payload);
            added.map_err(|error| self.state.log_error(error))?;
        }
        Ok(())
    }

    fn save(&mut self, tables: &[TableScan]) -> Result<(), LiveError> {
        let length = self.log.sync().map_err(|error| self.state.log_error(error))?;
        self.state.save(length, self.tally.clone(), tables)
    }

    fn show(&mut self, tables: &[TableScan]) {
        (self.show)(tables);
    }
}

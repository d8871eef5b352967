//! A live audit, step by step: scan, join, confirm.
//!
//! The state is in a folder until the audit is complete: a checkpoint, and the log of what was
//! scanned.

use std::path::Path;

use super::Interrupted;
use super::accused::Accused;
use super::confirm::{Confirmed, confirm};
use super::error::LiveError;
use super::log::{LogWriter, RowFacts};
use super::paced::Paced;
use super::rate::Limiter;
use super::scan::{Options, Sink, scan};
use super::segments::{TableScan, segments_for};
use super::state::State;
use crate::audit::join::{Suspects, join};
use crate::audit::observe::{Facts as _, ObserveError, Observer, Observing};
use crate::audit::run::Options as Resources;
use crate::audit::spill::Spill;
use crate::audit::tally::Tally;
use crate::data::Item;
use crate::integrity::finding::Finding;
use crate::integrity::index::{Index, Projection};
use crate::integrity::nearest::Stray;
use crate::rules::model::{EntityId, Mode, Rules, TableId};
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

/// What all steps share.
#[derive(Debug)]
pub struct Session<'s, S, C> {
    /// The tables.
    pub store: &'s S,
    /// The time.
    pub clock: &'s C,
    /// The limit on read units.
    pub limiter: &'s Limiter,
    /// Ends the audit after the requests in flight.
    pub stop: &'s Stop,
}

// Derived implementations would require that the store and the clock can be copied, too.
impl<S, C> Clone for Session<'_, S, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, C> Copy for Session<'_, S, C> {}

/// A live audit.
#[derive(Debug)]
pub struct LiveAudit<'a> {
    rules: &'a Rules,
    index: Index,
    state: State,
    stray: Option<Stray>,
}

impl<'a> LiveAudit<'a> {
    /// Begins an audit with its state in this folder. `segments` are the numbers of segments of the
    /// tables; a table without segments is not scanned.
    pub fn begin(
        rules: &'a Rules,
        folder: &Path,
        started_ms: i64,
        segments: impl Fn(TableId) -> u32,
    ) -> Result<Self, LiveError> {
        let tables = (0..).map(TableId).zip(&rules.tables);
        let tables = tables.map(|(id, table)| TableScan::new(table.name.clone(), segments(id)));
        let begun = (tables.collect(), Tally::new(rules));
        let state = State::begin(folder, rules.fingerprint(), started_ms, begun)?;
        Ok(Self { rules, index: Index::new(rules), state, stray: None })
    }

    /// Continues the audit of this folder.
    pub fn resume(rules: &'a Rules, folder: &Path) -> Result<Self, LiveError> {
        let tables: Vec<_> = rules.tables.iter().map(|table| table.name.as_str()).collect();
        let state = State::resume(folder, &rules.fingerprint(), &tables)?;
        Ok(Self { rules, index: Index::new(rules), state, stray: None })
    }

    /// How far the segments are.
    #[must_use]
    pub fn tables(&self) -> &[TableScan] {
        self.state.tables()
    }

    /// What was looked at in the pages that are saved.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.state.tally()
    }

    /// Scans what is left of the tables. `show` is called after each page.
    pub async fn scan<S: Scanner, C: Clock>(
        &mut self,
        session: Session<'_, S, C>,
        (width_max, reports_unknown): (u32, bool),
        show: &mut dyn FnMut(&[TableScan]),
    ) -> Result<(), Interrupted<LiveError>> {
        let attributes: Vec<_> = (0..self.rules.tables.len())
            .map(|table| attributes(self.rules, &self.index, TableId(table)))
            .collect();
        let Session { store, clock, limiter, stop } = session;
        let options = Options { attributes: &attributes, width_max, limiter, stop };
        let observing = Observing { reports_unknown, now_ms: clock.now_ms() };
        let log = self.state.write_log().map_err(Interrupted::Sink)?;
        let mut tables = self.state.tables().to_vec();
        let facts = RowFacts::default();
        let mut collector = Collector {
            observer: Observer::of(self.rules, &self.index, facts, observing),
            before: self.state.tally().clone(),
            log,
            rules: self.rules,
            state: &mut self.state,
            show,
        };
        let scanned = scan(store, clock, &options, &mut tables, &mut collector).await;
        self.stray = self.stray.take().or_else(|| collector.observer.stray());
        scanned
    }

    /// The first item that belongs to no entity. An interrupted audit forgets it.
    #[must_use]
    pub const fn stray(&self) -> Option<&Stray> {
        self.stray.as_ref()
    }

    /// Compares what the items say, and returns what looks wrong.
    pub fn join(&self, resources: &Resources) -> Result<Accused<'a>, LiveError> {
        let temporary = LiveError::Temporary;
        let facts = Spill::new(&resources.temporary, resources.memory_bytes_max);
        let mut log = self.state.read_log()?;
        let mut writer = facts.writer();
        while let Some(row) = log.row().map_err(|error| self.state.log_error(error))? {
            row.facts().try_for_each(|fact| writer.add_fact(fact)).map_err(temporary)?;
        }
        writer.finish().map_err(temporary)?;
        let suspects = Spill::new(&resources.temporary, resources.memory_bytes_max / 4);
        let suspects = Suspects::new(suspects, log.chunks());
        join(self.rules, &facts, &suspects, resources.threads).map_err(temporary)?;
        Ok(Accused::new(self.rules, self.state.log_path(), log, suspects))
    }

    /// Reads the suspects again and passes on the findings. Returns the counts and the read units.
    pub async fn confirm<S: Store, C: Clock>(
        &self,
        session: Session<'_, S, C>,
        scanned_ms: i64,
        suspects: Accused<'a>,
        found: impl FnMut(Finding) -> Result<(), LiveError>,
    ) -> Result<(Confirmed, f64), Interrupted<LiveError>> {
        let Session { store, clock, limiter, stop } = session;
        let paced = Paced::new(store, clock, limiter, stop);
        let parts = (&paced, clock, stop);
        let confirmed = confirm(self.rules, parts, scanned_ms, suspects, found).await?;
        Ok((confirmed, paced.read_units()))
    }

    /// Removes the state of an audit that is complete. What else is in the folder stays there.
    pub fn remove(self) -> Result<(), LiveError> {
        self.state.remove()
    }
}

/// The default number of segments of a table of this size, in bytes.
#[must_use]
pub fn default_segments(bytes: u64) -> u32 {
    segments_for(bytes)
}

/// Whether any rule that is not off looks at items of this table.
#[must_use]
pub fn is_needed(rules: &Rules, table: TableId) -> bool {
    let of_table = |entity: EntityId| rules[entity].table == table;
    let references = rules.references.iter();
    let references = references.map(|rule| (rule.mode, rule.from, rules.declared(rule.to)));
    let mirrors = rules.mirrors.iter().map(|rule| (rule.mode, rule.source, rule.mirror));
    references
        .chain(mirrors)
        .any(|(mode, from, to)| mode != Mode::Off && (of_table(from) || of_table(to)))
}

/// The attributes that the rules look at in a table's items, and those that decide to which entity
/// an item belongs; `None` for all.
fn attributes(rules: &Rules, index: &Index, table: TableId) -> Option<Vec<String>> {
    let keys = rules[table].key.names().map(str::to_owned);
    let mut projection: Projection = keys.collect();
    for (id, entity) in (0..).map(EntityId).zip(&rules.entities) {
        if entity.table == table {
            projection.extend(index.projection(id));
        }
    }
    projection.names()
}

/// Writes what the items of pages say to the log.
struct Collector<'c> {
    rules: &'c Rules,
    observer: Observer<'c, RowFacts>,
    /// What earlier runs of this audit have looked at.
    before: Tally,
    log: LogWriter,
    state: &'c mut State,
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
        let table = TableId(table);
        let schema = &self.rules[table].key;
        for item in items {
            let key = schema.key_of(&item).map(crate::data::Key::into_owned);
            let key = key
                .map_err(|error| LiveError::Key { table: self.rules[table].name.clone(), error })?;
            let at = self.log.next().map_err(|error| self.state.log_error(error))?;
            let observed = self.observer.observe(at, table, &key, |_| Ok(item));
            observed
                .map_err(|error: ObserveError<std::convert::Infallible>| match error {
                    ObserveError::Item(never) => match never {},
                    ObserveError::Spill(error) => error,
                })
                .and_then(|_| self.log.add(table, &key, &mut self.observer.facts().0))
                .map_err(|error| self.state.log_error(error))?;
        }
        Ok(())
    }

    fn save(&mut self, tables: &[TableScan]) -> Result<(), LiveError> {
        let length = self.log.sync().map_err(|error| self.state.log_error(error))?;
        let mut tally = self.before.clone();
        tally.add(self.observer.tally());
        self.state.save(length, tally, tables)
    }

    fn show(&mut self, tables: &[TableScan]) {
        (self.show)(tables);
    }
}

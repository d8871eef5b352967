//! Compares real tables: both sides are scanned at the same time, and what is not the same is read
//! again before it counts.
//!
//! - `scan`: the scan of one side, whose state is in a folder so that it can be resumed.
//! - `confirm`: the looks at suspects, strongly consistent.
//! - this module: all steps.

mod confirm;
mod scan;

use std::collections::VecDeque;
use std::path::Path;

use futures_util::future::join;

pub use confirm::{Confirmed, Grace};

use self::scan::SideScan;
use super::records::{Partitions, Records, key_of, sorted};
use super::{Concerns, Difference, Side, Sides};
use crate::audit::live::Interrupted;
use crate::audit::live::error::LiveError;
use crate::audit::live::paced::Paced;
use crate::audit::live::run::Session;
use crate::audit::live::segments::TableScan;
use crate::audit::run::Options as Resources;
use crate::data::Key;
use crate::rules::model::{Rules, TableId};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::scan::Scanner;

/// The folders of the two scans, in the folder of the comparison.
const FOLDERS: Sides<&str> = Sides { original: "original", replica: "replica" };

/// What is compared.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// The rules, whose tables are compared.
    pub rules: &'s Rules,
    /// Which keys are compared.
    pub concerns: Concerns<'s>,
    /// A text that identifies the sides and the keys. Only a comparison of the same can be resumed.
    pub identity: &'s str,
}

/// A comparison of real tables.
pub struct Comparison<'s> {
    scope: Scope<'s>,
    scans: Sides<SideScan<'s>>,
}

/// A key whose items were not the same in the scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The table.
    pub table: TableId,
    /// The key.
    pub key: Key<'static>,
}

impl<'s> Comparison<'s> {
    /// Begins a comparison with its state in this folder. `segments` are the numbers of segments of
    /// the tables of each side.
    pub fn begin(
        scope: Scope<'s>,
        folder: &Path,
        started_ms: i64,
        segments: impl Fn(Side, TableId) -> u32,
    ) -> Result<Self, LiveError> {
        let begin = |side: Side| {
            let folder = folder.join(FOLDERS.of(side));
            SideScan::begin(scope, &folder, started_ms, |table| segments(side, table))
        };
        let original = begin(Side::Original)?;
        Ok(Self { scope, scans: Sides { original, replica: begin(Side::Replica)? } })
    }

    /// Continues the comparison of this folder.
    pub fn resume(scope: Scope<'s>, folder: &Path) -> Result<Self, LiveError> {
        let resume = |side: Side| SideScan::resume(scope, &folder.join(FOLDERS.of(side)));
        let original = resume(Side::Original)?;
        Ok(Self { scope, scans: Sides { original, replica: resume(Side::Replica)? } })
    }

    /// How far the segments of a side are.
    #[must_use]
    pub fn tables(&self, side: Side) -> &[TableScan] {
        self.scans.of(side).tables()
    }

    /// Scans what is left of both sides. `show` is called after each page of a side.
    ///
    /// If one side fails, the other one ends after its pages in flight.
    pub async fn scan<S: Scanner, T: Scanner, C: Clock>(
        &mut self,
        (original, replica): (Session<'_, S, C>, Session<'_, T, C>),
        width_max: u32,
        show: &dyn Fn(Side, &[TableScan]),
    ) -> Result<(), (Side, Interrupted<LiveError>)> {
        let mut show_original = |tables: &[TableScan]| show(Side::Original, tables);
        let mut show_replica = |tables: &[TableScan]| show(Side::Replica, tables);
        let (original, replica) = join(
            self.scans.original.scan(original, width_max, &mut show_original),
            self.scans.replica.scan(replica, width_max, &mut show_replica),
        )
        .await;
        let original = original.map_err(|interrupted| (Side::Original, interrupted));
        let replica = replica.map_err(|interrupted| (Side::Replica, interrupted));
        match (original, replica) {
            // This side was only stopped because the other one failed.
            (Err((_, Interrupted::Stopped)), Err(failed)) | (Err(failed), _) => Err(failed),
            (Ok(()), replica) => replica,
        }
    }

    /// Compares what was scanned. Returns the suspects, and how many items each table has.
    pub fn compare(&self, resources: &Resources) -> Result<(Suspects, Sides<Vec<u64>>), LiveError> {
        let records = Records::new(&resources.temporary, resources.memory_bytes_max);
        let mut writer = records.writer();
        let mut items = FOLDERS.map(|_| vec![0; self.scope.rules.tables.len()]);
        for side in [Side::Original, Side::Replica] {
            self.scans.of(side).read(|table, key, payload| {
                if let Some(count) = items.of_mut(side).get_mut(table.0) {
                    *count += 1;
                }
                let append = |block: &mut Vec<u8>| block.extend_from_slice(payload);
                writer.add(side, (table, key), append).map_err(LiveError::Temporary)
            })?;
        }
        writer.finish().map_err(LiveError::Temporary)?;
        let suspects = Suspects { partitions: records.partitions(), ready: VecDeque::new() };
        Ok((suspects, items))
    }

    /// Reads the suspects again and passes on the differences. Returns the counts, and the read
    /// units of each side.
    pub async fn confirm<S: Store, T: Store, C: Clock>(
        &self,
        (original, replica): (Session<'_, S, C>, Session<'_, T, C>),
        grace: Grace,
        suspects: impl Iterator<Item = Result<Suspect, LiveError>>,
        found: impl FnMut(Difference) -> Result<(), LiveError>,
    ) -> Result<(Confirmed, Sides<f64>), (Side, Interrupted<LiveError>)> {
        let Session { clock, stop, .. } = original;
        let paced = (
            Paced::new(original.store, clock, original.limiter, stop),
            Paced::new(replica.store, clock, replica.limiter, stop),
        );
        let looks =
            confirm::Looks { rules: self.scope.rules, paced: (&paced.0, &paced.1), clock, stop };
        let confirmed = looks.confirm(grace, suspects, found).await?;
        let units = Sides { original: paced.0.read_units(), replica: paced.1.read_units() };
        Ok((confirmed, units))
    }

    /// Removes the state of a comparison that is complete. What else is in the folder stays there.
    pub fn remove(self, folder: &Path) -> Result<(), LiveError> {
        self.scans.original.remove()?;
        self.scans.replica.remove()?;
        // The folder may have other files, or be a mount point.
        let _ = std::fs::remove_dir(folder);
        Ok(())
    }
}

/// The suspects of a comparison. They are made as they are asked for, a partition at a time.
#[derive(Debug)]
pub struct Suspects {
    partitions: Partitions,
    ready: VecDeque<Suspect>,
}

impl Iterator for Suspects {
    type Item = Result<Suspect, LiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let blocks = match self.partitions.next() {
                Ok(blocks) => blocks?,
                Err(error) => return Some(Err(LiveError::Temporary(error))),
            };
            for of_key in sorted(&blocks).chunk_by(|one, other| one.key == other.key) {
                // The payloads are the hashes of the items.
                if let [original, replica] = of_key
                    && original.side != replica.side
                    && original.payload == replica.payload
                {
                    continue;
                }
                let named = of_key.first().copied().and_then(key_of);
                self.ready.extend(named.map(|(table, key)| Suspect { table, key }));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

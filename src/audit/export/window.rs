//! The times of exports: whether incremental ones continue a full one, and whether those of several
//! tables are of the same time.

use std::fmt;

use super::error::ExportError;
use super::manifest::{Manifest, Scope};
use super::place::Folder;
use super::problem::{Flaw, Problem};
use super::table::Opened;
use super::time::{Distance, Timestamp};

/// An export: where it is, and what its manifests say.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) folder: Folder,
    pub(super) manifest: Manifest,
}

/// The exports of a table in the order of their times, the full one first.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) exports: Vec<Export>,
    /// The time of the table's state after the last export.
    pub(super) time: Timestamp,
    /// Gaps and overlaps.
    pub(super) problems: Vec<Problem>,
    /// Exports that are not needed, because the full export is newer.
    pub(super) outdated: Vec<String>,
}

/// Orders the exports of a table.
pub(super) fn chain(table: &str, exports: Vec<Export>) -> Result<Chain, ExportError> {
    let mut full = Vec::new();
    let mut incremental = Vec::new();
    for export in exports {
        match export.manifest.scope {
            Scope::Full(time) => full.push((time, export)),
            Scope::Incremental { from, to } => incremental.push((from, to, export)),
        }
    }
    incremental.sort_by_key(|(from, to, _)| (*from, *to));
    if full.len() > 1 {
        let addresses = full.iter().map(|(_, export)| export.folder.address()).collect();
        let of = format!("full exports of table `{table}`");
        return Err(ExportError::Ambiguous { addresses, of });
    }
    let Some((mut time, first)) = full.pop() else {
        let from = incremental.first().map(|(from, ..)| from.to_string()).unwrap_or_default();
        return Err(ExportError::NoFull { table: table.to_owned(), from });
    };
    let full_time = time;
    let mut chain =
        Chain { exports: vec![first], time, problems: Vec::new(), outdated: Vec::new() };
    for (from, to, export) in incremental {
        let address = export.folder.address();
        if to <= full_time {
            chain.outdated.push(address);
            continue;
        }
        if from > time {
            let flaw = Flaw::Gap { from: time.to_string(), to: from.to_string() };
            chain.problems.push(Problem::new(address, flaw));
        } else if from < time {
            chain.problems.push(Problem::new(address, Flaw::Overlap { from: time.to_string() }));
        }
        time = time.max(to);
        chain.exports.push(export);
    }
    chain.time = time;
    Ok(chain)
}

/// Exports of tables at different times. References between such tables may be reported although
/// they are intact: what was written or deleted between the two times is in one export only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    earliest: (String, Timestamp),
    latest: (String, Timestamp),
}

/// The largest difference between the times of these exports; `None` if there is none.
#[must_use]
pub fn skew<'t>(tables: impl IntoIterator<Item = &'t Opened>) -> Option<Skew> {
    let mut times: Vec<_> =
        tables.into_iter().map(|table| (table.time(), table.table().to_owned())).collect();
    times.sort_unstable();
    let ((first, earliest), (last, latest)) = (times.first()?.clone(), times.last()?.clone());
    (first < last).then_some(Skew { earliest: (earliest, first), latest: (latest, last) })
}

/// The warning's text and what to do.
impl fmt::Display for Skew {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((earlier, from), (later, to)) = (&self.earliest, &self.latest);
        write!(
            formatter,
            "the export of `{later}` is {} newer than that of `{earlier}` ({to} and {from}); \
             references between them that were written or removed in that time may be reported \
             falsely\n\
             help: export all tables with the same `--export-time`, or add `--confirm`, which reads \
             what looks broken on the live tables",
            Distance(to.ms() - from.ms())
        )
    }
}

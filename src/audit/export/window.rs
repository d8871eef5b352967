//! The times of a table's exports: whether incremental ones continue a full one.

use super::error::ExportError;
use super::folder::Folder;
use super::manifest::{Manifest, Scope};
use super::problem::{Flaw, Problem};
use crate::data::Timestamp;

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

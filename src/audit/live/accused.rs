//! From the suspects of a join, which are rows of the log, to the keys to read again.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use super::error::LiveError;
use super::log::LogReader;
use super::suspect::Suspect;
use crate::audit::fact::Location;
use crate::audit::join::Suspects;
use crate::audit::spill::PARTITIONS;
use crate::audit::suspect::{self, Charge, are_others_missing};
use crate::data::Key;
use crate::integrity::mirror::Pair;
use crate::rules::model::{Rules, TableId};

/// What looks wrong in a scan, in the order of the scan. The keys come from the log.
#[derive(Debug)]
pub struct Accused<'a> {
    rules: &'a Rules,
    path: PathBuf,
    log: LogReader,
    suspects: Suspects,
    /// The next group of suspects.
    group: usize,
    ready: VecDeque<Suspect>,
}

impl<'a> Accused<'a> {
    /// Looks up these suspects in a log at this path, of which every chunk was read.
    pub(super) fn new(rules: &'a Rules, path: PathBuf, log: LogReader, suspects: Suspects) -> Self {
        Self { rules, path, log, suspects, group: 0, ready: VecDeque::new() }
    }

    /// About how many suspects there are: some may be equal.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.suspects.count()
    }
}

impl Iterator for Accused<'_> {
    type Item = Result<Suspect, LiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.group < PARTITIONS {
            let group = self.suspects.take(self.group).map_err(LiveError::Temporary);
            self.group += 1;
            let prepared = group.and_then(|group| {
                let failed = |error| LiveError::File { path: self.path.clone(), error };
                group
                    .chunk_by(|one, other| one.at.chunk == other.at.chunk)
                    .try_for_each(|of_chunk| {
                        prepare(self.rules, &mut self.log, of_chunk, &mut self.ready)
                    })
                    .map_err(failed)
            });
            if let Err(error) = prepared {
                self.group = PARTITIONS;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Looks up the keys of the suspects of one chunk.
fn prepare(
    rules: &Rules,
    log: &mut LogReader,
    suspects: &[suspect::Suspect],
    ready: &mut VecDeque<Suspect>,
) -> io::Result<()> {
    let Some(suspect::Suspect { at: Location { chunk, .. }, .. }) = suspects.first() else {
        return Ok(());
    };
    log.go_to(*chunk)?;
    for of_item in suspects.chunk_by(|one, other| one.at == other.at) {
        let Some(suspect::Suspect { at, .. }) = of_item.first() else { continue };
        let row = loop {
            match log.row()? {
                Some(row) if row.at < *at => {}
                row => break row,
            }
        };
        let Some(row) = row.filter(|row| row.at == *at) else { continue };
        let mut of_row: Vec<Suspect> = Vec::new();
        let charges: Vec<Charge> = of_item.iter().map(|suspect| suspect.charge).collect();
        for charge in charges.iter().copied().filter(|it| may_hold(rules, *it, &charges)) {
            let suspect = suspect_of(rules, row.table, &row.key, charge);
            of_row.extend(suspect.filter(|suspect| !of_row.contains(suspect)));
        }
        ready.extend(of_row);
    }
    Ok(())
}

/// Whether a charge may hold, given all charges of its item.
fn may_hold(rules: &Rules, charge: Charge, charges: &[Charge]) -> bool {
    match charge {
        Charge::Dangling(rule, first) | Charge::Unmet(rule, first) => {
            are_others_missing(rules, rule, first, charges)
        }
        Charge::OrDangling(..)
        | Charge::OrUnmet(..)
        | Charge::Malformed(_)
        | Charge::OfSource(..)
        | Charge::OfMirror(..)
        | Charge::Unknown
        | Charge::Duplicate => true,
    }
}

/// What to read again because of a charge.
fn suspect_of(rules: &Rules, table: TableId, key: &Key<'_>, charge: Charge) -> Option<Suspect> {
    let owned = || key.clone().into_owned();
    let pair = match charge {
        Charge::Dangling(rule, _) | Charge::Unmet(rule, _) | Charge::Malformed(rule) => {
            return Some(Suspect::Reference { rule, key: owned() });
        }
        Charge::Unknown => return Some(Suspect::Unknown { table, key: owned() }),
        // A scan reads each key once.
        // Likewise, an item is read because of the first target of its reference.
        Charge::Duplicate | Charge::OrDangling(..) | Charge::OrUnmet(..) => return None,
        Charge::OfSource(rule, _) => {
            if rules[rule].depends_on_attributes() {
                return Some(Suspect::Source { rule, source: owned() });
            }
            let captures = rules.source_of(rule).key.parse(key)?;
            Pair::of_source(rules, rule, &captures, None).ok()??
        }
        Charge::OfMirror(rule, _) => {
            let captures = rules.mirror_of(rule).key.parse(key)?;
            Pair::of_mirror(rules, rule, &captures).ok()?
        }
    };
    let Pair { rule, source, mirror } = pair;
    Some(Suspect::Mirror { rule, mirror, source })
}

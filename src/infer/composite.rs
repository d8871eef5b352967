//! References by keys with several captures.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, SHARE_MIN, UNFOUND_NAME_MIN, World, of_column};
use super::complete;
use super::field::VALUES_MAX;
use super::probe::{As, Column, Counts, Probe};
use super::score::Hits;
use super::{InferError, Input};

/// A reference by a key with several captures: the referencing and the referenced entity, and the
/// source of each capture.
pub(super) type Composite = (usize, usize, Vec<(usize, As)>);

/// How many sources of each capture of a key with several are tried together.
const SOURCES_MAX: usize = 4;
/// The maximum number of combinations for one pair of entities.
const COMBINATIONS_MAX: usize = 64;
/// How many mixed values tell how likely values exist by chance.
const MIXED_MIN: usize = 5;

impl World<'_> {
    /// Looks up keys with several captures.
    pub(super) fn composite(
        &self,
        input: &Input<'_>,
        of_all: (&Counts, f64),
        pending: Vec<Composite>,
        singles: &[Candidate],
    ) -> Result<Vec<Candidate>, InferError> {
        let mut probe = Probe::default();
        let mut tuples = Vec::new();
        for (from, to, pairs) in &pending {
            let of = (self.tuples(*from, pairs, false), self.tuples(*from, pairs, true));
            probe.column(column(*to, pairs));
            for tuple in of.0.iter().chain(&of.1) {
                probe.want(tuple.iter().map(String::as_str));
            }
            tuples.push(of);
        }
        super::probe::run(input, self.tables, self.entities, &mut probe)?;
        let mut found = Vec::new();
        let name_others = |from: usize, pairs: &[(usize, As)]| {
            pairs.iter().all(|(source, _)| {
                singles.iter().any(|it| {
                    it.from == from && it.sources == [*source] && it.name >= UNFOUND_NAME_MIN
                })
            })
        };
        for ((from, to, pairs), (tuples, mixed)) in pending.into_iter().zip(tuples) {
            let column = column(to, &pairs);
            let hits = |tuples: &BTreeSet<Vec<String>>| {
                let has =
                    |tuple: &&Vec<String>| probe.has(&column, tuple.iter().map(String::as_str));
                Hits { tried: tuples.len(), found: tuples.iter().filter(has).count() }
            };
            let (hits, by_chance) = (hits(&tuples), hits(&mixed));
            let is_found = hits.found > 0 && hits.share() >= SHARE_MIN;
            if is_found || !complete::is_complete(of_all.1) {
                let chance = (by_chance.tried >= MIXED_MIN).then(|| by_chance.share());
                let scored = self.scored(of_all, from, to, &pairs, hits, chance);
                found.extend(scored.filter(|it| {
                    is_found || (it.name >= UNFOUND_NAME_MIN && !name_others(from, &pairs))
                }));
            }
        }
        Ok(found)
    }

    /// Different values of several sources: of one item, or, `mixed`, the first one of one item and
    /// the others of another item. How often mixed values exist says how often values exist by
    /// chance.
    fn tuples(&self, from: usize, pairs: &[(usize, As)], mixed: bool) -> BTreeSet<Vec<String>> {
        let mut found: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let Some(entity) = self.entities.get(from) else { return BTreeSet::new() };
        let (Some(table), Some(sample), Some(sources)) =
            (self.tables.get(entity.table), self.samples.get(entity.table), self.sources.get(from))
        else {
            return BTreeSet::new();
        };
        let rows: Vec<_> = entity.rows.iter().filter_map(|row| sample.rows.get(*row)).collect();
        let shift = if mixed { rows.len() / 2 } else { 0 };
        let others = rows.iter().skip(shift).chain(rows.iter().take(shift));
        for (row, other) in rows.iter().zip(others) {
            let mut of_row: Vec<Vec<String>> = vec![Vec::new()];
            for (at, (source, how)) in pairs.iter().enumerate() {
                let Some(source) = sources.get(*source) else { continue };
                let row = if at == 0 { row } else { other };
                let values = source.of(entity, table.separator, row);
                of_row = of_row
                    .into_iter()
                    .flat_map(|before| {
                        values.iter().take(20).map(move |value| {
                            let mut tuple = before.clone();
                            tuple.push(how.text(value));
                            tuple
                        })
                    })
                    .collect();
            }
            for tuple in of_row {
                let hash = twox_hash::XxHash3_64::oneshot(tuple.join("\u{1f}").as_bytes());
                found.insert(hash, tuple);
                if found.len() > VALUES_MAX {
                    found.pop_last();
                }
            }
        }
        found.into_values().collect()
    }
}

fn column(entity: usize, pairs: &[(usize, As)]) -> Column {
    Column {
        entity,
        captures: (0..pairs.len()).collect(),
        compared: pairs.iter().map(|(_, how)| of_column(*how)).collect(),
    }
}

/// The likeliest combinations of a source for each capture, without repetition.
pub(super) fn combinations(options: &[Vec<(f64, usize, As, Hits)>]) -> Vec<Vec<(usize, As)>> {
    let mut all: Vec<Vec<(usize, As)>> = vec![Vec::new()];
    for of_capture in options {
        let mut longer = Vec::new();
        for before in &all {
            for (_, source, how, _) in of_capture.iter().take(SOURCES_MAX) {
                if before.iter().all(|(used, _)| used != source) {
                    let mut pairs = before.clone();
                    pairs.push((*source, *how));
                    longer.push(pairs);
                }
            }
        }
        longer.truncate(COMBINATIONS_MAX);
        all = longer;
    }
    all
}

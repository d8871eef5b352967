//! Pairs of entities that have the same captures in swapped positions: mirrors.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, World};
use super::entity::Entity;
use super::field::Origin;
use super::probe::Counts;
use super::side;
use crate::data::{Type, Value};
use crate::integrity::mark::MARK;

/// The share of the items of each side that must be on the other.
const SHARE_MIN: f64 = 0.6;

/// Two entities that contain the same information.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) source: usize,
    pub(super) mirror: usize,
    /// For each capture of the mirror, the capture of the source.
    pub(super) captures: Vec<usize>,
    /// The attributes that both have with the same values, and their types; `None` if these are all.
    pub(super) copied: Option<BTreeMap<String, Type>>,
}

/// Finds mirrors among the candidates.
pub(super) fn pairs(world: &World<'_>, counts: &Counts, candidates: &[Candidate]) -> Vec<Pair> {
    let by_keys = |candidate: &&Candidate| -> Option<Vec<usize>> {
        if candidate.from == candidate.to || candidate.hits.share() < SHARE_MIN {
            return None;
        }
        let sources = world.sources.get(candidate.from)?;
        let captures: Option<Vec<usize>> = candidate
            .sources
            .iter()
            .map(|source| match sources.get(*source)?.origin {
                Origin::Capture(capture) => Some(capture),
                Origin::Path(_) | Origin::Token(..) => None,
            })
            .collect();
        let count = world.entities.get(candidate.from)?.captures.len();
        captures.filter(|captures| captures.len() == count && count >= 2)
    };
    let mut pairs = Vec::new();
    let mut used = BTreeSet::new();
    let mut found: Vec<(&Candidate, Vec<usize>)> =
        candidates.iter().filter_map(|candidate| Some((candidate, by_keys(&candidate)?))).collect();
    found.sort_by(|one, two| two.0.score.total_cmp(&one.0.score));
    for (candidate, captures) in &found {
        let is_inverse = |(other, back): &(&Candidate, Vec<usize>)| {
            other.from == candidate.to
                && other.to == candidate.from
                && back.iter().enumerate().all(|(to, from)| captures.get(*from) == Some(&to))
        };
        let (Some(one), Some(two)) =
            (world.entities.get(candidate.from), world.entities.get(candidate.to))
        else {
            continue;
        };
        if candidate.from > candidate.to
            || used.contains(&candidate.from)
            || used.contains(&candidate.to)
            || !found.iter().any(is_inverse)
            || !is_swapped(one, two, captures)
            || !agree(one, two, captures)
        {
            continue;
        }
        used.extend([candidate.from, candidate.to]);
        pairs.push(pair(world, counts, candidates, candidate, captures));
    }
    pairs
}

/// Whether no literal before a capture says that it is something else than its counterpart.
fn agree(one: &Entity, two: &Entity, of_two: &[usize]) -> bool {
    of_two.iter().zip(&two.captures).all(|(of_one, two)| {
        let Some(one) = one.captures.get(*of_one) else { return false };
        match (&one.label, &two.label) {
            (Some(one_label), Some(two_label)) => {
                super::names::snake(one_label) == super::names::snake(two_label)
                    || one.same_as.iter().any(|name| two.same_as.contains(name))
            }
            _ => true,
        }
    })
}

/// Whether the partition keys have different captures.
fn is_swapped(one: &Entity, two: &Entity, of_two: &[usize]) -> bool {
    let of = |entity: &Entity| -> BTreeSet<usize> {
        let partition = entity.key.first();
        partition.into_iter().flat_map(|it| &it.tokens).filter_map(|it| it.capture).collect()
    };
    let two: BTreeSet<usize> =
        of(two).into_iter().filter_map(|capture| of_two.get(capture).copied()).collect();
    of(one) != two
}

/// Decides which side is the mirror, and what is copied.
fn pair(
    world: &World<'_>,
    counts: &Counts,
    candidates: &[Candidate],
    candidate: &Candidate,
    captures: &[usize],
) -> Pair {
    let (one, two) = (candidate.from, candidate.to);
    let is_one_mirror = side::compare(world, counts, candidates, (one, two)).is_lt();
    let inverse: Vec<usize> = (0..captures.len())
        .map(|of_one| captures.iter().position(|it| *it == of_one).unwrap_or(of_one))
        .collect();
    let (source, mirror, captures) =
        if is_one_mirror { (two, one, inverse) } else { (one, two, captures.to_vec()) };
    let copied = copied(world, source, mirror, &captures);
    Pair { source, mirror, captures, copied }
}

/// The items of an entity in the sample.
pub(super) fn rows<'w>(
    world: &'w World<'_>,
    entity: usize,
) -> impl Iterator<Item = &'w super::sample::Row> {
    let of = world.entities.get(entity);
    let sample = of.and_then(|of| world.samples.get(of.table));
    of.into_iter()
        .flat_map(|of| &of.rows)
        .filter_map(move |row| sample.and_then(|sample| sample.rows.get(*row)))
}

/// The attributes that have the same values in most of the pairs that are in the sample.
fn copied(
    world: &World<'_>,
    source: usize,
    mirror: usize,
    captures: &[usize],
) -> Option<BTreeMap<String, Type>> {
    let (of_source, of_mirror) = (world.entities.get(source)?, world.entities.get(mirror)?);
    let separator = |table: usize| world.tables.get(table).map_or('#', |table| table.separator);
    let names = |table: usize| -> Vec<String> {
        let schema = world.tables.get(table).map(|table| &table.schema);
        schema.into_iter().flat_map(crate::data::KeySchema::names).map(str::to_owned).collect()
    };
    let mut by_key = BTreeMap::new();
    for row in rows(world, source) {
        if let Some(values) = of_source.parse(separator(of_source.table), &row.key) {
            by_key.insert(values, row);
        }
    }
    let mut equal: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in rows(world, mirror) {
        let Some(values) = of_mirror.parse(separator(of_mirror.table), &row.key) else { continue };
        let mut of_row = vec![""; values.len()];
        for (value, capture) in values.iter().zip(captures) {
            if let Some(slot) = of_row.get_mut(*capture) {
                *slot = value;
            }
        }
        let Some(other) = by_key.get(&of_row) else { continue };
        for (name, value) in &row.item {
            let counts = equal.entry(name).or_default();
            counts.0 += usize::from(other.item.get(name) == Some(value));
            counts.1 += 1;
        }
    }
    let keys: BTreeSet<String> =
        names(of_mirror.table).into_iter().chain(names(of_source.table)).collect();
    let is_copied = |(name, (equal, all)): (&str, (usize, usize))| {
        (equal * 10 >= all * 6 && name != MARK && !keys.contains(name)).then(|| name.to_owned())
    };
    let copied: BTreeSet<String> = equal.into_iter().filter_map(is_copied).collect();
    let mut types: BTreeMap<String, Type> = BTreeMap::new();
    for row in rows(world, source) {
        for (name, value) in &row.item {
            if !keys.contains(name.as_ref()) && name != MARK && !matches!(value, Value::Null) {
                let set =
                    world.sets.get(of_source.table).and_then(|it| it.get(&format!("{name}[*]")));
                types.insert(name.to_string(), set.copied().unwrap_or_else(|| value.kind()));
            }
        }
    }
    if types.keys().all(|name| copied.contains(name)) {
        return None;
    }
    types.retain(|name, _| copied.contains(name));
    Some(types)
}

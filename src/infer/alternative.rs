//! References to several entities whose keys alone say which one is meant.

use std::collections::BTreeSet;

use super::candidate::{Candidate, World};
use super::choose::{Chosen, When};
use super::discriminator::existing;
use super::field::{Origin, Source};
use super::mirror::Pair;
use super::probe::{As, Probe};
use super::score::{self, Hits};

/// How likely a value may exist by chance: numbers, dates and words do too often.
const CHANCE_MAX: f64 = 0.01;
/// A reference to one entity remains if this share of its values exists. Otherwise, this share has
/// to exist in all entities together.
const SHARE_MIN: f64 = 0.9;
/// The values that each entity adds at least, and in percent of all.
const ADDED_MIN: usize = 3;
const ADDED_PERCENT_MIN: usize = 10;
/// The percentage of an entity's values that may exist in another one.
const SHARED_PERCENT_MAX: usize = 2;
/// The maximum number of entities.
const ENTITIES_MAX: usize = 4;

/// Replaces a reference to one entity if nearly all of its values exist in several entities
/// together, each in one of them.
pub(super) fn replace(world: &World<'_>, probe: &Probe, chosen: &mut Vec<Chosen>, pairs: &[Pair]) {
    for (from, sources) in world.sources.iter().enumerate() {
        if pairs.iter().any(|pair| pair.mirror == from) {
            continue;
        }
        for (id, source) in sources.iter().enumerate() {
            let is_likely = matches!(source.origin, Origin::Path(_))
                && source.form.chance() <= CHANCE_MAX
                && is_free(chosen, from, id);
            if !is_likely {
                continue;
            }
            let group: Vec<Chosen> = cover(world, probe, source, chosen, pairs)
                .into_iter()
                .map(|(to, how, hits)| Chosen {
                    candidate: Candidate {
                        from,
                        to,
                        sources: vec![id],
                        compared: vec![how],
                        hits,
                        name: 0.0,
                        score: score::total(score::values(hits, CHANCE_MAX, 0.0), 0.0, 0.0),
                    },
                    is_weak: false,
                    when: Some(When::Exists),
                })
                .collect();
            if !group.is_empty() {
                chosen.retain(|it| it.candidate.from != from || it.candidate.sources != [id]);
                chosen.extend(group);
            }
        }
    }
    chosen.sort_by_key(|it| (it.candidate.from, it.candidate.sources.clone(), it.candidate.to));
}

/// Whether no good reference uses a source.
fn is_free(chosen: &[Chosen], from: usize, source: usize) -> bool {
    let uses = |it: &&Chosen| {
        it.candidate.from == from
            && (it.candidate.sources.contains(&source)
                || it.when.as_ref().and_then(When::by) == Some(source))
    };
    chosen.iter().filter(uses).all(|it| {
        it.when.is_none()
            && (it.is_weak || it.candidate.sources.len() == 1)
            && it.candidate.hits.share() < SHARE_MIN
    })
}

/// The entities that have the values of a source together; none if there is no such set.
fn cover(
    world: &World<'_>,
    probe: &Probe,
    source: &Source,
    chosen: &[Chosen],
    pairs: &[Pair],
) -> Vec<(usize, As, Hits)> {
    let values: Vec<&str> = source.values.keys().map(String::as_str).collect();
    let tried = values.len();
    let referring = |to: usize| chosen.iter().filter(|it| it.candidate.to == to).count();
    let mut found: Vec<(usize, As, BTreeSet<&str>)> = (0..world.entities.len())
        .filter(|to| !pairs.iter().any(|pair| pair.mirror == *to))
        .filter_map(|to| {
            let (how, found) = existing(world, probe, source, &values, to)?;
            Some((to, how, found))
        })
        .collect();
    // Of an item and one that only describes it, other items refer to the first.
    let is_root = |to: usize| world.entities.get(to).is_some_and(|it| it.is_root);
    found.sort_by_key(|(to, _, found)| {
        std::cmp::Reverse((found.len(), referring(*to), is_root(*to), usize::MAX - to))
    });
    let mut all: BTreeSet<&str> = BTreeSet::new();
    let mut cover = Vec::new();
    for (to, how, found) in found {
        let shared = found.intersection(&all).count();
        let added = found.len() - shared;
        if added >= ADDED_MIN
            && added * 100 >= tried * ADDED_PERCENT_MIN
            && shared * 100 <= found.len() * SHARED_PERCENT_MAX
            && cover.len() < ENTITIES_MAX
        {
            cover.push((to, how, Hits { tried, found: found.len() }));
            all.extend(found);
        }
    }
    let is_enough = Hits { tried, found: all.len() }.share() >= SHARE_MIN;
    if cover.len() >= 2 && is_enough { cover } else { Vec::new() }
}

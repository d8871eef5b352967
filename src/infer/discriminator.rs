//! References to several entities: an attribute, the discriminator, says which one is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, World, of_column};
use super::choose::{Chosen, When};
use super::field::{Origin, Source};
use super::mirror::{Pair, rows};
use super::names::{stem, words};
use super::probe::{As, Column, Probe};
use super::score::{self, Hits};

/// The maximum number of values of a discriminator.
const VALUES_MAX: usize = 16;
/// The share of the values of a reference that must exist in the entity that is meant.
const SHARE_MIN: f64 = 0.6;
/// The share of them that may exist in the other entities, unless the names belong together.
const OTHER_MAX: f64 = 0.2;
/// A reference to one entity that is named after it, and of which so many exist, remains.
const NAME_OF_ONE: f64 = 4.0;
const SHARE_OF_ONE: f64 = 0.9;

/// Replaces references to one entity by references to several where a discriminator says which one
/// is meant: each of its values is the name of an entity, in which the items' references exist.
pub(super) fn replace(world: &World<'_>, probe: &Probe, chosen: &mut Vec<Chosen>, pairs: &[Pair]) {
    for from in 0..world.entities.len() {
        if pairs.iter().any(|pair| pair.mirror == from) {
            continue;
        }
        let Some(sources) = world.sources.get(from) else { continue };
        for (by, discriminator) in sources.iter().enumerate() {
            let named = named(world, discriminator, pairs);
            if named.is_empty() {
                continue;
            }
            let is_alike =
                |id: usize| sources.get(id).is_some_and(|it| is_named_alike(discriminator, it));
            let groups = (0..sources.len())
                .filter(|id| *id != by && is_free(chosen, from, *id, is_alike(*id)))
                .filter_map(|id| group(world, probe, from, (by, id), &named));
            let hits = |group: &[Chosen]| total(group.iter().map(|it| it.candidate.hits));
            let rank = |group: &[Chosen]| {
                let id = group.first().and_then(|it| it.candidate.sources.first());
                (id.is_some_and(|id| is_alike(*id)), hits(group).share())
            };
            let best = groups.max_by(|one, two| {
                let (one, two) = (rank(one), rank(two));
                one.0.cmp(&two.0).then(one.1.total_cmp(&two.1))
            });
            let Some(group) = best else { continue };
            let of_group: BTreeSet<usize> =
                group.iter().flat_map(|it| &it.candidate.sources).copied().chain([by]).collect();
            chosen.retain(|it| {
                it.candidate.from != from
                    || it.candidate.sources.iter().any(|source| !of_group.contains(source))
            });
            chosen.extend(group);
        }
    }
    chosen.sort_by_key(|it| (it.candidate.from, it.candidate.sources.clone(), it.candidate.to));
}

/// The entities that each value of a discriminator names, or none if it is no discriminator.
fn named(
    world: &World<'_>,
    discriminator: &Source,
    pairs: &[Pair],
) -> BTreeMap<String, Vec<usize>> {
    let is_one = matches!(discriminator.origin, Origin::Path(_)) && !discriminator.is_many();
    if !is_one || discriminator.is_number || !(2..=VALUES_MAX).contains(&discriminator.distinct) {
        return BTreeMap::new();
    }
    let named = |value: &String| -> Option<(String, Vec<usize>)> {
        let entities = world.entities.iter().enumerate().filter(|(id, entity)| {
            let is_mirror = pairs.iter().any(|pair| pair.mirror == *id);
            !is_mirror && entity.captures.len() == 1 && score::is_name_of(value, entity)
        });
        let ids: Vec<usize> = entities.map(|(id, _)| id).collect();
        (!ids.is_empty()).then(|| (value.clone(), ids))
    };
    discriminator.values.keys().map(named).collect::<Option<_>>().unwrap_or_default()
}

/// Whether no reference that is better than one to several entities uses a source. Where the
/// discriminator is named after the source, a reference to one entity is a coincidence.
fn is_free(chosen: &[Chosen], from: usize, source: usize, is_alike: bool) -> bool {
    let uses = |it: &&Chosen| it.candidate.from == from && it.candidate.sources.contains(&source);
    chosen.iter().filter(uses).all(|it| {
        let is_named = it.candidate.name >= NAME_OF_ONE;
        it.when.is_none()
            && (it.is_weak || it.candidate.sources.len() == 1)
            && (is_alike || !is_named || it.candidate.hits.share() < SHARE_OF_ONE)
    })
}

/// A reference for each value of a discriminator, if most of the values of a source exist in the
/// entities that it names, and it is clear that these two belong together.
fn group(
    world: &World<'_>,
    probe: &Probe,
    from: usize,
    (by, id): (usize, usize),
    named: &BTreeMap<String, Vec<usize>>,
) -> Option<Vec<Chosen>> {
    let sources = world.sources.get(from)?;
    let (discriminator, source) = (sources.get(by)?, sources.get(id)?);
    if source.is_many() {
        return None;
    }
    let values = values(world, from, discriminator, source);
    let mut group = Vec::new();
    for (value, entities) in named {
        let own = values.get(value)?;
        let found = entities.iter().filter_map(|to| {
            let (how, hits) = hits(world, probe, source, own, *to)?;
            Some((*to, how, hits))
        });
        let best = found.max_by(|one, two| one.2.share().total_cmp(&two.2.share()))?;
        let (to, how, hits) = best;
        if hits.share() < SHARE_MIN {
            return None;
        }
        let candidate = Candidate {
            from,
            to,
            sources: vec![id],
            compared: vec![how],
            hits,
            name: NAME_OF_ONE,
            score: score::total(score::values(hits, OTHER_MAX, 1.0), NAME_OF_ONE, 0.0),
        };
        let when = Some(When::Is(by, value.clone()));
        group.push(Chosen { candidate, is_weak: false, when });
    }
    let targets: BTreeSet<usize> = group.iter().map(|it| it.candidate.to).collect();
    if targets.len() < 2 {
        return None;
    }
    let in_others = group.iter().flat_map(|one| {
        let own = one.when.as_ref().and_then(|when| values.get(when.value()?));
        let others = targets.iter().filter(|to| **to != one.candidate.to);
        others.filter_map(move |to| Some(hits(world, probe, source, own?, *to)?.1))
    });
    (is_named_alike(discriminator, source) || total(in_others).share() <= OTHER_MAX)
        .then_some(group)
}

fn total(hits: impl Iterator<Item = Hits>) -> Hits {
    hits.fold(Hits::default(), |sum, it| Hits {
        tried: sum.tried + it.tried,
        found: sum.found + it.found,
    })
}

/// The values of a source, for each value of the discriminator of the same item.
fn values(
    world: &World<'_>,
    from: usize,
    discriminator: &Source,
    source: &Source,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Some(entity) = world.entities.get(from) else { return found };
    let Some(table) = world.tables.get(entity.table) else { return found };
    for row in rows(world, from) {
        let kinds = discriminator.of(entity, table.separator, row);
        let Some(kind) = kinds.first() else { continue };
        let of_kind = found.entry(kind.to_string()).or_default();
        // Only these have been looked up.
        let known = source.of(entity, table.separator, row);
        let known = known.into_iter().filter(|it| source.values.contains_key(it.as_ref()));
        of_kind.extend(known.map(std::borrow::Cow::into_owned));
    }
    found
}

/// How many values exist in an entity, compared in the best way.
fn hits(
    world: &World<'_>,
    probe: &Probe,
    source: &Source,
    values: &BTreeSet<String>,
    to: usize,
) -> Option<(As, Hits)> {
    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
    let (how, found) = existing(world, probe, source, &texts, to)?;
    Some((how, Hits { tried: values.len(), found: found.len() }))
}

/// The values of a source that exist in an entity whose key has one capture, compared in the best
/// way.
pub(super) fn existing<'v>(
    world: &World<'_>,
    probe: &Probe,
    source: &Source,
    values: &[&'v str],
    to: usize,
) -> Option<(As, BTreeSet<&'v str>)> {
    let [capture] = world.entities.get(to)?.captures.as_slice() else { return None };
    let ways = World::ways(source, capture).into_iter().map(|how| {
        let column = Column { entity: to, captures: vec![0], compared: vec![of_column(how)] };
        let is_found = |it: &&str| probe.has(&column, std::iter::once(how.text(it).as_str()));
        (how, values.iter().copied().filter(is_found).collect::<BTreeSet<_>>())
    });
    ways.rev().max_by_key(|(_, found)| found.len())
}

/// Whether a discriminator is named after a source, as `parentType` is after `parentId`.
fn is_named_alike(discriminator: &Source, source: &Source) -> bool {
    let (Some(one), Some(two)) = (discriminator.names.first(), source.names.first()) else {
        return false;
    };
    let kind = words(one);
    let Some((_, of)) = kind.split_last() else { return false };
    !of.is_empty() && *of == stem(&words(two))
}

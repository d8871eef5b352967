//! Chooses references among candidates: one target for each source, nothing that follows from other
//! references, and no pair of items that refer to each other by their keys.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, World};
use super::entity::Entity;
use super::field::{Origin, Source};
use super::mirror::Pair;
use super::probe::Counts;
use super::score;

/// The score from which on a candidate is worth a comment.
const WEAK: f64 = -2.5;
/// How much a name speaks against a candidate if it clearly names another entity.
const NAMES_ANOTHER: f64 = -5.0;

/// How much speaks against a candidate if its values refer to what the referenced item describes.
const INDIRECT: f64 = -1.5;

/// How much speaks for a candidate if a part of the sort key identifies something that several items have.
const IDENTIFIES: f64 = 1.5;
/// How many different values such a part must have.
const IDENTIFIED_MIN: usize = 10;
/// How much speaks for a candidate if both items are in one partition, and the referenced one
/// describes it as a whole.
const COLLECTION: f64 = 1.5;
/// How much more if it is named after it, as `film_category` after `film`.
const NAMED_AFTER: f64 = 0.5;

/// A candidate, and whether it is good enough.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) candidate: Candidate,
    pub(super) is_weak: bool,
    /// When it is meant, if the items may refer to several entities. Each of them has its own
    /// candidate.
    pub(super) when: Option<When>,
}

/// When one of several entities is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    /// If the discriminator, a source, has this value.
    Is(usize, String),
    /// If it has the item: one of several is enough.
    Exists,
}

impl When {
    pub(super) const fn by(&self) -> Option<usize> {
        match self {
            Self::Is(by, _) => Some(*by),
            Self::Exists => None,
        }
    }

    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Is(_, value) => Some(value),
            Self::Exists => None,
        }
    }
}

/// Chooses the references.
pub(super) fn choose(
    world: &World<'_>,
    counts: &Counts,
    mut candidates: Vec<Candidate>,
    pairs: &[Pair],
) -> Vec<Chosen> {
    let is_mirror = |entity: usize| pairs.iter().any(|pair| pair.mirror == entity);
    candidates.retain(|it| !is_mirror(it.from) && !is_mirror(it.to));
    let roots: Vec<bool> = (0..world.entities.len())
        .map(|entity| {
            world.entities.get(entity).is_some_and(|it| it.is_root)
                || is_referenced(world, entity, &candidates)
        })
        .collect();
    let parents = parents(world, &candidates);
    for candidate in &mut candidates {
        let is_root = roots.get(candidate.to).copied().unwrap_or(false);
        candidate.score += penalty(world, counts, candidate, is_root, &parents);
    }
    let describing: Vec<bool> =
        candidates.iter().map(|it| is_indirect(world, it, &candidates)).collect();
    for (candidate, _) in candidates.iter_mut().zip(describing).filter(|(_, is_it)| *is_it) {
        candidate.score += INDIRECT;
    }
    let items = |entity: usize| counts.entities.get(entity).copied().unwrap_or(0);
    candidates.sort_by(|one, two| {
        two.score
            .total_cmp(&one.score)
            .then(items(two.to).cmp(&items(one.to)))
            .then((one.from, one.to, &one.sources).cmp(&(two.from, two.to, &two.sources)))
    });
    let mut chosen: Vec<Chosen> = Vec::new();
    for candidate in candidates {
        let is_weak = candidate.score < 0.0;
        if candidate.score < WEAK || (is_weak && candidate.hits.share() < 0.8) {
            continue;
        }
        if chosen.iter().any(|known| excludes(world, &known.candidate, &candidate)) {
            continue;
        }
        chosen.push(Chosen { candidate, is_weak, when: None });
    }
    let implied: Vec<bool> = chosen.iter().map(|it| is_implied(world, it, &chosen)).collect();
    let mut implied = implied.into_iter();
    chosen.retain(|_| !implied.next().unwrap_or(false));
    chosen.sort_by_key(|it| (it.candidate.from, it.candidate.sources.clone(), it.candidate.to));
    chosen
}

/// What speaks against a candidate besides its values and its name.
fn penalty(
    world: &World<'_>,
    counts: &Counts,
    candidate: &Candidate,
    is_root: bool,
    parents: &Parents,
) -> f64 {
    let (Some(from), Some(to)) =
        (world.entities.get(candidate.from), world.entities.get(candidate.to))
    else {
        return 0.0;
    };
    let mut penalty = 0.0;
    let sources = world.sources.get(candidate.from);
    let mut are_captures = true;
    let mut captures = BTreeSet::new();
    let mut name = f64::INFINITY;
    for (at, source) in candidate.sources.iter().enumerate() {
        let Some(source) = sources.and_then(|sources| sources.get(*source)) else { continue };
        match source.origin {
            Origin::Capture(of_from) => {
                captures.insert(of_from);
            }
            Origin::Path(_) | Origin::Token(..) => are_captures = false,
        }
        let Some(capture) = to.captures.get(at) else { continue };
        let own = score::name(source, from, to, capture, candidate.from == candidate.to);
        let of_parents = parents.get(&(candidate.to, at)).into_iter().flatten();
        let of_parent = of_parents
            .filter_map(|parent| world.entities.get(*parent))
            .map(|it| score::name(source, from, it, it.captures.first().unwrap_or(capture), false))
            .fold(f64::NEG_INFINITY, f64::max);
        let own = own.max(of_parent);
        name = name.min(own);
        if candidate.sources.len() == 1 && identifies_another(source, from, sources) {
            penalty += IDENTIFIES;
        }
        let best = best_name(world, candidate.from, source);
        if best >= 5.0 && own + 2.0 < best {
            penalty += NAMES_ANOTHER;
        }
    }
    if is_in_collection(world, candidate) {
        penalty += COLLECTION;
        if from.name.starts_with(&to.name) {
            penalty += NAMED_AFTER;
        }
    }
    if name.is_finite() {
        penalty += (name - candidate.name).max(0.0);
    }
    let is_own_key = are_captures && captures.len() == from.captures.len();
    if is_own_key && candidate.from != candidate.to {
        // A whole key that is another's whole key: one item describes the other.
        if candidate.name < 4.0 {
            penalty -= 4.0;
        }
        let is_sibling = from.captures.len() == to.captures.len() && from.table == to.table;
        let items = |entity: usize| counts.entities.get(entity).copied().unwrap_or(0);
        if is_sibling && !(to.is_root || (is_root && items(candidate.from) < items(candidate.to))) {
            penalty -= 3.0;
        }
        if items(candidate.from) > items(candidate.to) {
            penalty -= 0.7;
        }
        if from.is_root && !to.is_root {
            penalty -= 1.0;
        }
    }
    penalty
}

/// Whether the referenced item only describes another one by its key, as settings describe a user,
/// to which the same values refer as well.
fn is_indirect(world: &World<'_>, one: &Candidate, all: &[Candidate]) -> bool {
    let of_same = all.iter().filter(|it| {
        it.from == one.from
            && it.sources == one.sources
            && it.to != one.to
            && it.hits.found >= one.hits.found
    });
    of_same.into_iter().any(|direct| {
        direct.from != direct.to
            && all.iter().any(|it| {
                it.from == one.to && it.to == direct.to && it.score > 0.0 && is_key_only(world, it)
            })
    })
}

/// Whether the items of one entity are in the partition of the item that they refer to.
fn is_in_collection(world: &World<'_>, candidate: &Candidate) -> bool {
    let (Some(from), Some(to)) =
        (world.entities.get(candidate.from), world.entities.get(candidate.to))
    else {
        return false;
    };
    from.table == to.table
        && to.is_root
        && from.captures.len() > to.captures.len()
        && from.key.first() == to.key.first()
        && candidate.sources.iter().enumerate().all(|(at, source)| {
            let source = world.sources.get(candidate.from).and_then(|it| it.get(*source));
            source.is_some_and(|source| source.origin == Origin::Capture(at))
        })
}

/// The entities to which a part of a key refers by itself, as the key of a room does to its hotel. A
/// reference to the room may be named after the hotel.
type Parents = BTreeMap<(usize, usize), Vec<usize>>;

fn parents(world: &World<'_>, candidates: &[Candidate]) -> Parents {
    let mut parents = Parents::new();
    for candidate in candidates.iter().filter(|it| it.score > 0.0) {
        let source = world.sources.get(candidate.from).zip(candidate.sources.first());
        let source = source.and_then(|(of, source)| of.get(*source));
        let (1, Some(Origin::Capture(capture))) =
            (candidate.sources.len(), source.map(|source| &source.origin))
        else {
            continue;
        };
        if world.entities.get(candidate.from).is_some_and(|it| it.captures.len() > 1) {
            parents.entry((candidate.from, *capture)).or_default().push(candidate.to);
        }
    }
    parents
}

/// Whether attributes of other items refer to an entity.
fn is_referenced(world: &World<'_>, entity: usize, candidates: &[Candidate]) -> bool {
    candidates
        .iter()
        .any(|it| it.to == entity && it.from != entity && it.score > 0.0 && !is_key_only(world, it))
}

/// Whether a part of a sort key is the same in several items without being counted up in each partition,
/// as line numbers are.
fn identifies_another(source: &Source, of: &Entity, all: Option<&Vec<Source>>) -> bool {
    let Origin::Capture(capture) = source.origin else { return false };
    let partition = of.key.first().map_or(&[][..], |template| &template.tokens);
    let in_partition = |it: usize| partition.iter().any(|token| token.capture == Some(it));
    if in_partition(capture) {
        return false;
    }
    let of_partition = all.into_iter().flatten().filter_map(|it| match it.origin {
        Origin::Capture(capture) if in_partition(capture) => Some(it.distinct),
        Origin::Capture(_) | Origin::Path(_) | Origin::Token(..) => None,
    });
    let partitions = of_partition.max().unwrap_or(0);
    let numbers: BTreeMap<i64, usize> = source
        .values
        .iter()
        .filter_map(|(value, count)| Some((value.parse().ok()?, *count)))
        .collect();
    let first = numbers.values().next().copied().unwrap_or(0);
    let is_counted_up = numbers.len() == source.values.len() && first * 2 >= partitions;
    source.distinct >= IDENTIFIED_MIN && source.distinct * 3 <= source.present * 2 && !is_counted_up
}

/// How well a source names the entity that it names best. A capture does not name its own entity.
fn best_name(world: &World<'_>, from: usize, source: &Source) -> f64 {
    let Some(referencing) = world.entities.get(from) else { return 0.0 };
    let of_key = matches!(source.origin, Origin::Capture(_));
    let others = world.entities.iter().enumerate().filter(|(id, _)| !of_key || *id != from);
    others
        .flat_map(|(id, entity)| entity.captures.iter().map(move |it| (id, entity, it)))
        .map(|(id, entity, capture)| score::name(source, referencing, entity, capture, id == from))
        .fold(0.0, f64::max)
}

/// Whether one reference leaves no room for another.
fn excludes(world: &World<'_>, known: &Candidate, other: &Candidate) -> bool {
    if known.from == other.from {
        let one: BTreeSet<usize> = known.sources.iter().copied().collect();
        let two: BTreeSet<usize> = other.sources.iter().copied().collect();
        if one == two {
            return true;
        }
        let sources = world.sources.get(known.from);
        // An attribute belongs to one reference; a capture of the key may be part of several.
        let shares_attribute = one.intersection(&two).any(|source| {
            let source = sources.and_then(|sources| sources.get(*source));
            source.is_some_and(|source| !matches!(source.origin, Origin::Capture(_)))
        });
        let is_nested = one.is_subset(&two) || two.is_subset(&one);
        return shares_attribute && !is_nested || (known.to == other.to && is_nested);
    }
    // Two items that refer to each other by the same keys.
    known.from == other.to
        && known.to == other.from
        && is_key_only(world, known)
        && is_key_only(world, other)
}

fn is_key_only(world: &World<'_>, candidate: &Candidate) -> bool {
    let sources = world.sources.get(candidate.from);
    candidate.sources.iter().all(|source| {
        let source = sources.and_then(|sources| sources.get(*source));
        source.is_some_and(|source| matches!(source.origin, Origin::Capture(_)))
    })
}

/// Whether a reference follows from another one whose target has the same reference: an order line
/// that refers to its order need not refer to the order's customer.
fn is_implied(world: &World<'_>, one: &Chosen, all: &[Chosen]) -> bool {
    all.iter().any(|other| {
        let (one, via) = (&one.candidate, &other.candidate);
        if via.from != one.from || via.sources.len() <= one.sources.len() {
            return false;
        }
        all.iter().any(|next| {
            let next = &next.candidate;
            next.from == via.to
                && next.to == one.to
                && next.from != next.to
                && next.sources.iter().zip(&one.sources).all(|(of_next, of_one)| {
                    let origin = world
                        .sources
                        .get(next.from)
                        .and_then(|sources| sources.get(*of_next))
                        .map(|source| &source.origin);
                    let Some(Origin::Capture(capture)) = origin else { return false };
                    via.sources.get(*capture) == Some(of_one)
                })
        })
    })
}

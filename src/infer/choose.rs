//! Chooses references among candidates: one target for each source, nothing that follows from other
//! references, and no pair of items that refer to each other by their keys.

use std::collections::BTreeSet;

use super::candidate::{Candidate, World};
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

/// A candidate, and whether it is good enough.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) candidate: Candidate,
    pub(super) is_weak: bool,
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
    for candidate in &mut candidates {
        candidate.score += penalty(world, counts, candidate);
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
        chosen.push(Chosen { candidate, is_weak });
    }
    let implied: Vec<bool> = chosen.iter().map(|it| is_implied(world, it, &chosen)).collect();
    let mut implied = implied.into_iter();
    chosen.retain(|_| !implied.next().unwrap_or(false));
    chosen.sort_by_key(|it| (it.candidate.from, it.candidate.sources.clone(), it.candidate.to));
    chosen
}

/// What speaks against a candidate besides its values and its name.
fn penalty(world: &World<'_>, counts: &Counts, candidate: &Candidate) -> f64 {
    let (Some(from), Some(to)) =
        (world.entities.get(candidate.from), world.entities.get(candidate.to))
    else {
        return 0.0;
    };
    let mut penalty = 0.0;
    let sources = world.sources.get(candidate.from);
    let mut are_captures = true;
    let mut captures = BTreeSet::new();
    for (capture, source) in candidate.sources.iter().enumerate() {
        let Some(source) = sources.and_then(|sources| sources.get(*source)) else { continue };
        match source.origin {
            Origin::Capture(of_from) => {
                captures.insert(of_from);
            }
            Origin::Path(_) | Origin::Token(..) => are_captures = false,
        }
        let Some(capture) = to.captures.get(capture) else { continue };
        let own = score::name(source, from, to, capture, candidate.from == candidate.to);
        let best = best_name(world, candidate.from, source);
        if best >= 5.0 && own + 2.0 < best {
            penalty += NAMES_ANOTHER;
        }
    }
    let is_own_key = are_captures && captures.len() == from.captures.len();
    if is_own_key && candidate.from != candidate.to {
        // A whole key that is another's whole key: one item describes the other.
        if candidate.name < 4.0 {
            penalty -= 4.0;
        }
        let is_sibling = from.captures.len() == to.captures.len() && from.table == to.table;
        if is_sibling && !to.is_root {
            penalty -= 3.0;
        }
        let items = |entity: usize| counts.entities.get(entity).copied().unwrap_or(0);
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

//! Which of two entities with the same information is the source, and which is its mirror.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, World};
use super::entity::{Entity, Template};
use super::mirror::rows;
use super::names::{snake, words};
use super::probe::Counts;
use super::score::Hits;
use crate::integrity::mark::MARK;

/// Words in the name of an entity that say that it is a mirror.
const MIRROR_WORDS: [&str; 11] = [
    "mirror",
    "copy",
    "inverse",
    "inverted",
    "reverse",
    "reversed",
    "lookup",
    "index",
    "backlink",
    "backref",
    "adjacency",
];
/// How well a name says that something is a reference.
const NAMED_MIN: f64 = 3.0;
/// How many characters of a label a name must have at least: `supp` stands for `supplier`.
const ABBREVIATION_MIN: usize = 3;

/// Compares two sides of a mirror: the greater one is the source.
///
/// From the surest evidence to the least sure: the mark that Referee writes into mirrors, names,
/// items that are parts of those of one side, the number of attributes, and what refers to the
/// items. The number of items says little: sources were deleted, or mirrors are missing.
pub(super) fn compare(
    world: &World<'_>,
    counts: &Counts,
    candidates: &[Candidate],
    (one, two): (usize, usize),
) -> Ordering {
    let both = |each: &dyn Fn(usize) -> usize| each(one).cmp(&each(two));
    let entity = |id: usize| world.entities.get(id);
    let is_unmarked = |id: usize| !rows(world, id).any(|row| row.item.contains_key(MARK));
    let is_unnamed = |id: usize| entity(id).is_none_or(|it| !is_mirror_name(&it.name));
    let has_parts = |id: usize| entity(id).is_some_and(|it| has_parts(it, world.entities));
    let attributes = |id: usize| -> usize {
        let all = rows(world, id).flat_map(|row| row.item.keys());
        all.collect::<BTreeSet<_>>().len()
    };
    let items = |id: usize| counts.entities.get(id).copied().unwrap_or(0);
    let is_in_order = |id: usize| entity(id).is_some_and(is_in_order);
    both(&|id| usize::from(is_unmarked(id)))
        .then_with(|| both(&|id| usize::from(is_unnamed(id))))
        .then_with(|| both(&|id| usize::from(has_parts(id))))
        .then_with(|| both(&attributes))
        .then_with(|| by_references(candidates, one, two))
        .then_with(|| items(one).cmp(&items(two)))
        .then_with(|| both(&|id| usize::from(is_in_order(id))))
}

fn is_mirror_name(name: &str) -> bool {
    words(name).iter().any(|word| MIRROR_WORDS.contains(&word.as_str()))
}

/// Whether the keys of another entity begin with those of this one, as the parts of an item do.
fn has_parts(entity: &Entity, all: &[Entity]) -> bool {
    let ([partition, sort], false) = (entity.key.as_slice(), entity.is_root) else { return false };
    let texts = |template: &Template| -> Vec<(String, bool)> {
        let token = |it: &super::entity::Token| (it.literal.clone(), it.capture.is_some());
        template.tokens.iter().map(token).collect()
    };
    let (partition, sort) = (texts(partition), texts(sort));
    all.iter().filter(|other| other.table == entity.table).any(|other| {
        let [of_partition, of_sort] = other.key.as_slice() else { return false };
        let of_sort = texts(of_sort);
        texts(of_partition) == partition && of_sort.len() > sort.len() && of_sort.starts_with(&sort)
    })
}

/// Compares how many references to each side are broken: the share should be that of the other
/// references. Where items are deleted while others refer to them, this happens to sources, too,
/// and their mirrors are left. Where no other reference is broken, mirrors are missing.
fn by_references(candidates: &[Candidate], one: usize, two: usize) -> Ordering {
    let is_side = |id: usize| id == one || id == two;
    let others = || candidates.iter().filter(|it| !is_side(it.from) && it.score > 0.0);
    let sources =
        |candidate: &Candidate| -> BTreeSet<usize> { candidate.sources.iter().copied().collect() };
    let mut best: BTreeMap<(usize, BTreeSet<usize>), &Candidate> = BTreeMap::new();
    for it in others().filter(|it| !is_side(it.to) && it.name >= NAMED_MIN) {
        let known = best.entry((it.from, sources(it))).or_insert(it);
        if known.score < it.score {
            *known = it;
        }
    }
    let all = best.values().fold(Hits::default(), |sum, it| Hits {
        tried: sum.tried + it.hits.tried,
        found: sum.found + it.hits.found,
    });
    let usual = if all.tried == 0 { 1.0 } else { all.share() };
    let same = others().filter(|it| it.to == one).filter_map(|to_one| {
        let is_same = |it: &&Candidate| {
            it.to == two && it.from == to_one.from && sources(it) == sources(to_one)
        };
        let to_two = others().find(is_same)?;
        Some((to_one.score.max(to_two.score), to_one.hits, to_two.hits))
    });
    let Some((_, of_one, of_two)) = same.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Ordering::Equal;
    };
    let distance = |hits: Hits| (hits.share() - usual).abs();
    distance(of_two).total_cmp(&distance(of_one))
}

/// Whether an entity is named after its partition key and then its sort key, as `playlist_track` is
/// if its items are in the partitions of playlists.
fn is_in_order(entity: &Entity) -> bool {
    let label = |template: Option<&Template>| {
        let mut labels = template?.tokens.iter().map(|it| snake(&it.literal));
        labels.rfind(|it| it.contains(char::is_alphabetic))
    };
    let name: String = entity.name.split('_').collect();
    let at = |label: Option<String>| -> Option<usize> {
        let label = label?.replace('_', "");
        let mut lengths = (ABBREVIATION_MIN..=label.len()).rev();
        lengths.find_map(|length| name.find(label.get(..length)?))
    };
    match (at(label(entity.key.first())), at(label(entity.key.get(1)))) {
        (Some(partition), Some(sort)) => partition < sort,
        _ => false,
    }
}

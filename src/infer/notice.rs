//! What else the items show, for which a rule file has no rules: copies of attributes, counts of
//! referencing items, and items that keep values unique.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, World};
use super::choose::Chosen;
use super::design::{Notice, NoticeKind};
use super::field::Origin;
use super::mirror::Pair;
use super::path::{path_text, text};
use super::probe::{As, bare};
use super::sample::Row;
use crate::data::{Item, Value};
use crate::integrity::mark::MARK;

/// The maximum number of notices of each kind.
const NOTICES_MAX: usize = 40;
/// The minimum number of pairs of items, or of items, in which values must be equal.
const PAIRS_MIN: usize = 5;
/// How many different values must be equal, and different counts.
const DISTINCT_MIN: usize = 3;
/// The maximum number of attributes of an item that only keeps a value unique.
const UNIQUE_ATTRIBUTES_MAX: usize = 3;

/// Two references between two entities of which each item has one of the other, if one of the
/// entities only keeps an attribute of the other one unique: the position of the reference to it.
pub(super) fn uniques(world: &World<'_>, chosen: &[Chosen]) -> Vec<usize> {
    let is_active = |it: &Chosen| !it.is_weak && it.when.is_none();
    let active = || chosen.iter().enumerate().filter(|(_, it)| is_active(it));
    let is_unique = |to: &Candidate, back: &Candidate| {
        to.from == back.to
            && to.to == back.from
            && to.from != to.to
            && is_one_to_one(world, to)
            && is_one_to_one(world, back)
            && attributes(world, to.to).len() <= UNIQUE_ATTRIBUTES_MAX
            && attributes(world, to.to).len() < attributes(world, to.from).len()
    };
    active()
        .filter(|(_, to)| active().any(|(_, back)| is_unique(&to.candidate, &back.candidate)))
        .map(|(at, _)| at)
        .collect()
}

/// Everything that is noticed besides the rules. `uniques` are references to unique values.
pub(super) fn notices(
    world: &World<'_>,
    chosen: &[Chosen],
    uniques: &[Chosen],
    pairs: &[Pair],
    is_sample: bool,
) -> Vec<Notice> {
    let mut notices: Vec<Notice> =
        uniques.iter().filter_map(|it| unique(world, &it.candidate)).collect();
    let is_mirror = |entity: usize| pairs.iter().any(|pair| pair.mirror == entity);
    let (mut copies, mut counts) = (Vec::new(), Vec::new());
    // Values that may refer to several entities say nothing about one of them.
    let is_plain = |it: &&Chosen| !it.is_weak && it.when.is_none();
    for chosen in chosen.iter().filter(is_plain).filter(|it| !is_mirror(it.candidate.from)) {
        let joined = joined(world, &chosen.candidate);
        copies.extend(copied(world, &chosen.candidate, &joined));
        if !is_sample && is_whole(world, &chosen.candidate) {
            counts.extend(counted(world, &chosen.candidate, &joined));
        }
    }
    copies.truncate(NOTICES_MAX);
    counts.truncate(NOTICES_MAX);
    notices.extend(copies);
    notices.extend(counts);
    notices
}

/// Whether each item refers to one item of its own.
fn is_one_to_one(world: &World<'_>, candidate: &Candidate) -> bool {
    let [source] = candidate.sources.as_slice() else { return false };
    let source = world.sources.get(candidate.from).and_then(|of| of.get(*source));
    source.is_some_and(|it| it.distinct == it.present && it.present >= DISTINCT_MIN)
}

/// The names of an entity's attributes besides its key.
fn attributes(world: &World<'_>, entity: usize) -> BTreeSet<String> {
    let Some(of) = world.entities.get(entity) else { return BTreeSet::new() };
    let keys: BTreeSet<&str> =
        world.tables.get(of.table).into_iter().flat_map(|table| table.schema.names()).collect();
    let names = super::mirror::rows(world, entity).take(200).flat_map(|row| row.item.keys());
    names
        .filter(|name| !keys.contains(name.as_ref()) && *name != MARK)
        .map(ToString::to_string)
        .collect()
}

fn unique(world: &World<'_>, candidate: &Candidate) -> Option<Notice> {
    let (from, to) = (world.entities.get(candidate.from)?, world.entities.get(candidate.to)?);
    let source = world.sources.get(candidate.from)?.get(*candidate.sources.first()?)?;
    let attribute = match &source.origin {
        Origin::Path(path) | Origin::Token(path, ..) => path_text(path),
        Origin::Capture(capture) => from.captures.get(*capture)?.name.clone(),
    };
    Some(Notice {
        kind: NoticeKind::Unique,
        entity: from.name.clone(),
        attribute,
        of: to.name.clone(),
        of_attribute: None,
        checked: candidate.hits.tried,
        equal: candidate.hits.found,
    })
}

/// The pairs of a referencing item and the item that it refers to, as far as both are in the sample.
fn joined<'w>(world: &'w World<'_>, candidate: &Candidate) -> Vec<(&'w Row, &'w Row)> {
    let (Some(from), Some(to), Some(sources)) = (
        world.entities.get(candidate.from),
        world.entities.get(candidate.to),
        world.sources.get(candidate.from),
    ) else {
        return Vec::new();
    };
    let separator = |table: usize| world.tables.get(table).map_or('#', |table| table.separator);
    let mut targets: BTreeMap<Vec<String>, &Row> = BTreeMap::new();
    for row in super::mirror::rows(world, candidate.to) {
        let Some(values) = to.parse(separator(to.table), &row.key) else { continue };
        let texts = values.iter().zip(&candidate.compared);
        let key = texts.map(|(text, how)| if *how == As::Bare { bare(text) } else { text });
        targets.insert(key.map(str::to_owned).collect(), row);
    }
    let mut joined = Vec::new();
    for row in super::mirror::rows(world, candidate.from) {
        let key: Option<Vec<String>> = candidate
            .sources
            .iter()
            .zip(&candidate.compared)
            .map(|(source, how)| {
                let values = sources.get(*source)?.of(from, separator(from.table), row);
                let [only] = values.as_slice() else { return None };
                Some(how.text(only))
            })
            .collect();
        joined.extend(key.and_then(|key| targets.get(&key)).map(|target| (row, *target)));
    }
    joined
}

/// The texts and numbers of an item that may be copied, without those that its key has.
fn plain<'w>(
    world: &'w World<'_>,
    entity: usize,
    item: &'w Item<'static>,
) -> Vec<(&'w str, &'w str)> {
    let Some(of) = world.entities.get(entity) else { return Vec::new() };
    let is_key = |name: &str| {
        let table = world.tables.get(of.table);
        table.is_some_and(|table| table.schema.names().any(|key| key == name))
            || of.captures.iter().any(|capture| capture.same_as.iter().any(|same| same == name))
    };
    let value = |(name, value): (&'w std::borrow::Cow<'static, str>, &'w Value<'static>)| {
        let text = text(value)?;
        (!is_key(name) && !text.is_empty()).then_some((name.as_ref(), text))
    };
    item.iter().filter_map(value).collect()
}

/// What two attributes have in common.
#[derive(Debug, Default)]
struct Comparison<'w> {
    pairs: usize,
    equal: usize,
    values: BTreeSet<&'w str>,
}

/// Attributes of referencing items that have the values of attributes of what they refer to.
fn copied(world: &World<'_>, candidate: &Candidate, joined: &[(&Row, &Row)]) -> Vec<Notice> {
    let sources = world.sources.get(candidate.from);
    let is_source = |name: &str| {
        candidate.sources.iter().any(|source| {
            let source = sources.and_then(|of| of.get(*source));
            source.is_some_and(|source| source.names.iter().any(|it| it == name))
        })
    };
    let mut equal: BTreeMap<(&str, &str), Comparison<'_>> = BTreeMap::new();
    for (one, other) in joined {
        let of_other = plain(world, candidate.to, &other.item);
        for (name, text) in plain(world, candidate.from, &one.item) {
            for (of_name, of_text) in &of_other {
                let equal = equal.entry((name, of_name)).or_default();
                equal.pairs += 1;
                if text == *of_text {
                    equal.equal += 1;
                    equal.values.insert(text);
                }
            }
        }
    }
    let notice = |((name, of_name), found): ((&str, &str), Comparison<'_>)| {
        let is_copy = found.pairs >= PAIRS_MIN
            && found.equal * 10 >= found.pairs * 9
            && found.values.len() >= DISTINCT_MIN
            && !is_source(name);
        let (from, to) = (world.entities.get(candidate.from)?, world.entities.get(candidate.to)?);
        is_copy.then(|| Notice {
            kind: NoticeKind::Copy,
            entity: from.name.clone(),
            attribute: name.to_owned(),
            of: to.name.clone(),
            of_attribute: Some(of_name.to_owned()),
            checked: found.pairs,
            equal: found.equal,
        })
    };
    equal.into_iter().filter_map(notice).collect()
}

/// Whether all referencing items are in the sample, so that they can be counted.
fn is_whole(world: &World<'_>, candidate: &Candidate) -> bool {
    let table = world.entities.get(candidate.from).and_then(|it| world.samples.get(it.table));
    table.is_some_and(|sample| sample.rows.len() as u64 + sample.keyless == sample.items)
}

/// Attributes that have the number of referencing items.
fn counted(world: &World<'_>, candidate: &Candidate, joined: &[(&Row, &Row)]) -> Vec<Notice> {
    let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
    for (_, target) in joined {
        *counts.entry(&target.key).or_default() += 1;
    }
    let mut equal: BTreeMap<&str, (usize, usize, BTreeSet<usize>)> = BTreeMap::new();
    for row in super::mirror::rows(world, candidate.to) {
        let count = counts.get(row.key.as_slice()).copied().unwrap_or(0);
        for (name, text) in plain(world, candidate.to, &row.item) {
            let of_name = equal.entry(name).or_default();
            of_name.0 += 1;
            if text.parse() == Ok(count) {
                of_name.1 += 1;
                of_name.2.insert(count);
            }
        }
    }
    let notice = |(name, (all, equal, values)): (&str, (usize, usize, BTreeSet<usize>))| {
        let is_count = all >= PAIRS_MIN && equal * 10 >= all * 9 && values.len() >= DISTINCT_MIN;
        let (from, to) = (world.entities.get(candidate.from)?, world.entities.get(candidate.to)?);
        is_count.then(|| Notice {
            kind: NoticeKind::Count,
            entity: to.name.clone(),
            attribute: name.to_owned(),
            of: from.name.clone(),
            of_attribute: None,
            checked: all,
            equal,
        })
    };
    equal.into_iter().filter_map(notice).collect()
}

//! What may refer to something: captures, attributes, elements of lists, and tokens inside texts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::capture::form_of;
use super::entity::Entity;
use super::form::{Form, is_label};
use super::names::{is_key_like, words};
use super::path::{Sets, Step, path_text, text, visit};
use super::sample::Row;
use crate::data::{KeySchema, Type, Value};
use crate::integrity::mark::MARK;

/// The maximum number of paths of an entity.
const PATHS_MAX: usize = 150;
/// The maximum number of items that are looked at for paths and patterns.
const ROWS_MAX: usize = 1_000;
/// The maximum number of values of one source that are looked up.
pub(super) const VALUES_MAX: usize = 300;
/// The maximum length of a value that may be a part of a key.
const VALUE_BYTES_MAX: usize = 300;
/// How many levels of maps and lists are looked into.
const DEPTH_MAX: usize = 4;

/// One token of an attribute's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Literal(String),
    Value,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A capture of the entity's key.
    Capture(usize),
    /// The value at a path.
    Path(Vec<Step>),
    /// A token of the text at a path, whose tokens are these.
    Token(Vec<Step>, Vec<Part>, usize),
}

/// Something whose value may be a part of a reference.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) origin: Origin,
    /// The type that the rule file declares for the path.
    pub(super) declared: Option<Type>,
    /// Whether the values are numbers.
    pub(super) is_number: bool,
    /// Its names, the most telling first: of the attribute, or the literal before it.
    pub(super) names: Vec<String>,
    pub(super) form: Form,
    /// Some of its values, and how many items of the sample have each.
    pub(super) values: BTreeMap<String, usize>,
    /// The number of different values in the sample.
    pub(super) distinct: usize,
    /// The number of items of the sample with a value.
    pub(super) present: usize,
    /// Whether an empty text is among the values.
    pub(super) has_empty: bool,
}

impl Source {
    /// Whether one item has several values.
    pub(super) fn is_many(&self) -> bool {
        match &self.origin {
            Origin::Capture(_) => false,
            Origin::Path(path) | Origin::Token(path, ..) => path.contains(&Step::Each),
        }
    }

    /// The values of an item.
    pub(super) fn of<'r>(
        &self,
        entity: &Entity,
        separator: char,
        row: &'r Row,
    ) -> Vec<Cow<'r, str>> {
        let mut found = Vec::new();
        match &self.origin {
            Origin::Capture(capture) => {
                let values = entity.parse(separator, &row.key);
                found.extend(
                    values.and_then(|values| values.get(*capture).copied()).map(Cow::Borrowed),
                );
            }
            Origin::Path(path) => visit(&row.item, path, &mut |value| {
                found.extend(text(value).map(Cow::Borrowed));
            }),
            Origin::Token(path, parts, token) => visit(&row.item, path, &mut |value| {
                if let Some(text) = text(value)
                    && fits(parts, separator, text)
                {
                    found.extend(text.split(separator).nth(*token).map(Cow::Borrowed));
                }
            }),
        }
        found.retain(|value| !value.is_empty() && value.len() <= VALUE_BYTES_MAX);
        found
    }
}

/// What was seen at a path.
#[derive(Debug, Default)]
struct Seen {
    texts: usize,
    numbers: usize,
    others: usize,
    declared: Option<Type>,
}

/// Everything in the items of an entity that may refer to something.
pub(super) fn sources(
    entity: &Entity,
    rows: &[Row],
    sets: &Sets,
    separator: char,
    schema: &KeySchema,
) -> Vec<Source> {
    let step = entity.rows.len().div_ceil(ROWS_MAX).max(1);
    let few: Vec<&Row> =
        entity.rows.iter().step_by(step).filter_map(|row| rows.get(*row)).collect();
    let mut paths: BTreeMap<Vec<Step>, Seen> = BTreeMap::new();
    for row in &few {
        for (name, value) in &row.item {
            let is_key = schema.names().any(|key| key == name);
            if !is_key && name != MARK && is_expressible(name) {
                let mut path = vec![Step::Name(name.to_string())];
                collect(value, &mut path, &mut paths);
            }
        }
    }
    let mut found: Vec<Source> = (0..entity.captures.len())
        .filter_map(|capture| {
            let of = entity.captures.get(capture)?;
            let is_number = of.kind == crate::data::KeyKind::N;
            let mut names: Vec<String> = of.label.iter().cloned().collect();
            names.extend(of.same_as.iter().cloned());
            Some((Origin::Capture(capture), None, is_number, names))
        })
        .map(|(origin, declared, is_number, names)| blank(origin, declared, is_number, names))
        .collect();
    for (path, seen) in paths {
        if seen.others > 0 || (seen.texts > 0 && seen.numbers > 0) {
            continue;
        }
        let names = names_of(&path);
        let is_number = seen.numbers > 0;
        let declared = sets.get(&path_text(&path)).copied().or(seen.declared);
        if !is_number && let Some(parts) = pattern(&path, &few, separator) {
            let mut label = None;
            for (at, part) in parts.iter().enumerate() {
                match part {
                    Part::Literal(text) if !text.is_empty() => label = Some(text.clone()),
                    Part::Literal(_) => {}
                    Part::Value => {
                        let origin = Origin::Token(path.clone(), parts.clone(), at);
                        let names = label.iter().cloned().chain(names.clone()).collect();
                        found.push(blank(origin, declared, false, names));
                    }
                }
            }
        }
        found.push(blank(Origin::Path(path), declared, is_number, names));
    }
    for source in &mut found {
        fill(source, entity, rows, separator);
    }
    found.retain(|source| source.distinct > 0);
    without_copies(found, entity, &few, separator)
}

fn blank(origin: Origin, declared: Option<Type>, is_number: bool, names: Vec<String>) -> Source {
    Source {
        origin,
        declared,
        is_number,
        names,
        form: Form::Other,
        values: BTreeMap::new(),
        distinct: 0,
        present: 0,
        has_empty: false,
    }
}

/// Whether the rule file can name an attribute.
fn is_expressible(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '[', ']', '{', '}'])
}

fn collect(value: &Value<'static>, path: &mut Vec<Step>, paths: &mut BTreeMap<Vec<Step>, Seen>) {
    let leaf = |paths: &mut BTreeMap<Vec<Step>, Seen>, path: &[Step]| {
        paths.len() < PATHS_MAX || paths.contains_key(path)
    };
    match value {
        Value::S(_) | Value::N(_) => {
            if leaf(paths, path) {
                let seen = paths.entry(path.clone()).or_default();
                if matches!(value, Value::S(_)) {
                    seen.texts += 1;
                    seen.declared = Some(Type::S);
                } else {
                    seen.numbers += 1;
                    seen.declared = Some(Type::N);
                }
                if path.last() == Some(&Step::Each) {
                    seen.declared = Some(Type::L);
                }
            }
        }
        Value::L(list) if path.len() < DEPTH_MAX => {
            path.push(Step::Each);
            for value in list {
                collect(value, path, paths);
            }
            path.pop();
        }
        Value::M(map) if path.len() < DEPTH_MAX => {
            for (name, value) in map.iter().filter(|(name, _)| is_expressible(name)) {
                path.push(Step::Name(name.to_string()));
                collect(value, path, paths);
                path.pop();
            }
        }
        Value::Null => {}
        Value::B(_)
        | Value::Bool(_)
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => {
            if leaf(paths, path) {
                paths.entry(path.clone()).or_default().others += 1;
            }
        }
    }
}

/// The names on a path, the last one first.
fn names_of(path: &[Step]) -> Vec<String> {
    let names = path.iter().rev().filter_map(|step| match step {
        Step::Name(name) => Some(name.clone()),
        Step::Each => None,
    });
    names.collect()
}

/// The tokens of the texts at a path, if all of them are made of the same literals.
fn pattern(path: &[Step], rows: &[&Row], separator: char) -> Option<Vec<Part>> {
    let mut texts: BTreeSet<&str> = BTreeSet::new();
    for row in rows {
        visit(&row.item, path, &mut |value| {
            if let Value::S(text) = value
                && !text.is_empty()
                && text.len() <= VALUE_BYTES_MAX
            {
                texts.insert(text);
            }
        });
    }
    let length = texts.first()?.split(separator).count();
    if length < 2 || texts.iter().any(|text| text.split(separator).count() != length) {
        return None;
    }
    let mut parts = Vec::new();
    for at in 0..length {
        let tokens: BTreeSet<&str> =
            texts.iter().filter_map(|text| text.split(separator).nth(at)).collect();
        let only = tokens.first().filter(|_| tokens.len() == 1);
        let has_label =
            parts.iter().any(|part| matches!(part, Part::Literal(text) if !text.is_empty()));
        parts.push(match only {
            Some(text) if text.is_empty() || (is_label(text) && !has_label) => {
                Part::Literal((*text).to_owned())
            }
            Some(text)
                if is_label(text)
                    && at + 1 < length
                    && matches!(parts.last(), Some(Part::Value)) =>
            {
                Part::Literal((*text).to_owned())
            }
            _ => Part::Value,
        });
    }
    let is_labelled =
        parts.iter().any(|part| matches!(part, Part::Literal(text) if is_label(text)));
    (is_labelled && parts.contains(&Part::Value)).then_some(parts)
}

fn fits(parts: &[Part], separator: char, text: &str) -> bool {
    let mut tokens = text.split(separator);
    parts.iter().all(|part| match (part, tokens.next()) {
        (Part::Literal(literal), Some(token)) => literal == token,
        (Part::Value, Some(token)) => !token.is_empty(),
        (_, None) => false,
    }) && tokens.next().is_none()
}

/// Counts a source's values in the sample, and keeps some of them.
fn fill(source: &mut Source, entity: &Entity, rows: &[Row], separator: char) {
    let mut counts: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    for row in entity.rows.iter().filter_map(|row| rows.get(*row)) {
        let values = source.of(entity, separator, row);
        if !values.is_empty() {
            source.present += 1;
        }
        if let Origin::Path(path) = &source.origin {
            visit(&row.item, path, &mut |value| {
                source.has_empty |= matches!(value, Value::S(text) if text.is_empty());
            });
        }
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
    source.distinct = counts.len();
    let mut hashed: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| (twox_hash::XxHash3_64::oneshot(value.as_bytes()), value, count))
        .collect();
    hashed.sort_unstable();
    hashed.truncate(VALUES_MAX);
    source.values =
        hashed.into_iter().map(|(_, value, count)| (value.into_owned(), count)).collect();
    let texts: Vec<&str> = source.values.keys().map(String::as_str).collect();
    source.form = form_of(&texts).0;
}

/// Whether two lists of values are equal but for leading zeros.
fn are_same(one: &[Cow<'_, str>], other: &[Cow<'_, str>]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| super::probe::bare(one) == super::probe::bare(other))
}

/// Drops sources that only repeat others: attributes with the value of a capture, and tokens with
/// the value of a capture or an attribute.
fn without_copies(
    sources: Vec<Source>,
    entity: &Entity,
    rows: &[&Row],
    separator: char,
) -> Vec<Source> {
    let columns: Vec<Vec<Vec<Cow<'_, str>>>> = sources
        .iter()
        .map(|source| {
            rows.iter()
                .map(|row| {
                    let mut values = source.of(entity, separator, row);
                    values.sort_unstable();
                    values
                })
                .collect()
        })
        .collect();
    let rank = |source: &Source| match source.origin {
        Origin::Capture(_) => 0,
        Origin::Path(_) => 1,
        Origin::Token(..) => 2,
    };
    let is_copy = |at: usize, source: &Source| {
        let Some(own) = columns.get(at) else { return false };
        sources.iter().zip(&columns).any(|(other, values)| {
            // A role such as `creator` may have the value of a capture in the few items there are.
            let is_named = rank(source) == 2
                || rows.len() >= 20
                || source.names.iter().zip(&other.names).any(|(one, two)| {
                    is_key_like(&words(one))
                        && super::names::stem(&words(one)) == super::names::stem(&words(two))
                })
                || other.names.iter().any(|name| source.names.contains(name));
            let is_known = matches!((&other.origin, &source.origin),
            (Origin::Capture(capture), Origin::Path(_))
                if entity.captures.get(*capture).is_some_and(|capture| {
                    source.names.first().is_some_and(|name| capture.same_as.contains(name))
                }));
            (is_known || rank(other) < rank(source))
                && is_named
                && (is_known
                    || own
                        .iter()
                        .zip(values)
                        .all(|(own, other)| own.is_empty() || are_same(own, other)))
        })
    };
    let copies: Vec<bool> =
        sources.iter().enumerate().map(|(at, source)| is_copy(at, source)).collect();
    sources
        .into_iter()
        .zip(copies)
        .filter(|(_, is_copy)| !is_copy)
        .map(|(source, _)| source)
        .collect()
}

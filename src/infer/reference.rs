//! Writes a reference that was chosen as the rule file declares it.

use std::collections::BTreeSet;

use super::Input;
use super::assemble::{EXAMPLES_MAX, escaped, shown};
use super::candidate::{Candidate, World};
use super::capture::Format;
use super::choose::Chosen;
use super::design::{Discriminator, Find, Mirror, Reference, Verdict};
use super::entity;
use super::field::{Origin, Part, Source};
use super::lookup::find;
use super::mirror::Pair;
use super::names::{snake, stem, words};
use super::path::{Step, path_text};
use crate::data::{KeyKind, Type, Value};

/// A source of a reference: the text of `on`, and the attribute to declare.
struct Text {
    on: String,
    attribute: Option<(String, String)>,
}

/// A name for each part of an attribute's template: that of the literal before it.
fn part_names(parts: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut label = String::new();
    for (at, part) in parts.iter().enumerate() {
        let mut name = String::new();
        match part {
            Part::Literal(text) => label = snake(text),
            Part::Value => {
                name = if label.is_empty() { "value".to_owned() } else { label.clone() };
                if names.contains(&name) {
                    name = format!("{name}_{at}");
                }
            }
        }
        names.push(name);
    }
    names
}

fn source_text(source: &Source, names: &[String], separator: char, format: Format) -> Option<Text> {
    Some(match &source.origin {
        Origin::Capture(capture) => {
            Text { on: format!("{{{}}}", names.get(*capture)?), attribute: None }
        }
        Origin::Path(path) => {
            let declared = source.declared?;
            let whole = path_text(path);
            let of_list = matches!(declared, Type::L | Type::Ss | Type::Ns);
            let declared_path =
                if of_list { whole.trim_end_matches("[*]").to_owned() } else { whole.clone() };
            Text {
                on: format!("{{{whole}}}"),
                attribute: Some((declared_path, declared.tag().to_owned())),
            }
        }
        Origin::Token(path, parts, token) => {
            let names = part_names(parts);
            let part = |(at, (part, name)): (usize, (&Part, &String))| match (part, format) {
                (Part::Literal(text), _) => escaped(text),
                (Part::Value, Format::Padded(width)) if at == *token => {
                    format!("{{{name}:0{width}}}")
                }
                (Part::Value, _) => format!("{{{name}}}"),
            };
            let texts: Vec<String> = parts.iter().zip(&names).enumerate().map(part).collect();
            let pattern = texts.join(&escaped(&separator.to_string()));
            let path = path_text(path);
            Text {
                on: format!("{{{path}.{}}}", names.get(*token)?),
                attribute: Some((path, pattern)),
            }
        }
    })
}

/// The captures of a reference's sources, and the attributes that have the same numbers and are used
/// instead: only a number can refer to the number of a key.
pub(super) fn numbers(world: &World<'_>, chosen: &Chosen) -> Vec<(usize, usize, String)> {
    let candidate = &chosen.candidate;
    let sources = candidate.sources.iter().enumerate();
    let number = |(at, source): (usize, &usize)| {
        let of_to = world.entities.get(candidate.to)?.captures.get(at)?;
        let source = world.sources.get(candidate.from)?.get(*source)?;
        let from = world.entities.get(candidate.from).filter(|_| of_to.kind == KeyKind::N)?;
        let Origin::Capture(capture) = source.origin else { return None };
        Some((candidate.from, capture, number_of(world, from, source)?))
    };
    sources.filter_map(number).collect()
}

/// The attribute with the number that the text of an item's key has, too.
fn number_of(world: &World<'_>, from: &entity::Entity, source: &Source) -> Option<String> {
    let Origin::Capture(capture) = source.origin else { return None };
    let capture = from.captures.get(capture).filter(|it| it.kind == KeyKind::S)?;
    let row = world.samples.get(from.table)?.rows.get(*from.rows.first()?)?;
    let is_number = |name: &&String| matches!(row.item.get(name.as_str()), Some(Value::N(_)));
    capture.same_as.iter().find(is_number).cloned()
}

/// Writes a reference, of which each of several referenced entities has its own part.
pub(super) fn reference(
    world: &World<'_>,
    input: &Input<'_>,
    group: &[&Chosen],
    names_and_formats: (&[Vec<String>], &[Vec<Format>]),
    pairs: &[Pair],
    mirrors: &[Mirror],
    taken: &mut BTreeSet<String>,
) -> Option<Reference> {
    let chosen = *group.first()?;
    let candidate = &chosen.candidate;
    let (from, to) = (world.entities.get(candidate.from)?, world.entities.get(candidate.to)?);
    let sources = sources(world, candidate)?;
    let (mut on, mut attributes, mut finds) = (Vec::new(), Vec::new(), Vec::new());
    for chosen in group {
        let of_to = names_and_formats.0.get(chosen.candidate.to)?;
        for (capture, text) in of_to.iter().zip(texts(world, chosen, names_and_formats)?) {
            let one = (capture.clone(), text.on);
            if !on.contains(&one) {
                on.push(one);
            }
            attributes.extend(text.attribute.filter(|it| !attributes.contains(it)));
        }
        let to = world.entities.get(chosen.candidate.to)?.name.clone();
        let found = find(world, input, candidate.from, &sources, of_to, pairs, mirrors);
        finds.push((to, found));
    }
    let by = discriminator(world, group, &mut attributes);
    let others = finds.iter().skip(1).map(|(to, _)| to.clone());
    let others = if by.is_some() { Vec::new() } else { others.collect() };
    let find = match finds.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, find)| find == first) => first.clone(),
        _ => Find::Each(finds),
    };
    Some(Reference {
        name: name(from, to, &sources, taken),
        from: from.name.clone(),
        to: to.name.clone(),
        by,
        others,
        on,
        attributes,
        is_many: sources.iter().any(|source| source.is_many()),
        none: sources.iter().any(|source| source.has_empty).then(String::new),
        find,
        verdict: if chosen.is_weak { Verdict::Weak } else { Verdict::Sample },
        checked: 0,
        broken: 0,
        examples: examples(world, from, &sources),
        broken_examples: Vec::new(),
        score: candidate.score,
        name_score: candidate.name,
        share: candidate.hits.share(),
        obstacle: None,
    })
}

fn sources<'w>(world: &'w World<'_>, candidate: &Candidate) -> Option<Vec<&'w Source>> {
    let all = world.sources.get(candidate.from)?;
    candidate.sources.iter().map(|source| all.get(*source)).collect()
}

/// The text of each source of a reference.
fn texts(
    world: &World<'_>,
    chosen: &Chosen,
    (names, formats): (&[Vec<String>], &[Vec<Format>]),
) -> Option<Vec<Text>> {
    let candidate = &chosen.candidate;
    let (from, to) = (world.entities.get(candidate.from)?, world.entities.get(candidate.to)?);
    let separator = world.tables.get(from.table)?.separator;
    let of_from = names.get(candidate.from)?;
    let text = |(at, source): (usize, &Source)| {
        let format = formats.get(candidate.to).and_then(|it| it.get(at)).copied();
        let needs_number = to.captures.get(at).is_some_and(|it| it.kind == KeyKind::N);
        if needs_number && let Some(name) = number_of(world, from, source) {
            let declared = (name.clone(), Type::N.tag().to_owned());
            Some(Text { on: format!("{{{name}}}"), attribute: Some(declared) })
        } else {
            source_text(source, of_from, separator, format.unwrap_or(Format::Plain))
        }
    };
    sources(world, candidate)?.into_iter().enumerate().map(text).collect()
}

/// The discriminator of a reference to several entities, whose attribute is declared, too.
fn discriminator(
    world: &World<'_>,
    group: &[&Chosen],
    attributes: &mut Vec<(String, String)>,
) -> Option<Discriminator> {
    let first = group.first()?;
    let by = first.when.as_ref()?.by()?;
    let by = world.sources.get(first.candidate.from)?.get(by)?;
    let text = source_text(by, &[], '#', Format::Plain)?;
    attributes.extend(text.attribute);
    let entity = |chosen: &&Chosen| {
        let to = world.entities.get(chosen.candidate.to)?.name.clone();
        Some((chosen.when.as_ref()?.value()?.to_owned(), to))
    };
    let entities: Option<Vec<_>> = group.iter().map(entity).collect();
    Some(Discriminator { source: text.on, entities: entities? })
}

/// A name for a reference: that of its attribute, or of the referenced entity.
fn name(
    from: &entity::Entity,
    to: &entity::Entity,
    sources: &[&Source],
    taken: &mut BTreeSet<String>,
) -> String {
    let role = sources.iter().find_map(|source| match &source.origin {
        Origin::Capture(_) => None,
        Origin::Path(path) | Origin::Token(path, ..) => {
            path.iter().rev().find_map(|step| match step {
                Step::Name(name) => Some(name.clone()),
                Step::Each => None,
            })
        }
    });
    let role =
        role.map(|role| snake(&stem(&words(&role)).join("_"))).filter(|role| !role.is_empty());
    let base = format!("{}_{}", from.name, role.unwrap_or_else(|| to.name.clone()));
    let base: String = base.chars().take(56).collect();
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = if number == 2 {
            format!("{base}_{}", to.name).chars().take(60).collect()
        } else {
            format!("{base}_{number}")
        };
        number += 1;
    }
    name
}

/// Some items, and the values with which they refer.
fn examples(world: &World<'_>, from: &entity::Entity, sources: &[&Source]) -> Vec<String> {
    let (Some(table), Some(sample)) = (world.tables.get(from.table), world.samples.get(from.table))
    else {
        return Vec::new();
    };
    let example = |row: &usize| {
        let row = sample.rows.get(*row)?;
        let values: Option<Vec<String>> = sources
            .iter()
            .map(|source| Some(source.of(from, table.separator, row).first()?.to_string()))
            .collect();
        Some(format!("{} → {}", shown(&row.key), shown(&values?)))
    };
    from.rows.iter().filter_map(example).take(EXAMPLES_MAX).collect()
}

//! Turns what was chosen into a design with names and templates.

use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use super::candidate::World;
use super::capture::Format;
use super::choose::{Chosen, When};
use super::design::{Capture, Entity, Inference, Mirror, Table as DesignTable, Verdict};
use super::entity::{self, Template};
use super::formats::formats;
use super::mirror::Pair;
use super::names::snake;
use super::probe::Counts;
use super::reference::{numbers, reference};
use crate::data::{KeyAttribute, KeyKind};

/// How many examples are given.
pub(super) const EXAMPLES_MAX: usize = 3;

/// Gives each entity a name of its own.
pub(super) fn unique_names(entities: &mut [entity::Entity]) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (id, entity) in entities.iter().enumerate() {
        by_name.entry(entity.name.clone()).or_default().push(id);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (name, ids) in &by_name {
        // The item that describes its partition keeps the name, else the kind with the most items.
        let first = ids.iter().copied().max_by_key(|id| {
            entities.get(*id).map(|it| (it.is_root, it.rows.len(), usize::MAX - *id))
        });
        for id in ids {
            let Some(entity) = entities.get(*id) else { continue };
            let mut unique = name.clone();
            if Some(*id) != first {
                let labels = entity.key.first().into_iter().chain(entity.key.get(1));
                let labels: Vec<String> = labels
                    .flat_map(|template| &template.tokens)
                    .map(|token| super::names::entity_name(&token.literal))
                    .filter(|label| !label.is_empty() && label != name)
                    .collect();
                if let Some(label) = labels.first() {
                    unique = if entity.key.get(1).is_some_and(|sort| {
                        sort.tokens.iter().any(|it| super::names::entity_name(&it.literal) == *name)
                    }) {
                        format!("{label}_{name}")
                    } else {
                        format!("{name}_{label}")
                    };
                }
            }
            let base: String = unique.chars().take(56).collect();
            let mut unique = base.clone();
            let mut number = 2;
            while taken.contains(&unique) || (by_name.contains_key(&unique) && unique != *name) {
                unique = format!("{base}_{number}");
                number += 1;
            }
            taken.insert(unique.clone());
            if let Some(entity) = entities.get_mut(*id) {
                entity.name = unique;
            }
        }
    }
}

/// Makes the design.
pub(super) fn assemble(
    input: &Input<'_>,
    world: &World<'_>,
    counts: &Counts,
    chosen: &[Chosen],
    pairs: &[Pair],
) -> Inference {
    let formats = formats(world, chosen, pairs);
    let table_names = table_names(input);
    let tables = world.tables.iter().zip(&input.tables).enumerate().map(|(id, (table, of))| {
        let sample = world.samples.get(id);
        DesignTable {
            name: table_names.get(id).cloned().unwrap_or_default(),
            table: of.name.clone(),
            key: table.schema.attributes().map(key_text).collect(),
            is_key_inferred: of.key.is_none(),
            separator: table.separator,
            ttl: of.ttl.clone(),
            items: sample.map_or(0, |sample| sample.items),
            unknown: counts.unknown.get(id).copied().unwrap_or(0)
                + sample.map_or(0, |sample| sample.keyless),
        }
    });
    let mut inference = Inference {
        tables: tables.collect(),
        entities: Vec::new(),
        references: Vec::new(),
        mirrors: Vec::new(),
        notices: Vec::new(),
        notes: Vec::new(),
        is_sample: input.is_sample,
    };
    let names = capture_names(world, chosen, pairs);
    for (id, entity) in world.entities.iter().enumerate() {
        let (Some(table), Some(sample), Some(names), Some(formats)) = (
            world.tables.get(entity.table),
            world.samples.get(entity.table),
            names.get(id),
            formats.get(id),
        ) else {
            continue;
        };
        let examples = entity
            .rows
            .iter()
            .take(EXAMPLES_MAX)
            .filter_map(|row| Some(shown(&sample.rows.get(*row)?.key)));
        let key = entity.key.iter().zip(table.schema.names());
        inference.entities.push(Entity {
            name: entity.name.clone(),
            table: table_names.get(entity.table).cloned().unwrap_or_default(),
            key: key
                .map(|(template, name)| {
                    (name.to_owned(), template_text(template, table.separator, names, formats))
                })
                .collect(),
            captures: entity
                .captures
                .iter()
                .zip(names)
                .map(|(capture, name)| Capture { name: name.clone(), form: capture.form.word() })
                .collect(),
            attributes: Vec::new(),
            condition: entity.condition.clone(),
            items: counts.entities.get(id).copied().unwrap_or(0),
            examples: examples.collect(),
        });
    }
    for pair in pairs {
        inference.mirrors.extend(mirror(world, pair));
    }
    for mirror in inference.mirrors.clone() {
        super::verify::declare(&mut inference, &mirror.source, &mirror.attributes);
    }
    let mut taken = inference.mirrors.iter().map(|it| it.name.clone()).collect();
    for group in groups(chosen) {
        let both = (&names[..], &formats[..]);
        let made = reference(world, input, &group, both, pairs, &inference.mirrors, &mut taken);
        let Some(made) = made else { continue };
        if made.is_active() {
            super::verify::declare(&mut inference, &made.from, &made.attributes);
        }
        inference.references.push(made);
    }
    inference
}

/// The references that are one rule: those of one source that lead to several entities.
fn groups(chosen: &[Chosen]) -> Vec<Vec<&Chosen>> {
    let mut groups: Vec<Vec<&Chosen>> = Vec::new();
    let rule = |it: &Chosen| {
        let by = it.when.as_ref().map(When::by);
        by.map(|by| (it.candidate.from, it.candidate.sources.clone(), by))
    };
    for one in chosen {
        let known = groups.iter_mut().find(|group| {
            rule(one).is_some() && group.first().is_some_and(|it| rule(it) == rule(one))
        });
        match known {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// The names of the tables in the rule file.
fn table_names(input: &Input<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name = |table: &super::InputTable| {
        let is_name = table.name.len() <= 64
            && table
                .name
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'))
            && table.name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
        let base = if is_name { table.name.clone() } else { snake(&table.name) };
        let base: String =
            if base.is_empty() { "table".into() } else { base.chars().take(56).collect() };
        let mut unique = base.clone();
        let mut number = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{base}_{number}");
            number += 1;
        }
        unique
    };
    input.tables.iter().map(name).collect()
}

pub(super) fn key_text(attribute: &KeyAttribute) -> String {
    match attribute.kind {
        KeyKind::S => attribute.name.clone(),
        KeyKind::N => format!("{}:N", attribute.name),
        KeyKind::B => format!("{}:B", attribute.name),
    }
}

/// A key as an example shows it.
pub(super) fn shown(key: &[String]) -> String {
    let text = key.join(" / ");
    if text.chars().count() > 60 {
        text.chars().take(57).chain("…".chars()).collect()
    } else {
        text
    }
}

/// The names of all captures: a mirror has those of its source. A capture whose number a reference
/// takes from the attribute of the same name has another one.
fn capture_names(world: &World<'_>, chosen: &[Chosen], pairs: &[Pair]) -> Vec<Vec<String>> {
    let mut names: Vec<Vec<String>> = world
        .entities
        .iter()
        .map(|entity| entity.captures.iter().map(|capture| capture.name.clone()).collect())
        .collect();
    for (entity, capture, attribute) in chosen.iter().flat_map(|it| numbers(world, it)) {
        let slot = names.get_mut(entity).and_then(|names| names.get_mut(capture));
        if let Some(name) = slot.filter(|name| **name == attribute) {
            name.push_str("_in_key");
        }
    }
    for pair in pairs {
        let of_source = names.get(pair.source).cloned().unwrap_or_default();
        let of_mirror: Vec<String> =
            pair.captures.iter().filter_map(|it| of_source.get(*it).cloned()).collect();
        if let Some(slot) = names.get_mut(pair.mirror) {
            *slot = of_mirror;
        }
    }
    names
}

/// A key template as the rule file writes it.
fn template_text(
    template: &Template,
    separator: char,
    names: &[String],
    formats: &[Format],
) -> String {
    let mut text = String::new();
    for (at, token) in template.tokens.iter().enumerate() {
        if at > 0 {
            text.push_str(&escaped(&separator.to_string()));
        }
        text.push_str(&escaped(&token.literal));
        if let Some(capture) = token.capture {
            let name = names.get(capture).map_or("value", String::as_str);
            let format = match formats.get(capture) {
                Some(Format::Padded(width)) => format!(":0{width}"),
                Some(Format::Lower) => ":lower".to_owned(),
                Some(Format::Upper) => ":upper".to_owned(),
                Some(Format::Plain) | None => String::new(),
            };
            text.extend(["{", name, &format, "}"]);
        }
    }
    text
}

/// A literal of a template.
pub(super) fn escaped(literal: &str) -> String {
    literal.replace('{', "{{").replace('}', "}}")
}

fn mirror(world: &World<'_>, pair: &Pair) -> Option<Mirror> {
    let (source, mirror) = (world.entities.get(pair.source)?, world.entities.get(pair.mirror)?);
    Some(Mirror {
        name: format!("{}_mirror", source.name),
        source: source.name.clone(),
        mirror: mirror.name.clone(),
        copy: match &pair.copied {
            Some(copied) => copied.keys().cloned().collect(),
            None => vec!["all".to_owned()],
        },
        attributes: pair
            .copied
            .iter()
            .flatten()
            .map(|(name, declared)| (name.clone(), declared.tag().to_owned()))
            .collect(),
        verdict: Verdict::Sample,
        checked: 0,
        missing: 0,
        stale: 0,
        extra: 0,
        obstacle: None,
    })
}

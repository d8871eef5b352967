//! How the referencing items of a deleted item are found.

use std::collections::BTreeMap;

use super::Input;
use super::assemble::key_text;
use super::candidate::World;
use super::design::{Find, Mirror};
use super::entity::Template;
use super::field::{Origin, Source};
use super::mirror::Pair;
use super::path::path_text;

/// How the referencing items of a deleted item can be found.
pub(super) fn find(
    world: &World<'_>,
    input: &Input<'_>,
    from: usize,
    sources: &[&Source],
    of_to: &[String],
    pairs: &[Pair],
    mirrors: &[Mirror],
) -> Find {
    let Some(entity) = world.entities.get(from) else { return Find::None };
    let captures: BTreeMap<usize, &String> = sources
        .iter()
        .zip(of_to)
        .filter_map(|(source, name)| match source.origin {
            Origin::Capture(capture) => Some((capture, name)),
            Origin::Path(_) | Origin::Token(..) => None,
        })
        .collect();
    let is_known = |template: &Template, of: &dyn Fn(usize) -> usize| {
        template.tokens.iter().filter_map(|it| it.capture).all(|it| captures.contains_key(&of(it)))
    };
    if entity.key.first().is_some_and(|partition| is_known(partition, &|capture| capture)) {
        return Find::Table;
    }
    let is_many = sources.iter().any(|source| source.is_many());
    for (pair, mirror) in pairs.iter().zip(mirrors).filter(|(pair, _)| pair.source == from) {
        let partition = world.entities.get(pair.mirror).and_then(|it| it.key.first());
        let of_source = |capture: usize| pair.captures.get(capture).copied().unwrap_or(capture);
        if !is_many && partition.is_some_and(|partition| is_known(partition, &of_source)) {
            return Find::Mirror(mirror.name.clone());
        }
    }
    let indexes = input.tables.get(entity.table).map_or(&[][..], |table| &table.indexes);
    for (name, key) in indexes {
        let partition =
            sources.iter().zip(of_to).find_map(|(source, capture)| match &source.origin {
                Origin::Path(path) if path_text(path) == key.partition.name => {
                    Some(format!("{{{capture}}}"))
                }
                Origin::Path(_) | Origin::Capture(_) | Origin::Token(..) => None,
            });
        if let Some(template) = partition {
            let name_of_key = key_text(&key.partition);
            return Find::Index(name.clone(), vec![(name_of_key, template)]);
        }
    }
    Find::None
}

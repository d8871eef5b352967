//! The formats of captures, as the references need them.

use std::collections::BTreeMap;

use super::candidate::World;
use super::capture::Format;
use super::choose::Chosen;
use super::field::Origin;
use super::mirror::Pair;
use super::probe::As;
use crate::data::Value;

/// The formats of all captures, as the references need them.
pub(super) fn formats(world: &World<'_>, chosen: &[Chosen], pairs: &[Pair]) -> Vec<Vec<Format>> {
    let mut votes: BTreeMap<(usize, usize), (usize, usize, Format)> = BTreeMap::new();
    for (id, entity) in world.entities.iter().enumerate() {
        for (capture_id, capture) in entity.captures.iter().enumerate() {
            let padded = capture.possible.iter().find(|it| matches!(it, Format::Padded(_)));
            let Some(padded) = padded else { continue };
            // An attribute of the same value that is a number.
            let is_number = capture.same_as.iter().any(|name| {
                let sample = world.samples.get(entity.table);
                let row = sample.zip(entity.rows.first()).and_then(|(it, row)| it.rows.get(*row));
                row.is_some_and(|row| matches!(row.item.get(name.as_str()), Some(Value::N(_))))
            });
            if is_number {
                votes.insert((id, capture_id), (1, 0, *padded));
            }
        }
    }
    for chosen in chosen.iter().filter(|chosen| !chosen.is_weak) {
        let candidate = &chosen.candidate;
        let pairs = candidate.sources.iter().zip(&candidate.compared).enumerate();
        for (capture, (source, how)) in pairs {
            let of = world.entities.get(candidate.to).and_then(|it| it.captures.get(capture));
            let source = world.sources.get(candidate.from).and_then(|it| it.get(*source));
            let (Some(of), Some(source)) = (of, source) else { continue };
            for format in &of.possible {
                let vote = votes.entry((candidate.to, capture)).or_insert((0, 0, *format));
                match (format, how) {
                    (Format::Padded(_), As::Bare)
                    | (Format::Lower, As::Lower)
                    | (Format::Upper, As::Upper) => *vote = (vote.0 + 1, vote.1, *format),
                    (Format::Padded(_), As::Exact) if matches!(source.origin, Origin::Path(_)) => {
                        vote.1 += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    let mut formats: Vec<Vec<Format>> = world
        .entities
        .iter()
        .enumerate()
        .map(|(id, entity)| {
            (0..entity.captures.len())
                .map(|capture| match votes.get(&(id, capture)) {
                    Some((yes, no, format)) if *yes > 0 && *no == 0 => *format,
                    _ => Format::Plain,
                })
                .collect()
        })
        .collect();
    spread(world, chosen, pairs, &mut formats);
    formats
}

/// Gives captures that refer to padded numbers the same format, in both directions.
fn spread(world: &World<'_>, chosen: &[Chosen], pairs: &[Pair], formats: &mut [Vec<Format>]) {
    let mut links: Vec<((usize, usize), (usize, usize))> = Vec::new();
    for candidate in chosen.iter().filter(|it| !it.is_weak).map(|chosen| &chosen.candidate) {
        for (capture, (source, how)) in
            candidate.sources.iter().zip(&candidate.compared).enumerate()
        {
            let origin = world.sources.get(candidate.from).and_then(|it| it.get(*source));
            if let (Some(Origin::Capture(of_from)), As::Exact) = (origin.map(|it| &it.origin), how)
            {
                links.push(((candidate.from, *of_from), (candidate.to, capture)));
            }
        }
    }
    for pair in pairs {
        for (of_mirror, of_source) in pair.captures.iter().enumerate() {
            links.push(((pair.mirror, of_mirror), (pair.source, *of_source)));
        }
    }
    for _ in 0..8 {
        for (one, two) in &links {
            for (from, to) in [(one, two), (two, one)] {
                let format = formats.get(from.0).and_then(|it| it.get(from.1)).copied();
                let Some(format @ Format::Padded(_)) = format else { continue };
                let of = world.entities.get(to.0).and_then(|it| it.captures.get(to.1));
                if of.is_some_and(|of| of.possible.contains(&format))
                    && let Some(slot) = formats.get_mut(to.0).and_then(|it| it.get_mut(to.1))
                {
                    *slot = format;
                }
            }
        }
    }
}

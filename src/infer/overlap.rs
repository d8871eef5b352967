//! Entities whose keys overlap.

use super::entity::Entity;
use super::sample::TableSample;
use crate::data::Value;

/// Makes sure that no key matches two entities: of two that overlap, the one with fewer items is
/// distinguished by its type, or dropped.
pub(super) fn drop_overlaps(
    entities: &mut Vec<Entity>,
    sample: &TableSample,
    separator: char,
    type_name: Option<&str>,
) {
    let type_of = |entity: &Entity| -> Option<(String, String)> {
        let name = type_name?;
        let mut values =
            entity.rows.iter().map(|row| match sample.rows.get(*row)?.item.get(name) {
                Some(Value::S(text)) => Some(text.to_string()),
                _ => None,
            });
        let first = values.next()??;
        values.all(|value| value.as_deref() == Some(&first)).then(|| (name.to_owned(), first))
    };
    let mut at = 0;
    while at < entities.len() {
        let mut other = at + 1;
        while other < entities.len() {
            let (Some(one), Some(two)) = (entities.get(at), entities.get(other)) else { break };
            let are_apart =
                matches!((&one.condition, &two.condition), (Some(a), Some(b)) if a != b);
            if are_apart || !overlap(one, two) {
                other += 1;
                continue;
            }
            let (types, is_first_smaller) =
                ((type_of(one), type_of(two)), one.rows.len() < two.rows.len());
            match types {
                (Some(of_one), Some(of_two)) if of_one != of_two => {
                    if let Some(one) = entities.get_mut(at) {
                        one.condition = Some(of_one);
                    }
                    if let Some(two) = entities.get_mut(other) {
                        two.condition = Some(of_two);
                    }
                    other += 1;
                }
                _ => {
                    let (keep, gone) = if is_general(one, two) == is_general(two, one) {
                        if is_first_smaller { (other, at) } else { (at, other) }
                    } else if is_general(one, two) {
                        (at, other)
                    } else {
                        (other, at)
                    };
                    let dropped = entities.remove(gone);
                    let keep = if gone < keep { keep - 1 } else { keep };
                    if let Some(kept) = entities.get_mut(keep) {
                        let joins = |row: &usize| {
                            sample
                                .rows
                                .get(*row)
                                .is_some_and(|row| kept.parse(separator, &row.key).is_some())
                        };
                        let more: Vec<usize> = dropped.rows.into_iter().filter(joins).collect();
                        kept.rows.extend(more);
                        kept.rows.sort_unstable();
                    }
                    other = at + 1;
                }
            }
        }
        at += 1;
    }
}

/// Whether some key may match both.
fn overlap(one: &Entity, two: &Entity) -> bool {
    one.key.iter().zip(&two.key).all(|(one, two)| {
        one.tokens.len() == two.tokens.len()
            && one.tokens.iter().zip(&two.tokens).all(|(one, two)| {
                match (one.capture, two.capture) {
                    (None, None) => one.literal == two.literal,
                    (None, Some(_)) => {
                        one.literal.starts_with(&two.literal) && one.literal != two.literal
                    }
                    (Some(_), None) => {
                        two.literal.starts_with(&one.literal) && one.literal != two.literal
                    }
                    (Some(_), Some(_)) => {
                        one.literal.starts_with(&two.literal)
                            || two.literal.starts_with(&one.literal)
                    }
                }
            })
    })
}

/// Whether the first matches all keys that the second matches.
fn is_general(one: &Entity, two: &Entity) -> bool {
    one.key.iter().zip(&two.key).all(|(one, two)| {
        one.tokens.iter().zip(&two.tokens).all(|(one, two)| {
            one.capture.is_some() || (two.capture.is_none() && one.literal == two.literal)
        })
    })
}

//! Whether the key of a referenced item determines the partition key of the items that refer to it.

use super::entities::ResolvedKey;
use super::sources::Sides;
use crate::rules::model::Component;

/// Whether the referencing items can be found by a query of their table.
pub(super) fn can_query_table(sides: Sides<'_, '_>, components: &[Component]) -> bool {
    are_determined(sides.from_key, sides, components)
}

/// Whether the referenced key determines the partition key of the referencing items, or of their
/// mirrors: `key` is that of the ones or the others.
pub(super) fn are_determined(
    key: &ResolvedKey,
    sides: Sides<'_, '_>,
    components: &[Component],
) -> bool {
    key.partition.iter().all(|name| {
        let own = sides.from_key.capture(name).map(|(index, _)| index);
        if own.is_some() && own == sides.discriminator {
            return true;
        }
        let Some((position, described)) = key.capture(name) else { return false };
        let target = &sides.to_key.key;
        let mut referenced = components.iter().zip(&sides.to_key.captures).enumerate();
        referenced.any(|(of_target, (source, to))| {
            let is_determined = match (own, source) {
                (Some(own), Component::Capture(index)) => {
                    own == *index && sides.from_key.key.is_determined_by(own, target, of_target)
                }
                // A part of the mirror's key is an attribute of its source.
                (None, source) => {
                    source.is_attribute(name)
                        && key.key.is_determined_by(position, target, of_target)
                }
                (Some(_), _) => false,
            };
            is_determined && described.can_be_looked_up_by(to.kind)
        })
    })
}

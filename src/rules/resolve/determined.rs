//! Whether the key of a referenced item determines the partition key of the items that refer to it.

use super::sources::Sides;
use super::templates::Capture;
use crate::rules::model::Component;

/// Whether the referencing items can be found by a query of their table.
pub(super) fn can_query_table(sides: Sides<'_, '_>, components: &[Component]) -> bool {
    are_determined(&sides.from_key.partition, &sides.from_key.captures, sides, components)
}

/// Whether the referenced key determines the captures with these names. They belong to the
/// referencing key or to the key of its mirror. `captures` has the captures of that key.
pub(super) fn are_determined(
    names: &[String],
    captures: &[Capture],
    sides: Sides<'_, '_>,
    components: &[Component],
) -> bool {
    names.iter().all(|name| {
        let own = sides.from_key.capture(name).map(|(index, _)| index);
        let described = captures.iter().find(|capture| capture.name == *name);
        let (from, target) = (&sides.from_key.key, &sides.to_key.key);
        if own.is_some() && own == sides.discriminator {
            return true;
        }
        let mut referenced = components.iter().zip(&sides.to_key.captures).enumerate();
        referenced.any(|(of_target, (source, to))| {
            let Component::Capture(index) = source else { return false };
            Some(*index) == own
                && described.is_some_and(|capture| capture.can_be_looked_up_by(to.kind))
                && from.is_determined_by(*index, target, of_target)
        })
    })
}

//! The attributes of a referencing item that the actions of a reference change.

use crate::data::Path;
use crate::rules::ast::{Reference, ReferentialAction};
use crate::rules::model::Component;
use crate::rules::span::Spanned;

/// The actions that a rule declares.
pub(super) fn declared_actions(
    reference: &Reference,
) -> impl Iterator<Item = &Spanned<ReferentialAction>> {
    [&reference.on_missing, &reference.on_delete, &reference.on_ttl_delete].into_iter().flatten()
}

/// Whether `unset` and `set_default` change this part of a reference.
///
/// They change every part that comes from an attribute, with one exception: if a part comes from
/// the elements of a list or set, they change only these elements, because all elements share the
/// other parts.
pub(super) fn is_changed(source: &Component, components: &[Component]) -> bool {
    match source {
        Component::Capture(_) | Component::Constant(_) => false,
        Component::Attribute(..) => !components.iter().any(Component::is_of_element),
        Component::Elements(..) | Component::Field(..) => true,
    }
}

/// The paths that `unset` and `set_default` change.
pub(super) fn changed_paths(components: &[Component]) -> impl Iterator<Item = &Path> {
    let changed = components.iter().filter(|source| is_changed(source, components));
    changed.filter_map(Component::path)
}

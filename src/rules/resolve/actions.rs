//! Checks whether the referential actions of a rule are possible.

use super::changes::{changed_paths, declared_actions, is_changed};
use super::scope::Scope;
use super::set_default;
use super::sources::Sides;
use crate::data::Type;
use crate::rules::ast::{Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Component, Matching, Removal};
use crate::rules::span::Spanned;

/// Checks the actions of one rule.
pub(super) fn check(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    for action in declared_actions(reference) {
        if matches!(action.value, ReferentialAction::Unset | ReferentialAction::SetDefault) {
            problems.extend(changes_key(reference, action, sides, components, scope));
            problems.extend(changes_entity(action, sides, components));
        }
        let required = reference.required.as_ref().filter(|required| required.value);
        if let (ReferentialAction::Unset, Some(required)) = (action.value, required) {
            problems.push(
                Diagnostic::new(
                    &codes::UNSET_REQUIRED,
                    format!("`unset` of the required reference `{}`", reference.name.value),
                )
                .at(action.span, "would remove it")
                .at(required.span, "required here")
                .help("use another action, or remove `required: true`"),
            );
        }
    }
    set_default::check(reference, sides, components, scope, problems);
    problems.extend(restores_expired(reference));
}

fn changes_key(
    reference: &Reference,
    action: &Spanned<ReferentialAction>,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
) -> Option<Diagnostic> {
    let word = action.value.name();
    let paths: Vec<_> = changed_paths(components).collect();
    let table = scope.table_of(sides.from)?;
    let key_path = paths.iter().find(|path| table.is_key_attribute(path.root()));
    let full = reference.matching.as_ref().filter(|matching| matching.value == Matching::Full);
    let diagnostic = |why: String| {
        Diagnostic::new(&codes::UNSET_KEY, format!("`{word}` cannot change the key of an item"))
            .at(action.span, why)
            .at(sides.from.key_span(), "the key of the referencing item")
            .help("use `report`, or an action on the whole item")
    };
    if paths.is_empty() {
        Some(diagnostic("all parts of the reference come from the key".to_owned()))
    } else if let Some(path) = key_path {
        Some(diagnostic(format!("`{path}` is a key attribute")))
    } else if action.value == ReferentialAction::Unset
        && full.is_some()
        && leaves_parts(reference, components)
    {
        Some(diagnostic("with `match: full`, the remaining parts would be a violation".to_owned()))
    } else {
        None
    }
}

/// Whether `unset` removes some parts of the reference and keeps others. If the elements of a list
/// are removed, the result is an empty list, which has no references.
fn leaves_parts(reference: &Reference, components: &[Component]) -> bool {
    let removes_element =
        reference.removal.as_ref().is_some_and(|removal| removal.value == Removal::Element);
    let is_list = |source: &Component| match source {
        Component::Elements(_, kind) => *kind == Type::L,
        Component::Field(..) => removes_element,
        Component::Capture(_) | Component::Constant(_) | Component::Attribute(..) => false,
    };
    !components.iter().any(is_list)
        && components.iter().any(|source| !is_changed(source, components))
}

/// The diagnostic for an action that changes an attribute of the entity's `where`.
fn changes_entity(
    action: &Spanned<ReferentialAction>,
    sides: Sides<'_, '_>,
    components: &[Component],
) -> Option<Diagnostic> {
    let mut conditions = sides.from.ast.conditions.iter();
    let (path, _) = conditions
        .find(|(path, _)| changed_paths(components).any(|changed| *changed == path.value))?;
    let (word, name) = (action.value.name(), sides.from.name());
    Some(
        Diagnostic::new(
            &codes::UNSET_WHERE,
            format!("after `{word}`, the item would no longer belong to `{name}`"),
        )
        .at(action.span, format!("changes `{}`", path.value))
        .at(path.span, "required by this condition")
        .help("use `report`, or an action on the whole item"),
    )
}

fn restores_expired(reference: &Reference) -> Option<Diagnostic> {
    let on_ttl_delete = reference.on_ttl_delete.as_ref().or(reference.on_delete.as_ref());
    let action = on_ttl_delete.filter(|action| action.value == ReferentialAction::Restore)?;
    Some(
        Diagnostic::new(&codes::EXPIRED, "an expired item would be restored and expire again")
            .at(action.span, "also applies to deletes by TTL")
            .help("add `on_ttl_delete: ignore` or `on_ttl_delete: report`"),
    )
}

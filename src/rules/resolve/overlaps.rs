//! Checks whether an item can belong to two entities at the same time.

use super::entities::Entity;
use super::scope::Scope;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;

pub(super) fn check(scope: &Scope<'_>, problems: &mut Vec<Diagnostic>) {
    for (index, entity) in scope.entities.iter().enumerate() {
        for before in scope.entities.iter().take(index) {
            if let Some(diagnostic) = overlap(entity, before, scope) {
                problems.push(diagnostic);
            }
        }
    }
}

fn overlap(entity: &Entity<'_>, before: &Entity<'_>, scope: &Scope<'_>) -> Option<Diagnostic> {
    if entity.table.is_none() || entity.table != before.table || are_distinguished(entity, before) {
        return None;
    }
    let witness = entity.key.as_ref()?.key.overlap(&before.key.as_ref()?.key)?;
    let schema = scope.table_of(entity)?.key.as_ref()?;
    let witness = serde_json::to_string(&schema.item_of(&witness)).ok()?;
    Some(
        Diagnostic::new(
            &codes::OVERLAP,
            format!("an item can belong to both `{}` and `{}`", before.name(), entity.name()),
        )
        .at(entity.key_span(), format!("`{}`", entity.name()))
        .at(before.key_span(), format!("`{}`", before.name()))
        .note(format!("both match the key {witness}"))
        .help("make the templates differ, or distinguish the items by an attribute: `where: { type: … }` in both entities"),
    )
}

/// Whether the `where` conditions of the entities require different values of one attribute.
fn are_distinguished(entity: &Entity<'_>, other: &Entity<'_>) -> bool {
    entity.conditions.iter().any(|(path, value)| {
        other.conditions.iter().any(|(other_path, other)| path == other_path && value != other)
    })
}

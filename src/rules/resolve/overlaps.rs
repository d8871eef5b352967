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
    // A table that an entity lists twice is reported as such.
    if entity.name() == before.name() {
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
        .help(fix(before, entity)),
    )
}

/// Whether no item can meet the `where` conditions of both entities.
fn are_distinguished(entity: &Entity<'_>, other: &Entity<'_>) -> bool {
    entity.conditions.iter().any(|(path, test)| {
        other
            .conditions
            .iter()
            .any(|(other_path, other)| path == other_path && test.excludes(other))
    })
}

/// How to distinguish the entities, or to do without one of them.
fn fix(one: &Entity<'_>, other: &Entity<'_>) -> String {
    let (kind, all) = match (one.conditions.is_empty(), other.conditions.is_empty()) {
        (true, false) => (other, one),
        (false, true) => (one, other),
        (true, true) | (false, false) => {
            return "make the templates differ, or distinguish the items by an attribute: `where: { \
                    type: … }` in both entities"
                .to_owned();
        }
    };
    format!(
        "add a `where` to `{all}` that excludes the items of `{kind}`; or, if `{all}` stands for \
         several kinds of item, remove it, and list the kinds in the rules: `to: [{kind}, …]`",
        all = all.name(),
        kind = kind.name()
    )
}

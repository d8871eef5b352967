//! Warns of rules that may change items because of an attribute that the author had not in mind.

use super::entities::Entity;
use super::scope::Scope;
use crate::data::{Path, Value};
use crate::rules::ast::{Find, Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Mode, OnMirrorDelete, Test};
use crate::rules::span::{Span, Spanned};

pub(super) fn check(scope: &Scope<'_>, problems: &mut Vec<Diagnostic>) {
    for entity in &scope.entities {
        problems.extend(time_without_effect(entity, scope));
    }
    for reference in &scope.file.references {
        if reference.mode == Some(Mode::Off) {
            continue;
        }
        problems.extend(unreliable_mirror(reference, scope));
        let to = reference.to.as_ref().and_then(|name| scope.entity_named(&name.value));
        let Some((_, to)) = to else { continue };
        problems.extend(absent_flag(reference, to));
        problems.extend(changing_status(reference, to));
    }
}

/// The span of the condition on a path.
fn span_of(entity: &Entity<'_>, path: &Path) -> Span {
    let mut written = entity.ast.conditions.iter();
    let found = written.find(|(written, _)| written.value == *path);
    found.map_or(entity.ast.name.span, |(path, _)| path.span)
}

/// A destructive `on_missing` that depends on a flag that many items may lack.
fn absent_flag(reference: &Reference, to: &Entity<'_>) -> Option<Diagnostic> {
    let action = reference.on_missing.as_ref()?;
    if matches!(action.value, ReferentialAction::Report | ReferentialAction::Ignore) {
        return None;
    }
    let is_false = |test: &Test| test.literal() == Some(&Value::Bool(false));
    let (path, _) = to.conditions.iter().find(|(_, test)| is_false(test))?;
    Some(
        Diagnostic::new(
            &codes::ABSENT_FLAG,
            format!("an item without `{path}` is no `{}`, so references to it dangle", to.name()),
        )
        .at(action.span, format!("`{}` applies to them", action.value.name()))
        .at(span_of(to, path), "does not hold without the attribute")
        .help(format!("if items may lack the attribute, write `{path}: {{ not: true }}`")),
    )
}

/// An action on the referencing items that a change of an attribute causes, without any delete.
fn changing_status(reference: &Reference, to: &Entity<'_>) -> Option<Diagnostic> {
    let mut actions = reference.on_delete.iter();
    let action = actions.find(|action| action.value.changes_referencing())?;
    let changes = |(path, test): &&(Path, Test)| !test.is_timed() && is_status(path, test);
    let (path, _) = to.conditions.iter().find(changes)?;
    let is_cascade = action.value == ReferentialAction::Cascade;
    let effect = if is_cascade { "deletes" } else { "changes" };
    Some(
        Diagnostic::new(
            &codes::CHANGING_STATUS,
            format!("a change of `{path}` {effect} the items that refer to it"),
        )
        .at(action.span, format!("applies when an item is no `{}` any more", to.name()))
        .at(span_of(to, path), "may change while the item exists")
        .help("if only a delete should have this effect, remove the condition; otherwise, ignore this warning"),
    )
}

/// Whether a condition is on a state, which changes, and not on the kind of the item.
fn is_status(path: &Path, test: &Test) -> bool {
    let name = path.names().next_back().unwrap_or_default().to_lowercase();
    let is_kind = matches!(test.literal(), Some(Value::S(_) | Value::N(_)));
    !is_kind || name.ends_with("status") || name.ends_with("state")
}

/// A condition on the time of an entity that nothing refers to.
fn time_without_effect(entity: &Entity<'_>, scope: &Scope<'_>) -> Option<Diagnostic> {
    let (path, _) = entity.conditions.iter().find(|(_, test)| test.is_timed())?;
    let names = |name: &Option<Spanned<String>>| {
        name.as_ref().is_some_and(|name| name.value == entity.name())
    };
    let is_referenced = scope.file.references.iter().any(|reference| names(&reference.to));
    (!is_referenced).then(|| {
        Diagnostic::new(
            &codes::NO_EFFECT,
            format!("no reference leads to `{}`, so the time in `{path}` does not matter", entity.name()),
        )
        .at(span_of(entity, path), "has no effect")
        .help("remove the condition: no stream record says that a time has passed, so it decides only whether an item exists for references")
    })
}

/// An action whose items are found through mirrors that may be missing.
fn unreliable_mirror(reference: &Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let Find::Mirror(Some(name)) = &reference.find.as_ref()?.value else { return None };
    let mirror = scope.file.mirrors.iter().find(|mirror| mirror.name.value == name.value)?;
    let acts = |action: &&Spanned<ReferentialAction>| {
        action.value.changes_referencing() || action.value == ReferentialAction::Restore
    };
    let on_deletes = reference.on_delete.iter().chain(&reference.on_ttl_delete);
    let action = on_deletes.into_iter().find(acts)?;
    let (why, help) = match (mirror.mode, mirror.on_mirror_delete) {
        (Some(Mode::Off | Mode::Observe), _) => {
            ("does not write its mirrors", "remove the `mode` of the mirror rule")
        }
        (_, Some(OnMirrorDelete::Report)) => (
            "does not restore a mirror that someone deletes",
            "write `on_mirror_delete: restore` or `delete_source` in the mirror rule",
        ),
        (
            None | Some(Mode::Enforce),
            None | Some(OnMirrorDelete::Restore | OnMirrorDelete::DeleteSource),
        ) => {
            return None;
        }
    };
    Some(
        Diagnostic::new(
            &codes::MISSING_MIRROR,
            format!("`{}` may miss items that refer to a deleted one", reference.name.value),
        )
        .at(action.span, "applies only to the items that are found")
        .at(mirror.name.span, why)
        .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_distinguishes_kinds_unless_it_is_a_status() {
        let is_status = |path: &str, test: &Test| is_status(&Path::parse(path).unwrap(), test);
        let text = Test::equal("user".into());
        assert!(!is_status("type", &text));
        assert!(is_status("meta.orderStatus", &text));
        assert!(is_status("deleted", &Test::equal(Value::Bool(false))));
    }
}

//! Finds conflicting actions: two rules that undo each other's changes, or a rule that changes the
//! reference of another rule.

use super::alternatives::are_of_one_rule;
use super::changes::{changed_paths, declared_actions, is_changed};
use super::scope::Scope;
use crate::data::{Path, Value};
use crate::rules::ast::{self, ReferentialAction};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Component, Mode, Removal};
use crate::rules::span::Spanned;

/// A reference, as declared and as resolved.
#[derive(Clone, Copy)]
struct Rule<'r> {
    declared: &'r ast::Reference,
    resolved: Option<&'r model::Reference>,
}

/// Finds conflicting actions. `references` are in the order of the file.
pub(super) fn check(
    scope: &Scope<'_>,
    references: &[Option<model::Reference>],
    problems: &mut Vec<Diagnostic>,
) {
    let rules: Vec<Rule<'_>> = scope
        .file
        .references
        .iter()
        .zip(references)
        .map(|(declared, resolved)| Rule { declared, resolved: resolved.as_ref() })
        .filter(|rule| rule.declared.mode != Some(Mode::Off))
        .collect();
    for (index, rule) in rules.iter().enumerate() {
        let reference = rule.declared;
        problems.extend(changes_mirror(reference, scope));
        problems.extend(restores_mirror(reference, scope));
        problems.extend(deletes_restored(reference, reference));
        for before in rules.iter().take(index) {
            let other = before.declared;
            if are_of_one_rule(reference, other) {
                continue;
            }
            let conflict = opposite_actions(reference, other)
                .or_else(|| deletes_restored(other, reference))
                .or_else(|| deletes_restored(reference, other));
            problems.extend(conflict);
            problems.extend(shared_attributes(*before, *rule));
        }
    }
}

/// Two rules that react to the same delete with opposite actions.
fn opposite_actions(reference: &ast::Reference, other: &ast::Reference) -> Option<Diagnostic> {
    let (to, other_to) = (reference.to.as_ref()?, other.to.as_ref()?);
    if to.value != other_to.value {
        return None;
    }
    let are_opposite = |left: &Spanned<ReferentialAction>, right: &Spanned<ReferentialAction>| {
        (left.value == ReferentialAction::Restore && right.value.changes_referencing())
            || (right.value == ReferentialAction::Restore && left.value.changes_referencing())
    };
    let on_delete = reference.on_delete.as_ref().zip(other.on_delete.as_ref());
    let on_ttl_delete = reference
        .on_ttl_delete
        .as_ref()
        .or(reference.on_delete.as_ref())
        .zip(other.on_ttl_delete.as_ref().or(other.on_delete.as_ref()));
    let (left, right) = [on_delete, on_ttl_delete]
        .into_iter()
        .flatten()
        .find(|(left, right)| are_opposite(left, right))?;
    Some(
        Diagnostic::new(
            &codes::CONFLICT,
            format!(
                "`{}` and `{}` have opposite actions when a `{}` is deleted",
                other.name.value, reference.name.value, to.value
            ),
        )
        .at(left.span, format!("`{}`", left.value.name()))
        .at(right.span, format!("`{}`", right.value.name()))
        .help("change one of the actions to `report`"),
    )
}

/// A rule that deletes items that are written again by the other rule or by the rule itself.
///
/// A restored item refers to the same missing item as before, so it would be deleted and restored
/// again and again. Referee's deletes are not TTL deletes, so only `on_delete` matters.
fn deletes_restored(deleter: &ast::Reference, restorer: &ast::Reference) -> Option<Diagnostic> {
    let entity = &deleter.from.as_ref()?.value;
    if *entity != restorer.to.as_ref()?.value {
        return None;
    }
    let restore =
        restorer.on_delete.as_ref().filter(|it| it.value == ReferentialAction::Restore)?;
    let delete = declared_actions(deleter).find(|action| {
        matches!(
            action.value,
            ReferentialAction::Cascade | ReferentialAction::Delete | ReferentialAction::Revert
        )
    })?;
    let (name, other) = (&deleter.name.value, &restorer.name.value);
    let message = if name == other {
        format!("`{name}` deletes items of `{entity}` and restores them")
    } else {
        format!("`{name}` deletes items of `{entity}`, and `{other}` restores them")
    };
    Some(
        Diagnostic::new(&codes::CONFLICT, message)
            .at(delete.span, format!("`{}` deletes them", delete.value.name()))
            .at(restore.span, "`restore` writes them again")
            .help("change one of the actions to `report`"),
    )
}

/// The mirror rule that writes the entity with this name and is not off. Rules that overwrite their
/// own source are skipped, because they have a separate diagnostic.
fn writer<'f>(entity: Option<&Spanned<String>>, scope: &Scope<'f>) -> Option<&'f ast::Mirror> {
    let entity = &entity?.value;
    let mirror = scope.writer_of(entity).filter(|mirror| mirror.mode != Some(Mode::Off))?;
    mirror.source.as_ref().is_none_or(|source| source.value != *entity).then_some(mirror)
}

/// An action that changes mirror items. The mirror rule would undo the change.
fn changes_mirror(reference: &ast::Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mirror = writer(reference.from.as_ref(), scope)?;
    let action = declared_actions(reference).find(|action| action.value.changes_referencing())?;
    Some(
        Diagnostic::new(
            &codes::CONFLICT,
            format!("`{}` changes items that `{}` writes", reference.name.value, mirror.name.value),
        )
        .at(action.span, format!("`{}`", action.value.name()))
        .at(mirror.name.span, "undoes the change")
        .help(match &mirror.source {
            Some(source) => format!("declare the reference on the source, `{}`", source.value),
            None => "declare the reference on the source".to_owned(),
        }),
    )
}

/// A `restore` of mirror items. The mirror rule deletes them again when their source item is
/// deleted.
fn restores_mirror(reference: &ast::Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mirror = writer(reference.to.as_ref(), scope)?;
    let restore =
        declared_actions(reference).find(|action| action.value == ReferentialAction::Restore)?;
    Some(
        Diagnostic::new(
            &codes::CONFLICT,
            format!(
                "`{}` restores items that `{}` deletes",
                reference.name.value, mirror.name.value
            ),
        )
        .at(restore.span, "writes a mirror item again")
        .at(mirror.name.span, "deletes a mirror item whose source is deleted")
        .help(match &mirror.source {
            Some(source) => format!("refer to the mirror's source, `{}`, instead", source.value),
            None => "refer to the mirror's source instead".to_owned(),
        }),
    )
}

/// Conflicts between two references of one entity that have attributes in common.
fn shared_attributes(first: Rule<'_>, second: Rule<'_>) -> Option<Diagnostic> {
    let (left, right) = (first.resolved?, second.resolved?);
    let is_same = left.to == right.to && left.components == right.components;
    if left.from != right.from || is_same {
        return None;
    }
    let changed_by_both = changed_paths(&left.components)
        .find(|path| changed_paths(&right.components).any(|it| it == *path));
    changed_by_both
        .and_then(|path| different_defaults(first, second, path))
        .or_else(|| changes_other(first, second))
        .or_else(|| changes_other(second, first))
}

/// Two rules that set an attribute to different defaults, so that each may undo the other's change.
fn different_defaults(first: Rule<'_>, second: Rule<'_>, shared: &Path) -> Option<Diagnostic> {
    let sets = |rule: Rule<'_>| {
        let action = rule.declared.on_missing.as_ref();
        action
            .filter(|action| action.value == ReferentialAction::SetDefault)
            .map(|action| action.span)
    };
    let (left, right) = (sets(first)?, sets(second)?);
    let default = |rule: Rule<'_>| default_of(rule.resolved?, shared).cloned();
    if default(first) == default(second) {
        return None;
    }
    Some(
        Diagnostic::new(
            &codes::CONFLICT,
            format!(
                "`{}` and `{}` set `{shared}` to different defaults",
                first.declared.name.value, second.declared.name.value
            ),
        )
        .at(left, "sets one default")
        .at(right, "sets the other default")
        .help("change one of the actions to `report`, or write the same default in both"),
    )
}

/// The value that `set_default` writes at this path.
fn default_of<'m>(reference: &'m model::Reference, path: &Path) -> Option<&'m Value<'static>> {
    let is_at_path = |source: &Component| source.path() == Some(path);
    let index = reference.components.iter().position(is_at_path)?;
    reference.defaults.get(index)?.as_ref()
}

/// An action of one rule that changes an attribute of the other rule's reference.
fn changes_other(rule: Rule<'_>, other: Rule<'_>) -> Option<Diagnostic> {
    let parts = &other.resolved?.components;
    let removes_maps = rule.resolved?.removal == Removal::Element;
    let changes = |changed: &Component, part: &Path| {
        let list = changed.each().filter(|_| removes_maps);
        changed.path() == Some(part) || list.is_some_and(|list| part.is_inside(&list))
    };
    let components = &rule.resolved?.components;
    let sources = components.iter().filter(|source| is_changed(source, components));
    let paths = || parts.iter().filter_map(Component::path);
    let shared = sources.flat_map(|source| paths().filter(move |part| changes(source, part)));
    let shared = shared.into_iter().next()?;
    let action = declared_actions(rule.declared).find(|action| {
        matches!(action.value, ReferentialAction::Unset | ReferentialAction::SetDefault)
    })?;
    let (word, name) = (action.value.name(), &rule.declared.name.value);
    let verb = if action.value == ReferentialAction::Unset { "removes" } else { "sets" };
    let what = if rule.resolved?.has_elements() { "an element of " } else { "" };
    Some(
        Diagnostic::new(
            &codes::SHARED_PART,
            format!(
                "`{word}` of `{name}` also changes the reference `{}`",
                other.declared.name.value
            ),
        )
        .at(action.span, format!("{verb} {what}`{shared}`"))
        .at(other.declared.name.span, format!("also uses `{shared}`"))
        .help("use separate attributes for each reference, or use `report`"),
    )
}

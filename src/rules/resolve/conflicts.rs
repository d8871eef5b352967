//! Actions of two rules that undo each other, or that reach further than they say.

use super::Scope;
use super::actions::{changed, written};
use crate::data::{Path, Value};
use crate::rules::ast::{self, Action};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Mode, Source};
use crate::rules::span::Spanned;

/// A reference as the file has it, and as it was understood.
#[derive(Clone, Copy)]
struct Rule<'r> {
    written: &'r ast::Reference,
    meant: Option<&'r model::Reference>,
}

/// Finds the actions that do not go together. The references are in the order of the file.
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
        .map(|(written, meant)| Rule { written, meant: meant.as_ref() })
        .filter(|rule| rule.written.mode != Some(Mode::Off))
        .collect();
    for (at, rule) in rules.iter().enumerate() {
        let reference = rule.written;
        problems.extend(changes_mirror(reference, scope));
        problems.extend(restores_mirror(reference, scope));
        problems.extend(deletes_restored(reference, reference));
        for before in rules.iter().take(at) {
            let other = before.written;
            let fight = opposed(reference, other)
                .or_else(|| deletes_restored(other, reference))
                .or_else(|| deletes_restored(reference, other));
            problems.extend(fight);
            problems.extend(in_common(*before, *rule));
        }
    }
}

/// Opposite answers to one delete.
fn opposed(reference: &ast::Reference, other: &ast::Reference) -> Option<Diagnostic> {
    let (to, other_to) = (reference.to.as_ref()?, other.to.as_ref()?);
    if to.value != other_to.value {
        return None;
    }
    let opposed = |left: &Spanned<Action>, right: &Spanned<Action>| {
        (left.value == Action::Restore && right.value.changes_referencing())
            || (right.value == Action::Restore && left.value.changes_referencing())
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
        .find(|(left, right)| opposed(left, right))?;
    Some(
        Diagnostic::new(
            &codes::FIGHT,
            format!(
                "`{}` and `{}` answer the delete of one `{}` with opposite actions",
                other.name.value, reference.name.value, to.value
            ),
        )
        .at(left.span, format!("`{}`", left.value.word()))
        .at(right.span, format!("`{}`", right.value.word()))
        .help("let one of the two `report`"),
    )
}

/// A rule deletes items that another one, or the same, writes again.
///
/// What is written again refers to the same missing item as before, so that it may be deleted
/// again, and so on. A delete of Referee's own is none made by TTL, so only `on_delete` matters.
fn deletes_restored(deleter: &ast::Reference, restorer: &ast::Reference) -> Option<Diagnostic> {
    let entity = &deleter.from.as_ref()?.value;
    if *entity != restorer.to.as_ref()?.value {
        return None;
    }
    let restore = restorer.on_delete.as_ref().filter(|it| it.value == Action::Restore)?;
    let delete = written(deleter)
        .find(|action| matches!(action.value, Action::Cascade | Action::Delete | Action::Revert))?;
    let (name, other) = (&deleter.name.value, &restorer.name.value);
    let message = if name == other {
        format!("`{name}` deletes items of `{entity}` and writes them again")
    } else {
        format!("`{name}` deletes items of `{entity}` that `{other}` writes again")
    };
    Some(
        Diagnostic::new(&codes::FIGHT, message)
            .at(delete.span, format!("`{}` deletes them", delete.value.word()))
            .at(restore.span, "`restore` writes them again")
            .help("let one of the two `report`"),
    )
}

/// The mirror rule that writes the entity of this name, and is on. What it writes over its own
/// source is another problem.
fn writer<'f>(entity: Option<&Spanned<String>>, scope: &Scope<'f>) -> Option<&'f ast::Mirror> {
    let entity = &entity?.value;
    let mirror = scope.writer_of(entity).filter(|mirror| mirror.mode != Some(Mode::Off))?;
    mirror.source.as_ref().is_none_or(|source| source.value != *entity).then_some(mirror)
}

/// An action that changes what a mirror rule writes, which the mirror rule undoes.
fn changes_mirror(reference: &ast::Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mirror = writer(reference.from.as_ref(), scope)?;
    let action = written(reference).find(|action| action.value.changes_referencing())?;
    Some(
        Diagnostic::new(
            &codes::FIGHT,
            format!("`{}` changes items that `{}` writes", reference.name.value, mirror.name.value),
        )
        .at(action.span, format!("`{}`", action.value.word()))
        .at(mirror.name.span, "puts them right again")
        .help(match &mirror.source {
            Some(source) => format!("declare the reference on the source, `{}`", source.value),
            None => "declare the reference on the source".to_owned(),
        }),
    )
}

/// A deleted mirror is written again, which the mirror rule deletes again if its source is gone.
fn restores_mirror(reference: &ast::Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mirror = writer(reference.to.as_ref(), scope)?;
    let restore = written(reference).find(|action| action.value == Action::Restore)?;
    Some(
        Diagnostic::new(
            &codes::FIGHT,
            format!(
                "`{}` writes items again that `{}` deletes",
                reference.name.value, mirror.name.value
            ),
        )
        .at(restore.span, "`restore` of a mirror")
        .at(mirror.name.span, "deletes it when its source is gone")
        .help(match &mirror.source {
            Some(source) => format!("refer to the source, `{}`", source.value),
            None => "refer to the source".to_owned(),
        }),
    )
}

/// What two references of one item do to the attributes that both are made of.
fn in_common(first: Rule<'_>, second: Rule<'_>) -> Option<Diagnostic> {
    let (left, right) = (first.meant?, second.meant?);
    let is_same = left.to == right.to && left.components == right.components;
    if left.from != right.from || is_same {
        return None;
    }
    let changed_by_both =
        changed(&left.components).find(|path| changed(&right.components).any(|it| it == *path));
    changed_by_both
        .and_then(|path| endless(first, second, path))
        .or_else(|| also_changed(first, second))
        .or_else(|| also_changed(second, first))
}

/// Each of two rules sets an attribute to what the other one may find missing.
fn endless(first: Rule<'_>, second: Rule<'_>, shared: &Path) -> Option<Diagnostic> {
    let sets = |rule: Rule<'_>| {
        let action = rule.written.on_missing.as_ref();
        action.filter(|action| action.value == Action::SetDefault).map(|action| action.span)
    };
    let (left, right) = (sets(first)?, sets(second)?);
    let default = |rule: Rule<'_>| default_of(rule.meant?, shared).cloned();
    if default(first) == default(second) {
        return None;
    }
    Some(
        Diagnostic::new(
            &codes::FIGHT,
            format!(
                "`{}` and `{}` set `{shared}` to different values",
                first.written.name.value, second.written.name.value
            ),
        )
        .at(left, "sets one value")
        .at(right, "sets the other")
        .help("let one of the two `report`, or give both the same default"),
    )
}

/// What `set_default` writes at this path.
fn default_of<'m>(reference: &'m model::Reference, path: &Path) -> Option<&'m Value<'static>> {
    let is_at_path = |source: &Source| source.path() == Some(path);
    let at = reference.components.iter().position(is_at_path)?;
    reference.defaults.get(at)?.as_ref()
}

/// An action on the one reference changes what the other one is made of.
fn also_changed(rule: Rule<'_>, other: Rule<'_>) -> Option<Diagnostic> {
    let parts = &other.meant?.components;
    let shared = changed(&rule.meant?.components)
        .find(|path| parts.iter().filter_map(Source::path).any(|part| part == *path))?;
    let action = written(rule.written)
        .find(|action| matches!(action.value, Action::Unset | Action::SetDefault))?;
    let (word, name) = (action.value.word(), &rule.written.name.value);
    let does = if action.value == Action::Unset { "removes" } else { "sets" };
    let what = if rule.meant?.has_elements() { "an element of " } else { "" };
    Some(
        Diagnostic::new(
            &codes::SHARED_PART,
            format!("`{word}` of `{name}` changes `{}` as well", other.written.name.value),
        )
        .at(action.span, format!("{does} {what}`{shared}`"))
        .at(other.written.name.span, format!("is made of `{shared}` too"))
        .help("give each reference attributes of its own, or use `report`"),
    )
}

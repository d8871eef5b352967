//! References, resolved.

use std::time::Duration;

use super::find;
use super::indexes::Indexes;
use super::sources::{self, Sides};
use super::{Scope, actions};
use crate::rules::ast::{self, Action};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Matching, OnDelete, OnMissing, Source};

/// How long a dangling reference may last if the rule does not say.
const GRACE: Duration = Duration::from_secs(2);
/// How many items one delete may touch if the rule does not say.
const FANOUT_MAX: u64 = 10_000;
/// How deep a cascade may go if the rule does not say: as deep as in `InnoDB`.
/// <https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html>
const DEPTH_MAX: u64 = 15;

pub(super) fn resolve(
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<model::Reference>> {
    let references = scope.file.references.iter();
    references.map(|reference| resolve_one(reference, scope, indexes, problems)).collect()
}

fn resolve_one(
    reference: &ast::Reference,
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Reference> {
    let from = reference.from.as_ref().and_then(|name| scope.entity(name, problems));
    let to = reference.to.as_ref().and_then(|name| scope.entity(name, problems));
    let ((from_id, from), (to_id, to)) = (from?, to?);
    let sides = Sides { from, from_key: from.key.as_ref()?, to, to_key: to.key.as_ref()? };
    let components = sources::resolve(reference, sides, problems);
    let find = find::resolve(reference, sides, components.as_deref(), scope, indexes, problems);
    let components = components?;
    actions::check(reference, sides, &components, scope, problems);
    without_effect(reference, sides, &components, problems);
    limits_nothing(reference, sides, find.as_ref(), problems);
    let on_missing = reference.on_missing.as_ref().map(|action| on_missing(action.value));
    let on_delete = reference.on_delete.as_ref().map(|action| on_delete(action.value));
    let on_ttl_delete =
        reference.on_ttl_delete.as_ref().map(|action| self::on_delete(action.value)).or(on_delete);
    Some(model::Reference {
        name: reference.name.value.clone(),
        from: from_id,
        to: to_id,
        defaults: actions::defaults(reference, sides, &components),
        components,
        matching: reference.matching.as_ref().map(|it| it.value).unwrap_or_default(),
        required: reference.required.as_ref().is_some_and(|required| required.value),
        on_missing: on_missing.unwrap_or_default(),
        on_delete: on_delete.unwrap_or_default(),
        on_ttl_delete: on_ttl_delete.unwrap_or_default(),
        find: find?,
        grace: reference.grace.unwrap_or(GRACE),
        mode: reference.mode.unwrap_or_default(),
        severity: reference.severity.unwrap_or_default(),
        fanout_max: reference.fanout_max.as_ref().map_or(FANOUT_MAX, |count| count.value),
        depth_max: reference.depth_max.as_ref().map_or(DEPTH_MAX, |count| count.value),
    })
}

/// The action under `on_missing`. The shape check has refused the words that are none.
fn on_missing(action: Action) -> OnMissing {
    match action {
        Action::Delete => OnMissing::Delete,
        Action::Unset => OnMissing::Unset,
        Action::SetDefault => OnMissing::SetDefault,
        Action::Revert => OnMissing::Revert,
        Action::Report | Action::Ignore | Action::Cascade | Action::Restore => OnMissing::Report,
    }
}

/// The action under `on_delete`. The shape check has refused the words that are none.
fn on_delete(action: Action) -> OnDelete {
    match action {
        Action::Ignore => OnDelete::Ignore,
        Action::Cascade => OnDelete::Cascade,
        Action::Unset => OnDelete::Unset,
        Action::SetDefault => OnDelete::SetDefault,
        Action::Restore => OnDelete::Restore,
        Action::Report | Action::Delete | Action::Revert => OnDelete::Report,
    }
}

fn without_effect(
    reference: &ast::Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
    problems: &mut Vec<Diagnostic>,
) {
    let from_key = components.iter().all(|source| matches!(source, Source::Capture(_)));
    if let Some(required) = reference.required.as_ref().filter(|it| it.value && from_key) {
        problems.push(
            Diagnostic::new(
                &codes::ALWAYS_PRESENT,
                format!("the reference `{}` is always there", reference.name.value),
            )
            .at(required.span, "has no effect")
            .help("remove it: all parts come from the item's key, which every item has"),
        );
    }
    let own = |(at, source): (usize, &Source)| *source == Source::Capture(at);
    if sides.from.name() == sides.to.name() && components.iter().enumerate().all(own) {
        problems.push(
            Diagnostic::new(
                &codes::NO_EFFECT,
                format!("every `{}` refers to itself", sides.from.name()),
            )
            .at(reference.name.span, "is never broken")
            .help("say in `on` which attribute refers to another item"),
        );
    }
    let full = reference.matching.as_ref().filter(|it| it.value == Matching::Full);
    if let Some(full) = full.filter(|_| from_key || components.len() < 2) {
        problems.push(
            Diagnostic::new(
                &codes::NO_EFFECT,
                format!("the reference `{}` cannot be there in part", reference.name.value),
            )
            .at(full.span, "has no effect")
            .help("remove it"),
        );
    }
}

/// Limits of what the rule does not do.
fn limits_nothing(
    reference: &ast::Reference,
    sides: Sides<'_, '_>,
    find: Option<&model::Find>,
    problems: &mut Vec<Diagnostic>,
) {
    let (name, from) = (&reference.name.value, sides.from.name());
    let no_effect = |message: String, span| {
        Diagnostic::new(&codes::NO_EFFECT, message).at(span, "has no effect").help("remove it")
    };
    let written = |action| {
        let mut actions = reference.on_delete.iter().chain(&reference.on_ttl_delete);
        actions.any(|written| written.value == action)
    };
    // Cascades in a circle of several entities are refused.
    let descends = from == sides.to.name() && written(Action::Cascade);
    if let Some(depth_max) = reference.depth_max.as_ref().filter(|_| !descends) {
        let message = format!("`{name}` cascades from no `{from}` to another");
        problems.push(no_effect(message, depth_max.span));
    }
    let on_delete = reference.on_delete.as_ref();
    let on_ttl_delete = reference.on_ttl_delete.as_ref().or(on_delete);
    let ignores = [on_delete, on_ttl_delete]
        .iter()
        .all(|action| action.is_some_and(|action| action.value == Action::Ignore));
    let finds_none = find == Some(&model::Find::None) || ignores;
    if let Some(fanout_max) = reference.fanout_max.as_ref().filter(|_| finds_none) {
        let message = format!("`{name}` looks for no items that a delete leaves behind");
        problems.push(no_effect(message, fanout_max.span));
    }
}

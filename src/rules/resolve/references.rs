//! Resolves references.

use super::indexes::Indexes;
use super::scope::Scope;
use super::sources::{self, Sides, Sources};
use super::{actions, alternatives, derived, find, set_default, views};
use crate::rules::ast::{self, ReferentialAction};
use crate::rules::codes;
use crate::rules::defaults;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Component, Expired, Matching, OnDelete, OnMissing, View};

pub(super) fn resolve(
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    views: &mut Vec<View>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<model::Reference>> {
    let references = scope.file.references.iter();
    references.map(|reference| resolve_one(reference, scope, indexes, views, problems)).collect()
}

fn resolve_one(
    reference: &ast::Reference,
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    views: &mut Vec<View>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Reference> {
    let from = reference.from.as_ref();
    let from = from.and_then(|name| scope.entity(name, reference.from_at, problems));
    let to_at = alternatives::position(reference);
    let to = reference.to.as_ref().and_then(|name| scope.entity(name, to_at, problems));
    let ((from_id, from), (to_id, to)) = (from?, to?);
    let in_index = match views::target(reference) {
        Some(target) => {
            views::check_actions(reference, target, problems);
            Some((target, views::key(target, to, scope, problems)?))
        }
        None => None,
    };
    let of_index = in_index.as_ref().map(|(_, index)| &index.key);
    let (from_key, to_key) = (from.key.as_ref()?, of_index.or(to.key.as_ref())?);
    let discriminator = sources::discriminating_capture(reference, from_key);
    let sides = Sides { from, from_key, to, to_key, discriminator };
    let sources = sources::resolve(reference, sides, scope, problems);
    let components = sources.as_ref().map(|sources| sources.components.as_slice());
    let find = find::resolve(reference, sides, components, scope, indexes, problems);
    let Sources { components, contained, agreeing, discriminator } = sources?;
    actions::check(reference, sides, &components, scope, problems);
    problems.extend(expires_never(reference, sides, scope));
    derived::check_list(reference, sides, &components, scope, problems);
    let none = derived::none(reference, &components, problems);
    check_effect(reference, sides, &components, problems);
    check_limits(reference, sides, find.as_ref(), problems);
    let find = find?;
    let to_id = match &in_index {
        Some((target, key)) => {
            views::add(views, reference, (*target, key), (to_id, to), scope, indexes, problems)?
        }
        None => to_id,
    };
    let of_find = from.table.and_then(|table| indexes.found(table, &find));
    let derived = derived::derived(reference, sides, &components, &find, of_find, scope);
    let on_delete = reference
        .on_delete
        .as_ref()
        .map_or(defaults::ON_DELETE, |action| to_on_delete(action.value));
    Some(model::Reference {
        name: reference.name.value.clone(),
        from: from_id,
        to: to_id,
        alternative: alternatives::alone(discriminator),
        defaults: set_default::defaults(reference, sides, &components),
        components,
        contained,
        agreeing,
        matching: reference.matching.as_ref().map_or(defaults::MATCHING, |it| it.value),
        required: reference.required.as_ref().map_or(defaults::REQUIRED, |it| it.value),
        expired: reference.expired.as_ref().map_or(defaults::EXPIRED, |it| it.value),
        on_missing: reference
            .on_missing
            .as_ref()
            .map_or(defaults::ON_MISSING, |action| to_on_missing(action.value)),
        on_delete,
        on_ttl_delete: reference
            .on_ttl_delete
            .as_ref()
            .map_or(on_delete, |action| to_on_delete(action.value)),
        derived,
        removal: reference.removal.as_ref().map_or(defaults::REMOVAL, |it| it.value),
        none,
        find,
        grace: reference.grace.unwrap_or(defaults::GRACE),
        mode: reference.mode.unwrap_or(defaults::MODE),
        severity: reference.severity.unwrap_or(defaults::SEVERITY),
        fanout_max: reference.fanout_max.as_ref().map_or(defaults::FANOUT_MAX, |count| count.value),
        depth_max: reference.depth_max.as_ref().map_or(defaults::DEPTH_MAX, |count| count.value),
    })
}

/// The action of `on_missing`. The shape check has rejected all other words.
fn to_on_missing(action: ReferentialAction) -> OnMissing {
    match action {
        ReferentialAction::Delete => OnMissing::Delete,
        ReferentialAction::Unset => OnMissing::Unset,
        ReferentialAction::SetDefault => OnMissing::SetDefault,
        ReferentialAction::Revert => OnMissing::Revert,
        ReferentialAction::Report
        | ReferentialAction::Ignore
        | ReferentialAction::Cascade
        | ReferentialAction::Restore => OnMissing::Report,
    }
}

/// The action of `on_delete`. The shape check has rejected all other words.
fn to_on_delete(action: ReferentialAction) -> OnDelete {
    match action {
        ReferentialAction::Ignore => OnDelete::Ignore,
        ReferentialAction::Cascade => OnDelete::Cascade,
        ReferentialAction::Unset => OnDelete::Unset,
        ReferentialAction::SetDefault => OnDelete::SetDefault,
        ReferentialAction::Restore => OnDelete::Restore,
        ReferentialAction::Report | ReferentialAction::Delete | ReferentialAction::Revert => {
            OnDelete::Report
        }
    }
}

/// Reports that no referenced item can expire, because its table declares no TTL attribute.
fn expires_never(
    reference: &ast::Reference,
    sides: Sides<'_, '_>,
    scope: &Scope<'_>,
) -> Option<Diagnostic> {
    let expired = reference.expired.as_ref().filter(|it| it.value == Expired::Absent)?;
    // An alternative without a TTL attribute does not expire.
    let ttl_of = |target: &ast::Target| {
        let (_, entity) = scope.entity_at(&target.entity.value, target.at)?;
        scope.table_of(entity)?.ast.ttl.as_ref()
    };
    if reference.targets.each.iter().any(|target| ttl_of(target).is_some()) {
        return None;
    }
    let table = scope.table_of(sides.to)?;
    let alias = &table.ast.alias;
    Some(
        Diagnostic::new(
            &codes::NO_TTL,
            format!("the table of `{}` declares no TTL attribute", sides.to.name()),
        )
        .at(expired.span, "needs the time at which an item expires")
        .at(alias.span, "has no `ttl`")
        .help(format!("add `ttl` to the table `{}`, with its TTL attribute", alias.value)),
    )
}

/// Reports keys of the rule that have no effect, and a reference that can never dangle.
fn check_effect(
    reference: &ast::Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    problems: &mut Vec<Diagnostic>,
) {
    let from_key = components.iter().all(|source| source.path().is_none());
    if let Some(required) = reference.required.as_ref().filter(|it| it.value && from_key) {
        problems.push(
            Diagnostic::new(
                &codes::ALWAYS_PRESENT,
                format!("the reference `{}` is always present", reference.name.value),
            )
            .at(required.span, "has no effect")
            .help("remove it: all parts of the reference come from the item's key"),
        );
    }
    let is_own = |(index, source): (usize, &Component)| *source == Component::Capture(index);
    if sides.from.name() == sides.to.name() && components.iter().enumerate().all(is_own) {
        problems.push(
            Diagnostic::new(
                &codes::NO_EFFECT,
                format!("every `{}` refers to itself", sides.from.name()),
            )
            .at(reference.name.span, "never broken")
            .help("use `on` to name the attribute that refers to another item"),
        );
    }
    let full = reference.matching.as_ref().filter(|it| it.value == Matching::Full);
    if let Some(full) = full.filter(|_| from_key || components.len() < 2) {
        problems.push(
            Diagnostic::new(
                &codes::NO_EFFECT,
                format!("the reference `{}` cannot be partial", reference.name.value),
            )
            .at(full.span, "has no effect")
            .help("remove it"),
        );
    }
}

/// Reports limits that have no effect, because the rule never performs the limited operation.
fn check_limits(
    reference: &ast::Reference,
    sides: Sides<'_, '_>,
    find: Option<&model::Find>,
    problems: &mut Vec<Diagnostic>,
) {
    let (name, from) = (&reference.name.value, sides.from.name());
    let no_effect = |message: String, span| {
        Diagnostic::new(&codes::NO_EFFECT, message).at(span, "has no effect").help("remove it")
    };
    let has_action = |action| {
        let mut actions = reference.on_delete.iter().chain(&reference.on_ttl_delete);
        actions.any(|declared| declared.value == action)
    };
    // Cycles of cascades through several entities are errors, so only this rule itself matters.
    let is_recursive = from == sides.to.name() && has_action(ReferentialAction::Cascade);
    if let Some(depth_max) = reference.depth_max.as_ref().filter(|_| !is_recursive) {
        let message = format!("`{name}` does not cascade between items of `{from}`");
        problems.push(no_effect(message, depth_max.span));
    }
    let on_delete = reference.on_delete.as_ref();
    let on_ttl_delete = reference.on_ttl_delete.as_ref().or(on_delete);
    let ignores = [on_delete, on_ttl_delete]
        .iter()
        .all(|action| action.is_some_and(|action| action.value == ReferentialAction::Ignore));
    let finds_none = find == Some(&model::Find::None) || ignores;
    if let Some(fanout_max) = reference.fanout_max.as_ref().filter(|_| finds_none) {
        let message = format!("`{name}` does not look for orphans");
        problems.push(no_effect(message, fanout_max.span));
    }
}

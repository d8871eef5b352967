//! Resolves `unset` and `none`: the attributes that are derived from a reference, and the values
//! that mean that there is no reference.

use super::changes::{changed_paths, declared_actions, is_changed};
use super::entities::value_of;
use super::scope::Scope;
use super::sources::Sides;
use super::tables::{RESERVED, reserved};
use crate::data::{KeyAttribute, Value};
use crate::rules::ast::{Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Component, Derived, Find, TableIndex};
use crate::rules::span::Spanned;
use crate::rules::template::KeyTemplate;

/// The attributes besides the reference's own that `unset` removes and `set_default` rewrites.
///
/// By default, these are the key attributes of the index in `find` whose templates contain a changed
/// part of the reference: without it, queries of the index would still list the item.
pub(super) fn derived(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    find: &Find,
    indexed: Option<&TableIndex>,
    scope: &Scope<'_>,
) -> Vec<Derived> {
    if !declared_actions(reference).any(|action| is_update(action.value)) {
        return Vec::new();
    }
    let is_own = |name: &str| changed_paths(components).any(|path| path.root() == name);
    let is_key =
        |name: &str| scope.table_of(sides.from).is_some_and(|it| it.is_key_attribute(name));
    let is_condition =
        |name: &str| sides.from.ast.conditions.iter().any(|(path, _)| path.value.root() == name);
    let templates = templates(find, indexed);
    let template_of = |name: &str| {
        let mut named = templates.iter().filter(|(attribute, _)| attribute.name == name);
        named.next().map(|(_, template)| (*template).clone())
    };
    if let Some(listed) = &reference.unset {
        let others = listed.value.iter().map(|name| &name.value).filter(|name| !is_own(name));
        let derived = |name: &String| Derived {
            attribute: name.clone(),
            template: template_of(name),
            is_listed: true,
        };
        return others.map(derived).collect();
    }
    let follows = |template: &KeyTemplate| {
        template.captures().any(|name| {
            let source = sides.to_key.capture(name).and_then(|(index, _)| components.get(index));
            source.is_some_and(|source| is_changed(source, components))
        })
    };
    let index_keys = templates.into_iter().filter(|(KeyAttribute { name, .. }, template)| {
        !is_own(name) && !is_key(name) && !is_condition(name) && follows(template)
    });
    let derived = |(attribute, template): (&KeyAttribute, &KeyTemplate)| Derived {
        attribute: attribute.name.clone(),
        template: Some(template.clone()),
        is_listed: false,
    };
    index_keys.map(derived).collect()
}

const fn is_update(action: ReferentialAction) -> bool {
    matches!(action, ReferentialAction::Unset | ReferentialAction::SetDefault)
}

/// The key attributes of the index in `find`, with their templates.
fn templates<'f>(
    find: &'f Find,
    indexed: Option<&'f TableIndex>,
) -> Vec<(&'f KeyAttribute, &'f KeyTemplate)> {
    let (Find::Index { partition, sort, .. }, Some(index)) = (find, indexed) else {
        return Vec::new();
    };
    let sort = index.key.sort.as_ref().zip(sort.as_ref());
    std::iter::once((&index.key.partition, partition)).chain(sort).collect()
}

/// Checks the list of attributes in `unset`.
pub(super) fn check_list(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    problems.extend(check_removal(reference, components));
    let Some(listed) = &reference.unset else { return };
    if !declared_actions(reference).any(|action| is_update(action.value)) {
        problems.push(
            Diagnostic::new(&codes::NO_EFFECT, "`unset` without an action that uses it")
                .at(listed.span, "has no effect")
                .help("add an action `unset` or `set_default`, or remove the list"),
        );
    }
    if components.iter().any(Component::is_of_element) {
        problems.push(
            Diagnostic::new(&codes::UNSET_LIST, "an element has no derived attributes")
                .at(listed.span, "the item may have other elements")
                .help("remove the list: `unset` removes the element"),
        );
        return;
    }
    let is_listed = |name: &str| listed.value.iter().any(|it| it.value == name);
    let mut own = changed_paths(components).filter(|path| path.only_name().is_some());
    if let Some(path) = own.find(|path| !is_listed(path.root())) {
        problems.push(
            Diagnostic::new(&codes::UNSET_LIST, format!("the list has no `{path}`"))
                .at(listed.span, format!("`{path}` is a part of the reference"))
                .help(format!(
                    "add `{path}`: without it, the item would still refer to its target"
                )),
        );
    }
    for name in &listed.value {
        check_listed(name, sides, scope, problems);
    }
}

/// The diagnostic for a `field` or `element` to remove where there is no choice.
fn check_removal(reference: &Reference, components: &[Component]) -> Option<Diagnostic> {
    let removal = reference.removal.as_ref()?;
    let why = if !components.iter().any(|source| matches!(source, Component::Field(..))) {
        "the reference has no part in the maps of a list"
    } else if !declared_actions(reference).any(|it| it.value == ReferentialAction::Unset) {
        "the rule has no action `unset`"
    } else {
        return None;
    };
    let word = removal.value.name();
    Some(
        Diagnostic::new(&codes::NO_EFFECT, format!("`unset: {word}` has no effect"))
            .at(removal.span, why)
            .help("remove it"),
    )
}

fn check_listed(
    name: &Spanned<String>,
    sides: Sides<'_, '_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let is_key = scope.table_of(sides.from).is_some_and(|it| it.is_key_attribute(&name.value));
    let mut conditions = sides.from.ast.conditions.iter();
    if name.value == RESERVED {
        problems.push(reserved(name.span));
    } else if is_key {
        problems.push(
            Diagnostic::new(&codes::UNSET_KEY, "`unset` cannot change the key of an item")
                .at(name.span, "a key attribute of the table")
                .help("remove it from the list"),
        );
    } else if let Some((path, _)) = conditions.find(|(path, _)| path.value.root() == name.value) {
        problems.push(
            Diagnostic::new(
                &codes::UNSET_WHERE,
                format!(
                    "after `unset`, the item would no longer belong to `{}`",
                    sides.from.name()
                ),
            )
            .at(name.span, format!("removes `{}`", name.value))
            .at(path.span, "required by this condition")
            .help("remove it from the list"),
        );
    }
}

/// The values that mean that there is no reference.
pub(super) fn none(
    reference: &Reference,
    components: &[Component],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Value<'static>> {
    let Some(written) = &reference.none else { return Vec::new() };
    if components.iter().all(|source| source.path().is_none()) {
        problems.push(
            Diagnostic::new(&codes::NO_EFFECT, "all parts of the reference come from the key")
                .at(written.span, "has no effect")
                .help("remove `none`: a key attribute always has a value"),
        );
    }
    let mut values = Vec::new();
    for literal in &written.value {
        match value_of(&literal.value) {
            Ok(value @ (Value::S(_) | Value::N(_))) => values.push(value),
            Ok(value) => problems.push(
                Diagnostic::new(
                    &codes::CONTRADICTION,
                    format!("a part of a reference cannot have type {}", value.kind()),
                )
                .at(literal.span, "never equal")
                .help("write a text or a number; an absent attribute and NULL always mean none"),
            ),
            Err(error) => {
                problems.push(Diagnostic::new(&codes::FORMAT, error).at(literal.span, ""));
            }
        }
    }
    let defaults = super::set_default::literals(reference);
    for literal in defaults {
        if value_of(literal).is_ok_and(|value| values.contains(&value)) {
            problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    "the default means that there is no reference",
                )
                .at(written.span, "contains the default")
                .help("use `unset`, or another default"),
            );
        }
    }
    values
}

//! Checks that a rule with `set_default` has a valid default.

use super::alternatives::is_capture_of_any;
use super::changes::{declared_actions, is_changed};
use super::entities::value_of;
use super::scope::Scope;
use super::source_problems::unknown_capture;
use super::sources::{Elements, Sides};
use crate::data::{KeyValue, Path, Type, Value};
use crate::rules::ast::{DefaultValue, Literal, Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::Component;
use crate::rules::span::{Span, Spanned};
use crate::rules::template::BuildError;

/// Checks the default of one rule.
pub(super) fn check(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let problems_before = problems.len();
    check_values(reference, sides, components, scope, problems);
    if problems.len() == problems_before {
        problems.extend(makes_no_key(reference, sides, components));
    }
}

fn check_values(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let action =
        declared_actions(reference).find(|action| action.value == ReferentialAction::SetDefault);
    match (action, &reference.default) {
        (None, None) => {}
        (None, Some(default)) => problems.push(
            Diagnostic::new(&codes::NO_EFFECT, "`default` without an action `set_default`")
                .at(default.span, "has no effect")
                .help("remove it"),
        ),
        (Some(action), None) => problems.push(
            Diagnostic::new(
                &codes::DEFAULT_MISSING,
                format!("the reference `{}` has no default", reference.name.value),
            )
            .at(action.span, "needs a default")
            .help("add `default` with the value to set"),
        ),
        (Some(_), Some(default)) => match &default.value {
            DefaultValue::One(literal) => {
                let count = sides.to_key.captures.len();
                let own = components.get(..count).unwrap_or_default();
                check_one(&default.with(literal), own, problems);
            }
            DefaultValue::Each(values) => {
                // The other names may be captures of the rule's other entities.
                let is_own = |name: &str| {
                    sides.to_key.capture(name).is_some()
                        || !is_capture_of_any(reference, name, scope)
                };
                let own: Vec<_> =
                    values.iter().filter(|(name, _)| is_own(&name.value)).cloned().collect();
                check_each(reference, default.span, &own, sides, components, problems);
            }
        },
    }
}

/// The literals in `default`.
pub(super) fn literals(reference: &Reference) -> Vec<&Literal> {
    match reference.default.as_ref().map(|default| &default.value) {
        None => Vec::new(),
        Some(DefaultValue::One(literal)) => vec![literal],
        Some(DefaultValue::Each(values)) => {
            values.iter().map(|(_, literal)| &literal.value).collect()
        }
    }
}

/// The value that `set_default` sets for each component; `None` if it does not change the
/// component.
pub(super) fn defaults(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
) -> Vec<Option<Value<'static>>> {
    let Some(default) = &reference.default else { return vec![None; components.len()] };
    let only_checked = components.len().saturating_sub(sides.to_key.captures.len());
    let literal = |capture: &str| match &default.value {
        DefaultValue::One(literal) => Some(literal),
        DefaultValue::Each(values) => {
            values.iter().find(|(name, _)| name.value == capture).map(|(_, literal)| &literal.value)
        }
    };
    components
        .iter()
        .zip(&sides.to_key.captures)
        .map(|(source, capture)| {
            let literal = literal(&capture.name).filter(|_| is_changed(source, components))?;
            value_of(literal).ok()
        })
        .chain(std::iter::repeat_n(None, only_checked))
        .collect()
}

/// The diagnostic for a default that cannot be part of a key of the referenced entity.
fn makes_no_key(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
) -> Option<Diagnostic> {
    let default = reference.default.as_ref()?;
    let values = defaults(reference, sides, components).into_iter();
    let captures: Vec<_> = values.map(|value| KeyValue::from_value(&value?)).collect();
    let key = &sides.to_key.key;
    let known = |name: &str| captures.get(sides.to_key.capture(name)?.0)?.clone();
    // The values of the parts that come from the item's key are not known here, so a missing value
    // does not mean that the default is wrong.
    let error = [Some(key.partition()), key.sort()]
        .into_iter()
        .flatten()
        .filter_map(|template| template.build(key.separator(), &known).err())
        .find(|error| !matches!(error, BuildError::Missing(_)))
        .or_else(|| key.build_prefix(&captures).err())?;
    Some(
        Diagnostic::new(
            &codes::DEFAULT_WRONG,
            format!("the default cannot be part of a key of `{}`", sides.to.name()),
        )
        .at(default.span, error.to_string())
        .at(sides.to.key_span(), "the referenced key"),
    )
}

fn check_one(
    default: &Spanned<&Literal>,
    components: &[Component],
    problems: &mut Vec<Diagnostic>,
) {
    let mut attributes = components.iter().filter(|source| is_changed(source, components));
    match (attributes.next(), attributes.next()) {
        (Some(source), None) => check_type(default.value, source, default.span, problems),
        (Some(_), Some(_)) => problems.push(
            Diagnostic::new(
                &codes::DEFAULT_WRONG,
                "one default for several parts of the reference",
            )
            .at(default.span, "ambiguous")
            .help("write a map with a value for each capture"),
        ),
        // If no part can be set, the check of the action reports it.
        (None, _) => {}
    }
}

fn set_twice(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::DEFAULT_WRONG, "two different defaults for one attribute")
        .at(span, "another part sets the attribute to a different value")
        .help("write the same value for each part that comes from the attribute")
}

fn check_each(
    reference: &Reference,
    span: Span,
    values: &[(Spanned<String>, Spanned<Literal>)],
    sides: Sides<'_, '_>,
    components: &[Component],
    problems: &mut Vec<Diagnostic>,
) {
    let mut set: Vec<(Option<&Path>, &Literal)> = Vec::new();
    for (name, literal) in values {
        let known = sides.to_key.capture(&name.value).and_then(|(index, _)| components.get(index));
        match known {
            None => problems.push(unknown_capture(name, sides.to, sides.to_key)),
            Some(Component::Capture(_) | Component::Constant(_)) => problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("`{}` comes from the key", name.value),
                )
                .at(name.span, "cannot be set")
                .help("remove it: an item's key cannot change"),
            ),
            Some(source) if !is_changed(source, components) => problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("`set_default` does not change `{}`", name.value),
                )
                .at(name.span, "shared by all elements of the list or set")
                .help("remove it: `set_default` sets only the elements of a list or set"),
            ),
            Some(source) => {
                check_type(&literal.value, source, literal.span, problems);
                let is_different = |(path, value): &(Option<&Path>, &Literal)| {
                    *path == source.path() && **value != literal.value
                };
                // A text may contain several parts.
                let is_text = reference.on_key.is_some()
                    || source.path().is_some_and(|it| sides.from.templates.contains_key(it));
                if !is_text && set.iter().any(is_different) {
                    problems.push(set_twice(literal.span));
                }
                set.push((source.path(), &literal.value));
            }
        }
    }
    for (capture, source) in sides.to_key.captures.iter().zip(components) {
        let given = values.iter().any(|(name, _)| name.value == capture.name);
        if !given && is_changed(source, components) {
            problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("no default for `{}`", capture.name),
                )
                .at(span, format!("must have a value for `{}`", capture.name)),
            );
        }
    }
}

/// Reports a literal that cannot be a value of the attribute.
fn check_type(literal: &Literal, source: &Component, span: Span, problems: &mut Vec<Diagnostic>) {
    let kind = match source {
        Component::Capture(_) | Component::Constant(_) => return,
        Component::Attribute(_, kind) | Component::Field(_, kind) => Some(*kind),
        Component::Elements(_, kind) => match Elements::of(*kind) {
            Some(Elements::Of(kind)) => Some(kind),
            Some(Elements::Any) | None => None,
        },
    };
    let wrong = match value_of(literal) {
        Err(error) => Some(error),
        Ok(Value::S(text)) if text.is_empty() => Some("a part of a key cannot be empty".to_owned()),
        Ok(value) if kind.is_some_and(|kind| kind != value.kind()) => {
            let expected = kind.map_or("", Type::tag);
            Some(format!("has type {}, but the attribute has type {expected}", value.kind()))
        }
        Ok(_) => None,
    };
    if let Some(why) = wrong {
        problems.push(
            Diagnostic::new(&codes::DEFAULT_WRONG, "the default does not fit the reference")
                .at(span, why),
        );
    }
}

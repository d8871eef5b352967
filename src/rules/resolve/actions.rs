//! Referential actions: whether each can be done, and whether any two undo each other.

use super::Scope;
use super::entities::value_of;
use super::sources::{Elements, Sides, unknown_capture};
use crate::data::{Path, Type, Value};
use crate::rules::ast::{Action, Default, Literal, Reference};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Matching, Mode, Source};
use crate::rules::span::{Span, Spanned};

/// Finds what is wrong with the actions of one rule.
pub(super) fn check(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    for action in written(reference) {
        if matches!(action.value, Action::Unset | Action::SetDefault) {
            problems.extend(changes_key(reference, action, sides, components, scope));
        }
        let required = reference.required.as_ref().filter(|required| required.value);
        if let (Action::Unset, Some(required)) = (action.value, required) {
            problems.push(
                Diagnostic::new(
                    &codes::UNSET_REQUIRED,
                    format!(
                        "`unset` of the reference `{}`, which is required",
                        reference.name.value
                    ),
                )
                .at(action.span, "would leave the item without it")
                .at(required.span, "required here")
                .help("use another action, or make the reference optional"),
            );
        }
    }
    default(reference, sides, components, problems);
    expired(reference, problems);
}

/// The actions that the rule names.
fn written(reference: &Reference) -> impl Iterator<Item = &Spanned<Action>> {
    [&reference.on_missing, &reference.on_delete, &reference.on_ttl_delete].into_iter().flatten()
}

fn attribute_path(source: &Source) -> Option<&Path> {
    match source {
        Source::Capture(_) => None,
        Source::Attribute(path, _) | Source::Elements(path, _) => Some(path),
    }
}

fn changes_key(
    reference: &Reference,
    action: &Spanned<Action>,
    sides: Sides<'_, '_>,
    components: &[Source],
    scope: &Scope<'_>,
) -> Option<Diagnostic> {
    let word = action.value.word();
    let paths: Vec<_> = components.iter().filter_map(attribute_path).collect();
    let table = scope.table_of(sides.from)?;
    let of_key = paths.iter().find(|path| table.is_key_attribute(path.root()));
    let full = reference.matching.as_ref().filter(|matching| matching.value == Matching::Full);
    let diagnostic = |why: String| {
        Diagnostic::new(&codes::UNSET_KEY, format!("`{word}` cannot change the key of an item"))
            .at(action.span, why)
            .at(sides.from.key_span(), "the key")
            .help("use `report`, or an action on the whole item")
    };
    if paths.is_empty() {
        Some(diagnostic("the reference comes from the key alone".to_owned()))
    } else if let Some(path) = of_key {
        Some(diagnostic(format!("`{path}` is a key attribute")))
    } else if action.value == Action::Unset && full.is_some() && paths.len() < components.len() {
        Some(diagnostic("with `match: full`, the part in the key would be left".to_owned()))
    } else {
        None
    }
}

fn default(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
    problems: &mut Vec<Diagnostic>,
) {
    let action = written(reference).find(|action| action.value == Action::SetDefault);
    match (action, &reference.default) {
        (None, None) => {}
        (None, Some(default)) => problems.push(
            Diagnostic::new(&codes::NO_EFFECT, "no action of the rule is `set_default`")
                .at(default.span, "has no effect")
                .help("remove it"),
        ),
        (Some(action), None) => problems.push(
            Diagnostic::new(
                &codes::DEFAULT_MISSING,
                format!("the reference `{}` has no default", reference.name.value),
            )
            .at(action.span, "needs one")
            .help("add `default:` with the value to set"),
        ),
        (Some(_), Some(default)) => match &default.value {
            Default::One(literal) => one(&default.with(literal), components, problems),
            Default::Each(values) => each(default.span, values, sides, components, problems),
        },
    }
}

/// For each component, the value that `set_default` sets.
pub(super) fn defaults(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
) -> Vec<Option<Value<'static>>> {
    let Some(default) = &reference.default else { return vec![None; components.len()] };
    let literal = |capture: &str| match &default.value {
        Default::One(literal) => Some(literal),
        Default::Each(values) => {
            values.iter().find(|(name, _)| name.value == capture).map(|(_, literal)| &literal.value)
        }
    };
    components
        .iter()
        .zip(&sides.to_key.captures)
        .map(|(source, capture)| {
            attribute_path(source)?;
            value_of(literal(&capture.name)?).ok()
        })
        .collect()
}

fn one(default: &Spanned<&Literal>, components: &[Source], problems: &mut Vec<Diagnostic>) {
    let mut attributes = components.iter().filter(|source| attribute_path(source).is_some());
    match (attributes.next(), attributes.next()) {
        (Some(source), None) => fits(default.value, source, default.span, problems),
        (Some(_), Some(_)) => problems.push(
            Diagnostic::new(&codes::DEFAULT_WRONG, "one default for several parts")
                .at(default.span, "which part it is for is not said")
                .help("write a map with a value for each capture"),
        ),
        // That nothing can be set at all is a problem of the action.
        (None, _) => {}
    }
}

fn each(
    span: Span,
    values: &[(Spanned<String>, Spanned<Literal>)],
    sides: Sides<'_, '_>,
    components: &[Source],
    problems: &mut Vec<Diagnostic>,
) {
    for (name, literal) in values {
        let known = sides.to_key.capture(&name.value).and_then(|(at, _)| components.get(at));
        match known {
            None => problems.push(unknown_capture(name, sides.to, sides.to_key)),
            Some(Source::Capture(_)) => problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("`{}` comes from the key", name.value),
                )
                .at(name.span, "cannot be set")
                .help("remove it: the key of an item cannot change"),
            ),
            Some(source) => fits(&literal.value, source, literal.span, problems),
        }
    }
    for (capture, source) in sides.to_key.captures.iter().zip(components) {
        let given = values.iter().any(|(name, _)| name.value == capture.name);
        if !given && attribute_path(source).is_some() {
            problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("no default for `{}`", capture.name),
                )
                .at(span, format!("has to have a value for `{}`", capture.name)),
            );
        }
    }
}

/// Whether the literal is a value for the attribute.
fn fits(literal: &Literal, source: &Source, span: Span, problems: &mut Vec<Diagnostic>) {
    let kind = match source {
        Source::Capture(_) => return,
        Source::Attribute(_, kind) => Some(*kind),
        Source::Elements(_, kind) => match Elements::of(*kind) {
            Some(Elements::Of(kind)) => Some(kind),
            Some(Elements::Any) | None => None,
        },
    };
    let wrong = match value_of(literal) {
        Err(error) => Some(error),
        Ok(Value::S(text)) if text.is_empty() => Some("a part of a key cannot be empty".to_owned()),
        Ok(value) if kind.is_some_and(|kind| kind != value.kind()) => {
            let expected = kind.map_or("", Type::tag);
            Some(format!("of type {}, and the attribute of type {expected}", value.kind()))
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

fn expired(reference: &Reference, problems: &mut Vec<Diagnostic>) {
    let on_ttl_delete = reference.on_ttl_delete.as_ref().or(reference.on_delete.as_ref());
    if let Some(action) = on_ttl_delete.filter(|action| action.value == Action::Restore) {
        problems.push(
            Diagnostic::new(&codes::EXPIRED, "an expired item would be restored, and expire again")
                .at(action.span, "for deletes made by TTL too")
                .help("say `on_ttl_delete: ignore` or `on_ttl_delete: report`"),
        );
    }
}

/// Finds the actions of two rules that undo each other.
pub(super) fn check_pairs(scope: &Scope<'_>, problems: &mut Vec<Diagnostic>) {
    let references: Vec<&Reference> = scope
        .file
        .references
        .iter()
        .filter(|reference| reference.mode != Some(Mode::Off))
        .collect();
    for (at, reference) in references.iter().enumerate() {
        let pairs = references.iter().take(at).filter_map(|before| fight(reference, before));
        problems.extend(pairs);
        problems.extend(fights_mirror(reference, scope));
    }
}

fn fight(reference: &Reference, other: &Reference) -> Option<Diagnostic> {
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

/// An action that changes what a mirror rule writes, which the mirror rule undoes.
fn fights_mirror(reference: &Reference, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mirror = scope.writer_of(&reference.from.as_ref()?.value)?;
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

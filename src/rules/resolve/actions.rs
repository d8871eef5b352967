//! Referential actions: whether each can be done.

use super::Scope;
use super::entities::value_of;
use super::sources::{Elements, Sides, unknown_capture};
use crate::data::{KeyValue, Path, Type, Value};
use crate::rules::ast::{Action, Default, Literal, Reference};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Matching, Source};
use crate::rules::span::{Span, Spanned};
use crate::rules::template::BuildError;

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
            problems.extend(changes_entity(action, sides, components));
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
    let problems_before = problems.len();
    default(reference, sides, components, problems);
    if problems.len() == problems_before {
        problems.extend(makes_no_key(reference, sides, components));
    }
    expired(reference, problems);
}

/// The actions that the rule names.
pub(super) fn written(reference: &Reference) -> impl Iterator<Item = &Spanned<Action>> {
    [&reference.on_missing, &reference.on_delete, &reference.on_ttl_delete].into_iter().flatten()
}

/// Whether `unset` and `set_default` change this part of a reference. They change all that come from
/// attributes; or where elements of a list or set are a part, these alone, since what they stand with
/// belongs to the other elements too.
pub(super) fn is_changed(source: &Source, components: &[Source]) -> bool {
    match source {
        Source::Capture(_) => false,
        Source::Attribute(..) => {
            components.iter().all(|part| !matches!(part, Source::Elements(..)))
        }
        Source::Elements(..) => true,
    }
}

/// The paths that `unset` and `set_default` change.
pub(super) fn changed(components: &[Source]) -> impl Iterator<Item = &Path> {
    let changed = components.iter().filter(|source| is_changed(source, components));
    changed.filter_map(Source::path)
}

fn changes_key(
    reference: &Reference,
    action: &Spanned<Action>,
    sides: Sides<'_, '_>,
    components: &[Source],
    scope: &Scope<'_>,
) -> Option<Diagnostic> {
    let word = action.value.word();
    let paths: Vec<_> = changed(components).collect();
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
    } else if action.value == Action::Unset && full.is_some() && leaves_parts(components) {
        Some(diagnostic("with `match: full`, the other parts would be left".to_owned()))
    } else {
        None
    }
}

/// Whether parts of the reference are left without the others when it is unset. A list that has lost
/// all its elements is still there, and refers to nothing.
fn leaves_parts(components: &[Source]) -> bool {
    let is_list = |source: &Source| matches!(source, Source::Elements(_, Type::L));
    !components.iter().any(is_list)
        && components.iter().any(|source| !is_changed(source, components))
}

/// An attribute by which the item is told from those of other entities.
fn changes_entity(
    action: &Spanned<Action>,
    sides: Sides<'_, '_>,
    components: &[Source],
) -> Option<Diagnostic> {
    let mut conditions = sides.from.ast.conditions.iter();
    let (path, _) =
        conditions.find(|(path, _)| changed(components).any(|changed| *changed == path.value))?;
    let (word, name) = (action.value.word(), sides.from.name());
    Some(
        Diagnostic::new(
            &codes::UNSET_WHERE,
            format!("`{word}` would make an item of `{name}` another one"),
        )
        .at(action.span, format!("changes `{}`", path.value))
        .at(path.span, "by which the item is told from others")
        .help("use `report`, or an action on the whole item"),
    )
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
            let literal = literal(&capture.name).filter(|_| is_changed(source, components))?;
            value_of(literal).ok()
        })
        .collect()
}

/// A default that is no part of any key of the referenced entity.
fn makes_no_key(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
) -> Option<Diagnostic> {
    let default = reference.default.as_ref()?;
    let values = defaults(reference, sides, components).into_iter();
    let captures: Vec<_> = values.map(|value| KeyValue::from_value(&value?)).collect();
    let key = &sides.to_key.key;
    let known = |name: &str| captures.get(sides.to_key.capture(name)?.0)?.clone();
    // What comes from the item's key is not known here, and tells nothing of the default.
    let error = [Some(key.partition()), key.sort()]
        .into_iter()
        .flatten()
        .filter_map(|template| template.build(key.separator(), &known).err())
        .find(|error| !matches!(error, BuildError::Missing(_)))
        .or_else(|| key.build_prefix(&captures).err())?;
    Some(
        Diagnostic::new(
            &codes::DEFAULT_WRONG,
            format!("the default makes no key of `{}`", sides.to.name()),
        )
        .at(default.span, error.to_string())
        .at(sides.to.key_span(), "of this key"),
    )
}

fn one(default: &Spanned<&Literal>, components: &[Source], problems: &mut Vec<Diagnostic>) {
    let mut attributes = components.iter().filter(|source| is_changed(source, components));
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

fn set_twice(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::DEFAULT_WRONG, "two defaults for one attribute")
        .at(span, "the attribute is set to another value already")
        .help("give each part of the reference that it makes the same value")
}

fn each(
    span: Span,
    values: &[(Spanned<String>, Spanned<Literal>)],
    sides: Sides<'_, '_>,
    components: &[Source],
    problems: &mut Vec<Diagnostic>,
) {
    let mut set: Vec<(Option<&Path>, &Literal)> = Vec::new();
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
            Some(source) if !is_changed(source, components) => problems.push(
                Diagnostic::new(
                    &codes::DEFAULT_WRONG,
                    format!("`{}` goes with the elements that are left", name.value),
                )
                .at(name.span, "is not set")
                .help("remove it: of a list or set, the elements alone are set"),
            ),
            Some(source) => {
                fits(&literal.value, source, literal.span, problems);
                let is_other = |(path, value): &(Option<&Path>, &Literal)| {
                    *path == source.path() && **value != literal.value
                };
                if set.iter().any(is_other) {
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

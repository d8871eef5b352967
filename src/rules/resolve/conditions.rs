//! Resolves the conditions of `where`.

use std::collections::BTreeMap;

use super::entities::{Entity, value_of};
use super::tables::{RESERVED, reserved};
use crate::data::{Path, Type, Value};
use crate::rules::ast::{self, Allowed, Literal};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Choice, Copied, Test, TimeFormat};
use crate::rules::span::{Span, Spanned};

pub(super) fn resolve(
    entity: &ast::Entity,
    attributes: &BTreeMap<Path, Type>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(Path, Test)> {
    let mut conditions = Vec::new();
    for (path, tests) in &entity.conditions {
        if path.value.root() == RESERVED {
            problems.push(reserved(path.span));
        }
        let declared = attributes.get(&path.value).copied();
        let mut resolved: Vec<(Test, Span)> = Vec::new();
        for written in tests {
            let Some(test) = test(path, written, declared, problems) else { continue };
            let other = resolved.iter().find(|(other, _)| other.excludes(&test));
            if let Some((_, span)) = other {
                problems.push(
                    Diagnostic::new(
                        &codes::CONTRADICTION,
                        format!("no value of `{}` meets both conditions", path.value),
                    )
                    .at(written.span, "excludes the other one")
                    .at(*span, "the other one"),
                );
            }
            resolved.push((test, written.span));
        }
        conditions.extend(resolved.into_iter().map(|(test, _)| (path.value.clone(), test)));
    }
    conditions
}

fn test(
    path: &Spanned<Path>,
    written: &Spanned<ast::Test>,
    declared: Option<Type>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Test> {
    let mut choice = |allowed: &[Spanned<Allowed>]| choice(path, allowed, declared, problems);
    Some(match &written.value {
        ast::Test::OneOf(allowed) if allowed.is_empty() => {
            problems.push(
                Diagnostic::new(&codes::FORMAT, format!("the condition on `{}` is empty", path.value))
                    .at(written.span, "")
                    .help("write a value, `absent`, `present`, a list of values, or a comparison such as `{ not: DELETED }`"),
            );
            return None;
        }
        ast::Test::OneOf(allowed) => Test::OneOf(choice(allowed)?),
        ast::Test::NoneOf(allowed) => Test::NoneOf(choice(allowed)?),
        ast::Test::Compare(comparison, literal) => {
            let literal = written.with(literal.clone());
            let value = value(path, &literal, declared, problems)?;
            if let Value::Bool(_) = value {
                problems.push(
                    Diagnostic::new(
                        &codes::FORMAT,
                        "a boolean is not less or greater than another",
                    )
                    .at(literal.span, "must be a number or a text"),
                );
                return None;
            }
            Test::Compare(*comparison, value)
        }
        ast::Test::Time(when, is_ms) => {
            let format = match (declared, is_ms) {
                (Some(Type::S), false) => TimeFormat::Text,
                (None | Some(Type::N), false) => TimeFormat::Seconds,
                (None | Some(Type::N), true) => TimeFormat::Milliseconds,
                (Some(kind), _) => {
                    problems.push(no_time(path, written.span, kind));
                    return None;
                }
            };
            Test::Time(*when, format)
        }
    })
}

/// The diagnostic for a comparison with now of an attribute whose type holds no time.
fn no_time(path: &Spanned<Path>, span: Span, kind: Type) -> Diagnostic {
    Diagnostic::new(
        &codes::CONTRADICTION,
        format!("`{}` has type {kind}, but is compared with a time", path.value),
    )
    .at(span, "never holds")
    .help("`now` is compared with a number of seconds (N) or a text (S), and `now_ms` with a number of milliseconds (N)")
}

fn choice(
    path: &Spanned<Path>,
    allowed: &[Spanned<Allowed>],
    declared: Option<Type>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Choice> {
    let mut choice = Choice { values: Vec::new(), absent: false };
    let mut is_sound = true;
    for element in allowed {
        match &element.value {
            Allowed::Absent => choice.absent = true,
            Allowed::Present => {
                problems.push(
                    Diagnostic::new(&codes::FORMAT, "`present` cannot be in a list")
                        .at(element.span, "allows every value")
                        .help(format!("write `{}: present`", path.value)),
                );
                is_sound = false;
            }
            Allowed::Literal(literal) => {
                operator_text(path, &element.with(literal.clone()), problems);
                match value(path, &element.with(literal.clone()), declared, problems) {
                    Some(value) if !choice.values.contains(&value) => choice.values.push(value),
                    Some(_) => {}
                    None => is_sound = false,
                }
            }
        }
    }
    is_sound.then_some(choice)
}

/// A literal as a value of the type that the entity declares for the path, if any.
fn value(
    path: &Spanned<Path>,
    literal: &Spanned<Literal>,
    declared: Option<Type>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Value<'static>> {
    let value = match value_of(&literal.value) {
        Ok(value) => value,
        Err(error) => {
            problems.push(Diagnostic::new(&codes::FORMAT, error).at(literal.span, ""));
            return None;
        }
    };
    if let Some(kind) = declared.filter(|kind| *kind != value.kind()) {
        problems.push(
            Diagnostic::new(
                &codes::CONTRADICTION,
                format!(
                    "`{}` has type {kind}, but is compared with a value of type {}",
                    path.value,
                    value.kind()
                ),
            )
            .at(literal.span, "never equal"),
        );
        return None;
    }
    Some(value)
}

/// Warns of a text that looks like a comparison: it is compared as it is.
fn operator_text(path: &Spanned<Path>, literal: &Spanned<Literal>, problems: &mut Vec<Diagnostic>) {
    let Literal::Text(text) = &literal.value else { return };
    let operators =
        [("!=", "not"), ("!", "not"), ("<=", "lte"), (">=", "gte"), ("<", "lt"), (">", "gt")];
    let mut found =
        operators.iter().filter_map(|(sign, key)| Some((key, text.strip_prefix(sign)?)));
    let Some((key, rest)) = found.next() else { return };
    let rest = rest.trim();
    if rest.is_empty() || text.ends_with('>') {
        return;
    }
    problems.push(
        Diagnostic::new(
            &codes::OPERATOR_TEXT,
            format!("`{}` is compared with the text `{text}`", path.value),
        )
        .at(literal.span, "not a comparison")
        .help(format!("did you mean `{}: {{ {key}: {rest} }}`?", path.value)),
    );
}

/// Reports a condition of a mirror's entity that the mirror items need not meet.
pub(super) fn check_mirror(
    mirror: &ast::Mirror,
    copied: &Copied,
    (source, copy): (&Entity<'_>, &Entity<'_>),
    ttl: Option<&str>,
    problems: &mut Vec<Diagnostic>,
) {
    for (path, test) in &copy.conditions {
        // Such a value is written, and such an attribute is left out.
        if test.literal().is_some() || test.is_absence() {
            continue;
        }
        let is_ttl = ttl == Some(path.root()) && matches!(copied, Copied::All | Copied::Except(_));
        let in_source = copied.in_source(path).filter(|_| !is_ttl);
        let is_copied = in_source.is_some();
        if in_source.is_some_and(|path| source.conditions.contains(&(path, test.clone()))) {
            continue;
        }
        let written = copy.ast.conditions.iter().find(|(written, _)| written.value == *path);
        let target = mirror.target.as_ref().map_or(mirror.name.span, |name| name.span);
        let diagnostic = Diagnostic::new(
            &codes::MIRROR_WHERE,
            format!(
                "a mirror of `{}` need not meet the `where` of `{}`",
                source.name(),
                copy.name()
            ),
        )
        .at(written.map_or(target, |(path, _)| path.span), "may not hold for a copy");
        problems.push(if is_copied {
            diagnostic
                .help(format!("add the same condition to `{}`, or remove this one", source.name()))
        } else {
            diagnostic.help(format!(
                "copy `{0}`, and add the same condition to `{1}`; or remove this one",
                path.root(),
                source.name()
            ))
        });
    }
}

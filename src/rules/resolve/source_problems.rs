//! What is reported about the sources of a reference.

use super::entities::{Entity, ResolvedKey};
use super::sources::Sides;
use super::templates::Capture;
use super::views;
use crate::data::{Path, Type};
use crate::rules::ast::Reference;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::language::parse_path;
use crate::rules::model::Component;
use crate::rules::span::{Span, Spanned};
use crate::rules::spelling::{closest, did_you_mean};

/// The diagnostic for a name that is not a capture of the referenced key.
pub(super) fn unknown_capture(
    name: &Spanned<String>,
    to: &Entity<'_>,
    key: &ResolvedKey,
) -> Diagnostic {
    Diagnostic::new(
        &codes::UNKNOWN_CAPTURE,
        format!("`{}` is not a capture of the key of `{}`", name.value, to.name()),
    )
    .at(name.span, "not a capture")
    .at(to.key_span(), "of this key")
    .maybe_help(match key.captures.as_slice() {
        [] => Some(format!(
            "the key of `{}` has no captures: every reference leads to the same item",
            to.name()
        )),
        _ => did_you_mean(&name.value, key.names()),
    })
}

/// The diagnostic for a capture of the referenced key that has no source.
pub(super) fn unbound(name: &str, span: Span, sides: Sides<'_, '_>) -> Diagnostic {
    let from = sides.from.name();
    let help = if sides.from.declares(name) {
        format!("use the attribute of `{from}`: `on: {{ {name}: \"{{{name}}}\" }}`")
    } else {
        let near = closest(name, sides.from_key.names());
        let example = near.unwrap_or("attribute");
        let source = format!("write where it comes from: `on: {{ {name}: \"{{{example}}}\" }}`");
        match views::suggestion(sides.to, sides.from_key) {
            Some(to) => format!("{source}, or refer by the key of an index: `{to}`"),
            None => source,
        }
    };
    Diagnostic::new(
        &codes::UNBOUND,
        format!("no source for `{{{name}}}`, a part of the key of `{}`", sides.to.name()),
    )
    .at(span, format!("needs a value for `{name}`"))
    .at(sides.to.key_span(), format!("`{{{name}}}` is part of this key"))
    .at(sides.from.key_span(), format!("this key has no capture `{{{name}}}`"))
    .help(help)
}

/// Whether the capture accepts a value of this type. If not, that is reported.
pub(super) fn check_type(
    capture: &Capture,
    kind: Type,
    span: Span,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let fits = capture.accepts.value(kind);
    if !fits {
        problems.push(
            Diagnostic::new(
                &codes::TYPE_MISMATCH,
                format!(
                    "`{{{}}}` of the key of `{}` cannot have type {kind}",
                    capture.name,
                    sides.to.name()
                ),
            )
            .at(span, format!("this has type {kind}"))
            .at(sides.to.key_span(), format!("accepts {}", capture.accepts.describe())),
        );
    }
    fits
}

/// Reports a reference with two parts with `[*]` that do not come from the same maps of a list.
pub(super) fn check_lists(
    reference: &Reference,
    components: &[&Component],
    problems: &mut Vec<Diagnostic>,
) {
    let mut lists = components.iter().copied().filter(|source| source.is_of_element());
    let Some(first) = lists.next() else { return };
    let is_field = |source: &Component| matches!(source, Component::Field(..));
    let belongs =
        |other: &Component| is_field(first) && is_field(other) && first.each() == other.each();
    let mut written = reference.on.iter().filter(|(_, text)| text.value.contains("[*]"));
    if !lists.all(belongs)
        && let (Some((_, first)), Some((_, second))) = (written.next(), written.next())
    {
        problems.push(
            Diagnostic::new(&codes::ELEMENTS, "a reference has two parts with `[*]`")
                .at(second.span, "the second one")
                .at(first.span, "the first one")
                .help(
                    "it would be unclear which elements belong together: split it into two \
                     references, or take all these parts from the maps of one list",
                ),
        );
    }
}

pub(super) fn malformed(text: &Spanned<String>, sides: Sides<'_, '_>) -> Diagnostic {
    let inner = text.value.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let is_whole = inner.is_some_and(|(name, _)| text.value.len() == name.len() + 2);
    let help = match inner {
        Some((name, _)) if is_whole && name.contains('[') => {
            "`[*]` refers once for each element of a list: write \"{tags[*]}\" for the elements \
             themselves, and \"{lines[*].productId}\" for a value inside them; a single element \
             cannot be a source"
                .to_owned()
        }
        Some((name, _)) if !name.is_empty() => {
            format!(
                "write only the name: \"{{{name}}}\"; the text around it belongs in the key template of the \
                 referenced entity, or in a template of the attribute"
            )
        }
        _ if is_name(&text.value, sides) => format!("write it in braces: \"{{{}}}\"", text.value),
        _ => format!(
            "write the name of an attribute or a capture in braces, such as \"{{{}}}\", or a constant \
             without braces",
            example(sides).unwrap_or("company")
        ),
    };
    Diagnostic::new(&codes::SOURCE, format!("malformed source `{}`", text.value))
        .at(text.span, "not one name in braces")
        .help(help)
}

/// Whether this is the name of a capture or an attribute of the referencing item.
pub(super) fn is_name(text: &str, sides: Sides<'_, '_>) -> bool {
    let is_declared = |path: Path| sides.from.attributes.contains_key(&path);
    sides.from_key.capture(text).is_some() || parse_path(text).is_some_and(is_declared)
}

/// The name of an attribute or a capture of the referencing item.
fn example<'e>(sides: Sides<'e, '_>) -> Option<&'e str> {
    let first = sides.from.attributes.keys().map(Path::root).next();
    first.or_else(|| sides.from_key.names().next())
}

pub(super) fn shadowed(name: &str, span: Span, from: &Entity<'_>) -> Diagnostic {
    Diagnostic::new(
        &codes::SHADOWED,
        format!("`{{{name}}}` is both a capture and an attribute of `{}`", from.name()),
    )
    .at(span, "read as the capture")
    .at(from.key_span(), "captured here")
    .help("rename the capture if you mean the attribute")
}

pub(super) fn undeclared(name: &str, span: Span, sides: Sides<'_, '_>) -> Diagnostic {
    let from = sides.from;
    Diagnostic::new(
        &codes::UNDECLARED_ATTRIBUTE,
        format!("`{name}` is neither a capture nor a declared attribute of `{}`", from.name()),
    )
    .at(span, "not declared")
    .help(declare(name, sides))
}

/// How to use an attribute that is not declared.
fn declare(name: &str, sides: Sides<'_, '_>) -> String {
    let from = sides.from;
    if let Some((entity, attribute)) = name.split_once('.')
        && entity == from.name()
    {
        return format!(
            "write \"{{{attribute}}}\": a source is a capture or an attribute of `{entity}`"
        );
    }
    let attributes: Vec<String> = from.attributes.keys().map(ToString::to_string).collect();
    let names = attributes.iter().map(String::as_str).chain(sides.from_key.names());
    let quote = if name.contains('[') { "\"" } else { "" };
    let declaration =
        format!("declare it in `{}`: `attributes: {{ {quote}{name}{quote}: S }}`", from.name());
    match closest(name, names) {
        // `companyId` beside `company` is probably another attribute.
        Some(meant) if name.starts_with(meant) || meant.starts_with(name) => {
            format!("{declaration}; or did you mean \"{{{meant}}}\"?")
        }
        Some(meant) => format!("did you mean \"{{{meant}}}\"? If not, {declaration}"),
        None => declaration,
    }
}

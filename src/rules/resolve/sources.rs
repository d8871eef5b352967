//! Where the parts of a reference come from.

use super::entities::{Entity, Keyed};
use super::templates::Capture;
use crate::data::{Path, Type};
use crate::rules::ast::Reference;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::language::{closest, did_you_mean, parse_path};
use crate::rules::model::Source;
use crate::rules::span::{Span, Spanned};

/// The two sides of a reference.
#[derive(Clone, Copy)]
pub(super) struct Sides<'e, 'f> {
    pub(super) from: &'e Entity<'f>,
    pub(super) from_key: &'e Keyed,
    pub(super) to: &'e Entity<'f>,
    pub(super) to_key: &'e Keyed,
}

/// The source of each capture of the referenced key; nothing if one of them has none.
pub(super) fn resolve(
    reference: &Reference,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Source>> {
    for (capture, _) in &reference.on {
        if sides.to_key.capture(&capture.value).is_none() {
            problems.push(unknown_capture(capture, sides.to, sides.to_key));
        }
    }
    let components: Vec<Option<Source>> = sides
        .to_key
        .captures
        .iter()
        .map(|capture| {
            let written = reference.on.iter().find(|(name, _)| name.value == capture.name);
            match written {
                Some((_, text)) => written_source(text, capture, sides, problems),
                None => same_name(reference, capture, sides, problems),
            }
        })
        .collect();
    one_list(reference, &components, problems);
    components.into_iter().collect()
}

/// A name that is no capture of the referenced key.
pub(super) fn unknown_capture(name: &Spanned<String>, to: &Entity<'_>, key: &Keyed) -> Diagnostic {
    Diagnostic::new(
        &codes::UNKNOWN_CAPTURE,
        format!("`{}` is no capture of the key of `{}`", name.value, to.name()),
    )
    .at(name.span, "not captured")
    .at(to.key_span(), "in this key")
    .maybe_help(match key.captures.as_slice() {
        [] => Some(format!(
            "the key of `{}` has no captures: every reference is to the same item",
            to.name()
        )),
        _ => did_you_mean(&name.value, key.names()),
    })
}

/// What a source's text says.
struct Written<'t> {
    name: &'t str,
    elements: bool,
}

fn parse(text: &str) -> Option<Written<'_>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (name, elements) = match inner.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let plain = !name.is_empty() && !name.contains(['{', '}', '[', ']']);
    plain.then_some(Written { name, elements })
}

fn written_source(
    text: &Spanned<String>,
    capture: &Capture,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Source> {
    let Some(Written { name, elements }) = parse(&text.value) else {
        problems.push(malformed(text));
        return None;
    };
    let path = parse_path(name);
    let declared = path.and_then(|path| Some((sides.from.attributes.get(&path).copied()?, path)));
    if let Some((at, own)) = sides.from_key.capture(name).filter(|_| !elements) {
        if declared.is_some() {
            problems.push(shadowed(name, text.span, sides.from));
        }
        return typed(capture, own.kind.as_type(), text.span, sides, problems)
            .then_some(Source::Capture(at));
    }
    let Some((kind, path)) = declared else {
        problems.push(undeclared(name, text.span, sides));
        return None;
    };
    attribute(path, kind, elements, capture, text.span, sides, problems)
}

fn attribute(
    path: Path,
    kind: Type,
    elements: bool,
    capture: &Capture,
    span: Span,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Source> {
    match (elements, Elements::of(kind)) {
        (false, None) => {
            typed(capture, kind, span, sides, problems).then_some(Source::Attribute(path, kind))
        }
        (true, Some(Elements::Of(element))) => {
            typed(capture, element, span, sides, problems).then_some(Source::Elements(path, kind))
        }
        // Each is looked at when it is there.
        (true, Some(Elements::Any)) => Some(Source::Elements(path, kind)),
        (true, None) => {
            problems.push(
                Diagnostic::new(
                    &codes::ELEMENTS,
                    format!("`{path}` is of type {kind}, and has no elements"),
                )
                .at(span, "`[*]` is for lists and sets")
                .help(format!("write \"{{{path}}}\"")),
            );
            None
        }
        (false, Some(_)) => {
            problems.push(
                Diagnostic::new(
                    &codes::ELEMENTS,
                    format!("`{path}` is of type {kind}, and no key"),
                )
                .at(span, "a list or set as a whole")
                .help(format!("write \"{{{path}[*]}}\" to refer once for each element")),
            );
            None
        }
    }
}

/// What a list or set has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// Values of one type.
    Of(Type),
    /// Values of any type, which only the items tell.
    Any,
}

impl Elements {
    /// What a value of this type has in it; nothing for what has no elements.
    pub(super) fn of(kind: Type) -> Option<Self> {
        match kind {
            Type::Ss => Some(Self::Of(Type::S)),
            Type::Ns => Some(Self::Of(Type::N)),
            Type::Bs => Some(Self::Of(Type::B)),
            Type::L => Some(Self::Any),
            Type::S | Type::N | Type::B | Type::Bool | Type::Null | Type::M => None,
        }
    }
}

fn same_name(
    reference: &Reference,
    capture: &Capture,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Source> {
    let span = reference.name.span;
    if let Some((at, own)) = sides.from_key.capture(&capture.name) {
        return typed(capture, own.kind.as_type(), span, sides, problems)
            .then_some(Source::Capture(at));
    }
    let name = &capture.name;
    let from = sides.from.name();
    let help = if sides.from.declares(name) {
        format!("`{name}` is an attribute of `{from}`: write `on: {{ {name}: \"{{{name}}}\" }}`")
    } else {
        let near = closest(name, sides.from_key.names());
        let example = near.unwrap_or("attribute");
        format!("say where it comes from: `on: {{ {name}: \"{{{example}}}\" }}`")
    };
    problems.push(
        Diagnostic::new(
            &codes::UNBOUND,
            format!(
                "nothing says where `{{{name}}}` of the key of `{}` comes from",
                sides.to.name()
            ),
        )
        .at(span, format!("needs a value for `{name}`"))
        .at(sides.to.key_span(), format!("`{{{name}}}` is part of this key"))
        .at(sides.from.key_span(), "and no capture of this one")
        .help(help),
    );
    None
}

/// Whether a value of this type can be given to the capture.
fn typed(
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
                    "`{{{}}}` of the key of `{}` cannot be of type {kind}",
                    capture.name,
                    sides.to.name()
                ),
            )
            .at(span, format!("this is of type {kind}"))
            .at(sides.to.key_span(), format!("takes {}", capture.accepts.describe())),
        );
    }
    fits
}

fn one_list(reference: &Reference, components: &[Option<Source>], problems: &mut Vec<Diagnostic>) {
    let lists =
        components.iter().flatten().filter(|source| matches!(source, Source::Elements(..))).count();
    let mut written = reference.on.iter().filter(|(_, text)| text.value.ends_with("[*]}"));
    if lists > 1
        && let (Some((_, first)), Some((_, second))) = (written.next(), written.next())
    {
        problems.push(
            Diagnostic::new(&codes::ELEMENTS, "two parts of one reference are `[*]`")
                .at(second.span, "the second one")
                .at(first.span, "the first one")
                .help("which elements belong together would not be known; make a list of maps of it, or two references"),
        );
    }
}

fn malformed(text: &Spanned<String>) -> Diagnostic {
    let inner = text.value.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let help = match inner {
        Some((name, _)) if !name.is_empty() => {
            format!(
                "write the value alone: \"{{{name}}}\"; text around it belongs in the referenced entity's key"
            )
        }
        _ if parse_path(&text.value).is_some() => {
            format!("write it in braces: \"{{{}}}\"", text.value)
        }
        _ => "write one name in braces, such as \"{company}\" or \"{tags[*]}\"".to_owned(),
    };
    Diagnostic::new(&codes::SOURCE, format!("malformed source `{}`", text.value))
        .at(text.span, "not one name in braces")
        .help(help)
}

fn shadowed(name: &str, span: Span, from: &Entity<'_>) -> Diagnostic {
    Diagnostic::new(
        &codes::SHADOWED,
        format!("`{{{name}}}` is a capture and an attribute of `{}`", from.name()),
    )
    .at(span, "taken for the capture")
    .at(from.key_span(), "captured here")
    .help("rename the capture if the attribute is meant")
}

fn undeclared(name: &str, span: Span, sides: Sides<'_, '_>) -> Diagnostic {
    let from = sides.from;
    let attributes: Vec<String> = from.attributes.keys().map(ToString::to_string).collect();
    let names = attributes.iter().map(String::as_str).chain(sides.from_key.names());
    let help = match closest(name, names) {
        Some(meant) => format!("did you mean \"{{{meant}}}\"?"),
        None => format!("declare it at `{}`: `attributes: {{ {name}: S }}`", from.name()),
    };
    Diagnostic::new(
        &codes::UNDECLARED_ATTRIBUTE,
        format!("`{name}` is neither a capture nor a declared attribute of `{}`", from.name()),
    )
    .at(span, "not declared")
    .help(help)
}

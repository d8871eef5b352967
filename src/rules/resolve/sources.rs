//! Resolves `on`: the sources of the parts of a reference.

use super::alternatives;
use super::entities::{Entity, ResolvedKey};
use super::on_key;
use super::scope::Scope;
use super::source_problems::{
    check_lists, check_type, is_name, malformed, shadowed, unbound, undeclared, unknown_capture,
};
use super::templates::Capture;
use crate::data::{KeyKind, KeyValue, Number, Path, Type};
use crate::rules::ast::Reference;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::language::parse_list_path;
use crate::rules::model::{Component, Contained, Discriminator};
use crate::rules::span::{Span, Spanned};
use crate::rules::template::EntityKey;

/// The two sides of a reference: the referencing entity (`from`) and the referenced one (`to`).
#[derive(Clone, Copy)]
pub(super) struct Sides<'e, 'f> {
    pub(super) from: &'e Entity<'f>,
    pub(super) from_key: &'e ResolvedKey,
    pub(super) to: &'e Entity<'f>,
    pub(super) to_key: &'e ResolvedKey,
    /// The capture of the referencing key that is the discriminator: it has one value for the items
    /// that refer to this entity.
    pub(super) discriminator: Option<usize>,
}

/// The capture of the referencing key that is the discriminator, if it is one.
pub(super) fn discriminating_capture(
    reference: &Reference,
    from_key: &ResolvedKey,
) -> Option<usize> {
    let by = parse(&reference.targets.by.as_ref()?.value).filter(|it| !it.is_elements)?;
    from_key.capture(by.name).map(|(index, _)| index)
}

/// A source, and how the part is contained in its text.
pub(super) type Source = (Component, Option<Contained>);

/// The sources of a reference: see [`Reference::components`](crate::rules::model::Reference).
pub(super) struct Sources {
    pub(super) components: Vec<Component>,
    pub(super) contained: Vec<Option<Contained>>,
    pub(super) agreeing: Vec<(usize, usize)>,
    pub(super) discriminator: Option<Discriminator>,
}

/// The source of each capture of the referenced key, and of the discriminator; `None` if any of them
/// has no valid source.
pub(super) fn resolve(
    reference: &Reference,
    sides: Sides<'_, '_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Sources> {
    let sources = of_key(reference, sides, scope, problems);
    let component = sources.as_ref().map_or(0, |sources| sources.components.len());
    let discriminator = alternatives::discriminator(reference, sides, component, problems);
    let mut sources = sources?;
    if let Some(discriminator) = discriminator {
        let ((component, contained), discriminator) = discriminator.ok()?;
        sources.components.push(component);
        sources.contained.push(contained);
        sources.discriminator = Some(discriminator);
    }
    let components: Vec<_> = sources.components.iter().collect();
    check_lists(reference, &components, problems);
    Some(sources)
}

/// The source of each capture of the referenced key.
fn of_key(
    reference: &Reference,
    sides: Sides<'_, '_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Sources> {
    if let Some(on_key) = &reference.on_key {
        let schema = scope.table_of(sides.to)?.key.as_ref()?;
        let names: Vec<&str> = schema.names().collect();
        return on_key::resolve(reference, on_key, &names, sides, problems);
    }
    // A name that is not a capture is probably a misspelled one, so each hides one that has no
    // source.
    let mut hidden = if reference.is_on_readable { 0 } else { usize::MAX };
    for (capture, _) in &reference.on {
        if !alternatives::is_capture_of_any(reference, &capture.value, scope) {
            // The alternatives of a rule have `on` in common.
            if reference.alternative == 0 {
                problems.push(unknown_capture(capture, sides.to, sides.to_key));
            }
            hidden = hidden.saturating_add(1);
        }
    }
    let sources: Vec<Option<Source>> = sides
        .to_key
        .captures
        .iter()
        .map(|capture| {
            let written = reference.on.iter().find(|(name, _)| name.value == capture.name);
            match written {
                Some((_, text)) => written_source(text, capture, sides, problems),
                None => default_source(reference, capture, sides, &mut hidden, problems)
                    .map(|component| (component, None)),
            }
        })
        .collect();
    if sources.iter().any(Option::is_none) {
        let components: Vec<_> = sources.iter().flatten().map(|(component, _)| component).collect();
        check_lists(reference, &components, problems);
    }
    let (components, contained) =
        sources.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    Some(Sources { components, contained, agreeing: Vec::new(), discriminator: None })
}

/// A capture or an attribute, and its type.
pub(super) fn single_source(
    text: &Spanned<String>,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Source, Type)> {
    let Some(name) = parse(&text.value).filter(|it| !it.is_elements).map(|it| it.name) else {
        problems.push(malformed(text, sides));
        return None;
    };
    if let Some((index, own)) = sides.from_key.capture(name) {
        return Some(((Component::Capture(index), None), own.kind.as_type()));
    }
    let path = parse_list_path(name);
    if let Some((kind, path)) =
        path.and_then(|path| Some((*sides.from.attributes.get(&path)?, path)))
    {
        return Some(((single(path, kind), None), kind));
    }
    if let Some((path, contained)) = part_of_text(name, sides.from) {
        return Some(((single(path, Type::S), Some(contained)), Type::S));
    }
    problems.push(undeclared(name, text.span, sides));
    None
}

/// The attribute that is the whole of a key attribute with this type.
pub(super) fn whole(
    text: &Spanned<String>,
    kind: Type,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Component> {
    let parsed = parse(&text.value).filter(|parsed| !parsed.is_elements);
    let Some(name) = parsed.map(|parsed| parsed.name) else {
        problems.push(malformed(text, sides));
        return None;
    };
    let path = parse_list_path(name);
    let declared = path.and_then(|path| Some((*sides.from.attributes.get(&path)?, path)));
    let Some((declared, path)) = declared else {
        problems.push(undeclared(name, text.span, sides));
        return None;
    };
    if declared != kind {
        problems.push(
            Diagnostic::new(
                &codes::TYPE_MISMATCH,
                format!("a key attribute of `{}` cannot have type {declared}", sides.to.name()),
            )
            .at(text.span, format!("this has type {declared}"))
            .at(sides.to.key_span(), format!("needs type {kind}")),
        );
        return None;
    }
    Some(single(path, kind))
}

/// The source that is the value at a path.
fn single(path: Path, kind: Type) -> Component {
    if path.has_each() { Component::Field(path, kind) } else { Component::Attribute(path, kind) }
}

/// A parsed source.
struct ParsedSource<'t> {
    /// The name, or the path.
    name: &'t str,
    /// Whether the source ends with `[*]`.
    is_elements: bool,
}

fn parse(text: &str) -> Option<ParsedSource<'_>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (name, is_elements) = match inner.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let is_plain = |name: &str| !name.is_empty() && !name.contains(['{', '}', '[', ']']);
    (is_plain(name) || parse_list_path(name).is_some())
        .then_some(ParsedSource { name, is_elements })
}

fn written_source(
    text: &Spanned<String>,
    capture: &Capture,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Source> {
    let Some(ParsedSource { name, is_elements }) = parse(&text.value) else {
        let is_constant = !text.value.contains(['{', '}', '[']) && !is_name(&text.value, sides);
        if is_constant && !text.value.is_empty() {
            return constant(text, capture, sides, problems).map(|constant| (constant, None));
        }
        problems.push(malformed(text, sides));
        return None;
    };
    let path = parse_list_path(name);
    let declared = path.and_then(|path| Some((sides.from.attributes.get(&path).copied()?, path)));
    if let Some((index, own)) = sides.from_key.capture(name).filter(|_| !is_elements) {
        if declared.is_some() {
            problems.push(shadowed(name, text.span, sides.from));
        }
        return check_type(capture, own.kind.as_type(), text.span, sides, problems)
            .then_some((Component::Capture(index), None));
    }
    let Some((kind, path)) = declared else {
        if let Some((path, contained)) = part_of_text(name, sides.from).filter(|_| !is_elements) {
            return check_type(capture, Type::S, text.span, sides, problems)
                .then(|| (single(path, Type::S), Some(contained)));
        }
        problems.push(undeclared(name, text.span, sides));
        return None;
    };
    let component = attribute(path, kind, is_elements, capture, text.span, sides, problems)?;
    Some((component, None))
}

/// The attribute whose template has a capture: `owner.id`, or `id` if only one template has it.
fn part_of_text(name: &str, from: &Entity<'_>) -> Option<(Path, Contained)> {
    let contained = |text: &EntityKey, name: &str| {
        let capture = text.captures().iter().position(|capture| capture == name)?;
        Some(Contained { text: text.clone(), capture: Some(capture) })
    };
    if let Some((attribute, capture)) = name.rsplit_once('.') {
        let path = parse_list_path(attribute)?;
        let contained = contained(from.templates.get(&path)?, capture)?;
        return Some((path, contained));
    }
    let mut all = from.templates.iter();
    let mut found = all.by_ref().filter_map(|(path, text)| Some((path, contained(text, name)?)));
    let (path, contained) = found.next()?;
    found.next().is_none().then(|| (path.clone(), contained))
}

/// A constant: a text, or a number if the key needs one.
fn constant(
    text: &Spanned<String>,
    capture: &Capture,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Component> {
    let value = match capture.kind {
        KeyKind::N => KeyValue::N(Number::parse(text.value.clone()).ok()?.into_owned()),
        KeyKind::S | KeyKind::B => KeyValue::S(text.value.clone().into()),
    };
    let is_possible = check_type(capture, value.kind().as_type(), text.span, sides, problems);
    is_possible.then_some(Component::Constant(value))
}

fn attribute(
    path: Path,
    kind: Type,
    is_elements: bool,
    capture: &Capture,
    span: Span,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Component> {
    match (is_elements, Elements::of(kind)) {
        (false, None) => {
            check_type(capture, kind, span, sides, problems).then_some(if path.has_each() {
                Component::Field(path, kind)
            } else {
                Component::Attribute(path, kind)
            })
        }
        (true, Some(Elements::Of(element))) => check_type(capture, element, span, sides, problems)
            .then_some(Component::Elements(path, kind)),
        // The type of each element is checked when an item is evaluated.
        (true, Some(Elements::Any)) => Some(Component::Elements(path, kind)),
        (true, None) => {
            problems.push(
                Diagnostic::new(
                    &codes::ELEMENTS,
                    format!("`{path}` has type {kind}, which has no elements"),
                )
                .at(span, "only lists and sets have elements")
                .help(format!("write \"{{{path}}}\"")),
            );
            None
        }
        (false, Some(_)) => {
            problems.push(
                Diagnostic::new(
                    &codes::ELEMENTS,
                    format!("`{path}` has type {kind}, which cannot be a part of a key"),
                )
                .at(span, "a list or set as a whole")
                .help(format!("write \"{{{path}[*]}}\" to refer once for each element")),
            );
            None
        }
    }
}

/// The type of the elements of a list or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// Values of one type.
    Of(Type),
    /// Values of any type.
    Any,
}

impl Elements {
    /// Returns the elements of values of this type, or `None` if the type has no elements.
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

/// The default source: the capture with the same name in the referencing key.
fn default_source(
    reference: &Reference,
    capture: &Capture,
    sides: Sides<'_, '_>,
    hidden: &mut usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<Component> {
    let span = reference.name.span;
    if let Some((index, own)) = sides.from_key.capture(&capture.name) {
        return check_type(capture, own.kind.as_type(), span, sides, problems)
            .then_some(Component::Capture(index));
    }
    if *hidden > 0 {
        *hidden -= 1;
        return None;
    }
    problems.push(unbound(&capture.name, span, sides));
    None
}

//! Checks that the keys of a source and its mirror determine each other.

use super::entities::{Entity, ResolvedKey};
use super::templates::Capture;
use crate::data::{KeyKind, Path};
use crate::rules::ast;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::MirrorPart;
use crate::rules::span::Span;

/// For each capture of the mirror's key, where its value comes from, and for each capture of the
/// source's key, its index among the captures of the mirror's key.
pub(super) fn inverse(
    mirror: &ast::Mirror,
    (source, source_key): (&Entity<'_>, &ResolvedKey),
    (copy, copy_key): (&Entity<'_>, &ResolvedKey),
    problems: &mut Vec<Diagnostic>,
) -> Option<(Vec<MirrorPart>, Vec<usize>)> {
    let absent = |key: &ResolvedKey, other: &ResolvedKey, is_known: &dyn Fn(&str) -> bool| {
        let absent = key.names().filter(|name| other.capture(name).is_none() && !is_known(name));
        absent.map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>()
    };
    let only_source = absent(source_key, copy_key, &|_| false);
    let only_copy = absent(copy_key, source_key, &|name| key_attribute(source, name).is_some());
    let span = mirror.target.as_ref().map_or(mirror.name.span, |name| name.span);
    if !only_source.is_empty() || !only_copy.is_empty() {
        let label = |only: &[String], of: &str| {
            if only.is_empty() {
                format!("the key of `{of}`")
            } else {
                format!("only this key has {}", only.join(", "))
            }
        };
        problems.push(
            Diagnostic::new(
                &codes::NOT_INVERSE,
                format!(
                    "the keys of `{}` and `{}` do not have the same captures",
                    source.name(),
                    copy.name()
                ),
            )
            .at(span, "cannot mirror the source")
            .at(source.key_span(), label(&only_source, source.name()))
            .at(copy.key_span(), label(&only_copy, copy.name()))
            .help(if only_source.is_empty() {
                format!(
                    "declare {} in the `attributes` of `{}`, or use the same captures in both keys",
                    only_copy.join(", ").replace(['{', '}'], ""),
                    source.name()
                )
            } else {
                "use all captures of the source's key in the mirror's key, so that each mirror leads \
                 to its source"
                    .to_owned()
            }),
        );
        return None;
    }
    let mut is_sound = true;
    for capture in &source_key.captures {
        let other = copy_key.captures.iter().find(|other| other.name == capture.name);
        if let Some(other) = other.filter(|other| !is_convertible(capture, other)) {
            is_sound = false;
            problems.push(
                Diagnostic::new(
                    &codes::TYPE_MISMATCH,
                    format!("`{{{}}}` has another type in the mirror's key", capture.name),
                )
                .at(span, "cannot mirror the source")
                .at(source.key_span(), format!("type {}", capture.kind.as_type()))
                .at(copy.key_span(), format!("accepts {}", other.accepts.describe())),
            );
        }
    }
    is_sound &= check_cases(span, (source, source_key), (copy, copy_key), problems);
    let mut parts = Vec::new();
    for capture in &copy_key.captures {
        if let Some((index, _)) = source_key.capture(&capture.name) {
            parts.push(MirrorPart::Capture(index));
            continue;
        }
        let kind = key_attribute(source, &capture.name)?;
        if !capture.accepts.kind(kind) {
            is_sound = false;
            problems.push(mistyped_attribute(capture, kind, span, source, copy));
        }
        parts.push(MirrorPart::Attribute(capture.name.clone(), kind));
    }
    let of_source = source_key.names().map(|name| copy_key.capture(name).map(|(index, _)| index));
    let of_source = of_source.collect::<Option<_>>()?;
    is_sound.then_some((parts, of_source))
}

/// The type of an attribute of the source that can be a part of the mirror's key.
fn key_attribute(source: &Entity<'_>, name: &str) -> Option<KeyKind> {
    let declared = source.attributes.get(&Path::attribute(name))?;
    [KeyKind::S, KeyKind::N, KeyKind::B].into_iter().find(|kind| kind.as_type() == *declared)
}

fn mistyped_attribute(
    capture: &Capture,
    kind: KeyKind,
    span: Span,
    source: &Entity<'_>,
    copy: &Entity<'_>,
) -> Diagnostic {
    let name = &capture.name;
    Diagnostic::new(&codes::TYPE_MISMATCH, format!("`{{{name}}}` has another type in the source"))
        .at(span, "cannot mirror the source")
        .at(source.ast.name.span, format!("its attribute `{name}` has type {}", kind.as_type()))
        .at(copy.key_span(), format!("accepts {}", capture.accepts.describe()))
}

/// Whether each capture has the same case in both keys. If not, that is reported.
fn check_cases(
    span: Span,
    (source, source_key): (&Entity<'_>, &ResolvedKey),
    (copy, copy_key): (&Entity<'_>, &ResolvedKey),
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let before = problems.len();
    for (index, capture) in source_key.captures.iter().enumerate() {
        let Some((of_copy, _)) = copy_key.capture(&capture.name) else { continue };
        if source_key.key.case(index) != copy_key.key.case(of_copy) {
            problems.push(
                Diagnostic::new(
                    &codes::NOT_INVERSE,
                    format!("`{{{}}}` has another case in the mirror's key", capture.name),
                )
                .at(span, "cannot mirror the source")
                .at(source.key_span(), "the key of the source")
                .at(copy.key_span(), "the key of the mirror")
                .help("write `lower` or `upper` in both keys, or in none"),
            );
        }
    }
    problems.len() == before
}

/// Whether the capture's value can be written to the mirror's key and read back unchanged. A number
/// may be written as its canonical text, because it can be read back as a number.
fn is_convertible(source: &Capture, copy: &Capture) -> bool {
    copy.accepts.kind(source.kind)
        && (source.accepts.kind(copy.kind) || (source.kind, copy.kind) == (KeyKind::N, KeyKind::S))
}

//! Checks key templates, and determines the types of their captures. Errors are located inside the
//! template's text.

use std::collections::BTreeMap;

use crate::data::{KeyKind, PARTITION_KEY_BYTES_MAX, Type};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::{Span, Spanned};
use crate::rules::template::{
    Capture as Formatted, Format, Part, Separator, Template, TemplateErrorKind,
};

/// The maximum number of captures in a template. The keys of single-table designs have one to four.
/// The limit is needed because the time to compare two templates grows with the product of their
/// numbers of captures.
const CAPTURES_MAX: usize = 32;

/// The types of values that a capture accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepts {
    string: bool,
    number: bool,
    binary: bool,
}

impl Accepts {
    /// A capture inside a longer text.
    const IN_TEXT: Self = Self { string: true, number: true, binary: false };

    /// A capture that is the only part of the template of a key attribute with this type.
    const fn only(kind: KeyKind) -> Self {
        Self {
            string: matches!(kind, KeyKind::S),
            number: matches!(kind, KeyKind::N),
            binary: matches!(kind, KeyKind::B),
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            string: self.string && other.string,
            number: self.number && other.number,
            binary: self.binary && other.binary,
        }
    }

    pub(super) const fn kind(self, kind: KeyKind) -> bool {
        match kind {
            KeyKind::S => self.string,
            KeyKind::N => self.number,
            KeyKind::B => self.binary,
        }
    }

    pub(super) fn value(self, kind: Type) -> bool {
        [KeyKind::S, KeyKind::N, KeyKind::B]
            .into_iter()
            .any(|key_kind| key_kind.as_type() == kind && self.kind(key_kind))
    }

    /// The accepted types, for messages.
    pub(super) fn describe(self) -> &'static str {
        match (self.string, self.number, self.binary) {
            (true, true, _) => "a string or a number (S or N)",
            (true, false, _) => "a string (S)",
            (false, true, _) => "a number (N)",
            (false, false, true) => "a binary (B)",
            (false, false, false) => "nothing",
        }
    }
}

/// A capture of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capture {
    pub(super) name: String,
    /// The types of values that the capture accepts.
    pub(super) accepts: Accepts,
    /// The type of the capture's value when a key is parsed.
    pub(super) kind: KeyKind,
}

impl Capture {
    /// Whether the capture can be looked up by a value of this type. A text may represent a number,
    /// because it may have been written from a number.
    pub(super) fn can_be_looked_up_by(&self, kind: KeyKind) -> bool {
        self.accepts.kind(kind) || (self.kind, kind) == (KeyKind::N, KeyKind::S)
    }
}

/// The captures of a key's templates, in the order of their first occurrence.
///
/// Fails with the name of a capture that accepts no type.
pub(super) fn captures(templates: &[(&Template, KeyKind)]) -> Result<Vec<Capture>, String> {
    let mut order = Vec::new();
    let mut accepted: BTreeMap<&str, Accepts> = BTreeMap::new();
    for (template, kind) in templates {
        for Formatted { name, format, .. } in template.formatted() {
            // A zero-padded number is text, even if nothing else is in the key.
            let is_text = !template.is_sole_capture() || matches!(format, Format::Zeros(_));
            let here = if is_text { Accepts::IN_TEXT } else { Accepts::only(*kind) };
            accepted
                .entry(name.as_str())
                .and_modify(|before| *before = before.and(here))
                .or_insert_with(|| {
                    order.push(name.as_str());
                    here
                });
        }
    }
    order
        .into_iter()
        .filter_map(|name| Some((name, *accepted.get(name)?)))
        .map(|(name, accepts)| {
            let kind = [KeyKind::S, KeyKind::N, KeyKind::B]
                .into_iter()
                .find(|kind| accepts.kind(*kind))
                .ok_or_else(|| name.to_owned())?;
            Ok(Capture { name: name.to_owned(), accepts, kind })
        })
        .collect()
}

/// Parses a template, and reports its errors and warnings.
pub(super) fn read(
    text: &Spanned<String>,
    separator: Separator,
    source: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<Template> {
    check_comment(text.span, source, problems);
    if text.value.len() > PARTITION_KEY_BYTES_MAX {
        problems.push(
            Diagnostic::new(
                &codes::FORMAT,
                format!(
                    "the key template has {} bytes; the maximum is {PARTITION_KEY_BYTES_MAX}",
                    text.value.len()
                ),
            )
            .at(text.span, "too long"),
        );
        return None;
    }
    match Template::parse(&text.value) {
        Ok(template) if template.captures().count() > CAPTURES_MAX => {
            let count = template.captures().count();
            problems.push(
                Diagnostic::new(
                    &codes::FORMAT,
                    format!("the key template has {count} captures; the maximum is {CAPTURES_MAX}"),
                )
                .at(text.span, "too many captures"),
            );
            None
        }
        Ok(template) => {
            if let Some((capture, why)) = template.unsound_format(separator) {
                problems.push(unsound_format(capture, why, &template, separator, text.span));
                return None;
            }
            check_separator(&template, separator, text.span, problems);
            check_dollar(text, source, problems);
            Some(template)
        }
        Err(errors) => {
            problems.extend(errors.into_iter().map(|error| {
                let span = inside(text, error.range.start, error.range.end, source);
                // `${STAGE:-dev}` is meant as a variable with a default, not as a format.
                let is_variable = text.value.contains("${")
                    && matches!(error.kind, TemplateErrorKind::Name | TemplateErrorKind::Format);
                let (kind, help) = if is_variable {
                    (TemplateErrorKind::Name, NOT_IN_TEMPLATES.to_owned())
                } else {
                    (error.kind, fix(error.kind, separator))
                };
                Diagnostic::new(
                    &codes::TEMPLATE,
                    format!("malformed key template `{}`", text.value),
                )
                .at(span, kind.to_string())
                .help(help)
            }));
            None
        }
    }
}

fn fix(kind: TemplateErrorKind, separator: Separator) -> String {
    match kind {
        TemplateErrorKind::Empty => {
            "write a text with captures, such as \"company#{company}\"".to_owned()
        }
        TemplateErrorKind::Unclosed => {
            "close it with `}`, or write `{{` for a literal brace".to_owned()
        }
        TemplateErrorKind::Unopened => "write `}}` for a literal brace".to_owned(),
        TemplateErrorKind::Name => {
            "write a name of letters, digits and `_` between the braces".to_owned()
        }
        TemplateErrorKind::Adjacent => {
            format!("write the separator between them: `{{a}}{separator}{{b}}`")
        }
        TemplateErrorKind::RestNotLast => {
            "move it to the end, or remove the `*` if the capture ends at the separator".to_owned()
        }
        TemplateErrorKind::Format => {
            "write `{no:08}` for a number with 8 digits, `{code:3}` for 3 characters, `{email:lower}`, \
             `{email:upper}`, or `{id:org_*}` for values that begin with `org_`; a number has at most \
             38 digits, and a capture with a fixed width at most 64 characters"
                .to_owned()
        }
    }
}

/// The diagnostic for a capture whose format does not work in this template.
fn unsound_format(
    capture: &Formatted,
    why: &str,
    template: &Template,
    separator: Separator,
    span: Span,
) -> Diagnostic {
    Diagnostic::new(
        &codes::CAPTURE_FORMAT,
        format!("the format of `{capture}` is not possible in `{template}`"),
    )
    .at(span, why.to_owned())
    .help(match &capture.format {
        Format::Prefix(prefix) if separator.is_in(prefix) => {
            format!(
                "write the prefix as literal text before the capture: `{prefix}{{{}}}`",
                capture.name
            )
        }
        Format::Plain
        | Format::Zeros(_)
        | Format::Width(_)
        | Format::Lower
        | Format::Upper
        | Format::Prefix(_) => format!(
            "end each capture before it with the separator `{separator}`, or give it a fixed width"
        ),
    })
}

/// The span of a part of a text. If the text is written with escapes, the span of the entire text.
pub(super) fn inside(text: &Spanned<String>, start: usize, end: usize, source: &str) -> Span {
    let written = text.span.of(source).unwrap_or_default();
    let quotes = usize::from(written.starts_with(['"', '\'']));
    let content = written.get(quotes..written.len().saturating_sub(quotes)).unwrap_or_default();
    if content != text.value {
        return text.span;
    }
    let offset = text.span.start + quotes;
    Span::new(offset + start, offset + end.max(start + usize::from(start < content.len())))
}

/// Reports a template that ends where YAML reads a comment: `pk: user #{email}`.
fn check_comment(span: Span, source: &str, problems: &mut Vec<Diagnostic>) {
    let written = span.of(source).unwrap_or_default();
    let line = source.get(span.end..).unwrap_or_default().lines().next().unwrap_or_default();
    let comment = line.trim_start();
    if written.starts_with(['"', '\'']) || !comment.starts_with('#') {
        return;
    }
    let word = comment.split_whitespace().next().unwrap_or_default();
    if word.contains('{') {
        let end = span.end + line.len() - comment.len() + word.len();
        let whole = Span::new(span.start, end).of(source).unwrap_or_default();
        problems.push(
            Diagnostic::new(&codes::COMMENT, "a comment looks like part of the template")
                .at(Span::new(span.end + line.len() - comment.len(), end), "a comment in YAML")
                .help(format!("if this is part of the template, quote it: \"{whole}\"")),
        );
    }
}

/// Reports captures that are separated by a text without the separator.
fn check_separator(
    template: &Template,
    separator: Separator,
    span: Span,
    problems: &mut Vec<Diagnostic>,
) {
    for parts in template.parts().windows(3) {
        let [Part::Capture(left), Part::Literal(text), Part::Capture(right)] = parts else {
            continue;
        };
        let is_fixed = left.format.width().is_some();
        let (left, right) = (&left.name, &right.name);
        if !is_fixed && !separator.is_in(text) {
            problems.push(
                Diagnostic::new(
                    &codes::SEPARATOR,
                    format!("`{{{left}}}` and `{{{right}}}` are separated by `{text}`, so `{{{left}}}` ends at the first `{text}`"),
                )
                .at(span, format!("the separator is `{separator}`"))
                .help(format!("write `{{{left}}}{separator}{{{right}}}`, or set the table's `separator`")),
            );
        }
    }
}

const NOT_IN_TEMPLATES: &str = "variables are not inserted in key templates: write the text itself, \
                                or a capture such as \"{company}\"";

/// Reports `${`, in which the `$` is literal text.
fn check_dollar(text: &Spanned<String>, source: &str, problems: &mut Vec<Diagnostic>) {
    let Some(at) = text.value.find("${") else { return };
    let after = text.value.get(at + 2..).unwrap_or_default();
    let name = after.split('}').next().unwrap_or_default();
    // Captures are rarely written in upper case, and variables of the environment usually are.
    let is_variable = !name.contains(|char: char| char.is_ascii_lowercase());
    let help = if is_variable {
        NOT_IN_TEMPLATES.to_owned()
    } else {
        format!("write \"{}\"", text.value.replace("${", "{"))
    };
    problems.push(
        Diagnostic::new(
            &codes::DOLLAR,
            format!("the key template `{}` matches only keys that contain `$`", text.value),
        )
        .at(inside(text, at, at + 1, source), "literal text")
        .help(help),
    );
}

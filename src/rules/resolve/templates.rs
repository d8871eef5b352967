//! Key templates: read, with their mistakes at their places inside the text.

use std::collections::BTreeMap;

use crate::data::{KeyKind, PARTITION_KEY_BYTES_MAX, Type};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::{Span, Spanned};
use crate::rules::template::{Part, Template};

/// The most captures that a template may have. Keys of single-table designs have one to four;
/// comparing two templates takes time by the product of theirs.
const CAPTURES_MAX: usize = 32;

/// The types that a capture can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepts {
    string: bool,
    number: bool,
    binary: bool,
}

impl Accepts {
    /// Inside a longer text, strings and numbers have a place.
    const IN_TEXT: Self = Self { string: true, number: true, binary: false };

    /// A capture that is a whole key attribute has the attribute's type.
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

    /// What is accepted, for messages.
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
    /// The types that it can be given.
    pub(super) accepts: Accepts,
    /// The type that it has when a key is taken apart.
    pub(super) kind: KeyKind,
}

impl Capture {
    /// Whether a value of this type tells what the capture has to be. A text can stand for a
    /// number, since it was one where it comes from.
    pub(super) fn can_be_looked_up_by(&self, kind: KeyKind) -> bool {
        self.accepts.kind(kind) || (self.kind, kind) == (KeyKind::N, KeyKind::S)
    }
}

/// The captures of a key's templates, in the order in which they first stand.
///
/// A capture that no type is good for is in the error.
pub(super) fn captures(templates: &[(&Template, KeyKind)]) -> Result<Vec<Capture>, String> {
    let mut order = Vec::new();
    let mut accepted: BTreeMap<&str, Accepts> = BTreeMap::new();
    for (template, kind) in templates {
        let here = if template.is_sole_capture() { Accepts::only(*kind) } else { Accepts::IN_TEXT };
        for name in template.captures() {
            accepted.entry(name).and_modify(|before| *before = before.and(here)).or_insert_with(
                || {
                    order.push(name);
                    here
                },
            );
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

/// Reads a template, and finds what is wrong or doubtful with it.
pub(super) fn read(
    text: &Spanned<String>,
    separator: char,
    source: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<Template> {
    cut_by_comment(text.span, source, problems);
    if text.value.len() > PARTITION_KEY_BYTES_MAX {
        problems.push(
            Diagnostic::new(
                &codes::FORM,
                format!(
                    "the key template is longer than the {PARTITION_KEY_BYTES_MAX} bytes of a key"
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
                    &codes::FORM,
                    format!(
                        "the key template has {count} captures, and {CAPTURES_MAX} are the most"
                    ),
                )
                .at(text.span, "too many captures"),
            );
            None
        }
        Ok(template) => {
            unseparated(&template, separator, text.span, problems);
            Some(template)
        }
        Err(errors) => {
            problems.extend(errors.into_iter().map(|error| {
                let span = inside(text, error.at.start, error.at.end, source);
                Diagnostic::new(
                    &codes::TEMPLATE,
                    format!("malformed key template `{}`", text.value),
                )
                .at(span, error.kind.to_string())
                .help(mend(error.kind, separator))
            }));
            None
        }
    }
}

fn mend(kind: crate::rules::template::TemplateErrorKind, separator: char) -> String {
    use crate::rules::template::TemplateErrorKind as Kind;
    match kind {
        Kind::Empty => "write a text with captures, such as \"company#{company}\"".to_owned(),
        Kind::Unclosed => "close it with `}`, or write `{{` if the brace means itself".to_owned(),
        Kind::Unopened => "write `}}` if the brace means itself".to_owned(),
        Kind::Name => "write a name in letters, digits and `_` between the braces".to_owned(),
        Kind::Touching => format!("write the separator between them: `{{a}}{separator}{{b}}`"),
        Kind::RestNotLast => {
            "let it stand last, or write it without the `*` if it ends at the separator".to_owned()
        }
    }
}

/// The place of a part of a text. Where escapes make the source differ from the text, the whole.
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

/// A template that ends where YAML sees a comment: `pk: user #{email}`.
fn cut_by_comment(span: Span, source: &str, problems: &mut Vec<Diagnostic>) {
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
                .at(Span::new(span.end + line.len() - comment.len(), end), "a comment for YAML")
                .help(format!("quote the template if this is part of it: \"{whole}\"")),
        );
    }
}

/// Captures with other text than the separator between them.
fn unseparated(template: &Template, separator: char, span: Span, problems: &mut Vec<Diagnostic>) {
    for parts in template.parts().windows(3) {
        let [Part::Capture(left), Part::Literal(text), Part::Capture(right) | Part::Rest(right)] =
            parts
        else {
            continue;
        };
        if !text.contains(separator) {
            problems.push(
                Diagnostic::new(
                    &codes::SEPARATOR,
                    format!("`{{{left}}}` and `{{{right}}}` are separated by `{text}`, so `{{{left}}}` ends at the first one"),
                )
                .at(span, format!("the separator is `{separator}`"))
                .help(format!("write `{{{left}}}{separator}{{{right}}}`, or set the table's `separator`")),
            );
        }
    }
}

//! The text of a template, parsed, and how a text is taken apart by it.

use std::fmt;
use std::ops::Range;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stands as it is.
    Literal(String),
    /// `{name}`: one or more characters other than the separator.
    Capture(String),
    /// `{name*}`: one or more characters, to the end.
    Rest(String),
}

/// A template: literals and captures.
///
/// Invariant: neither two literals nor two captures touch, no literal is empty, and
/// [`Part::Rest`] stands last. Its text, by `Display`, parses into the same template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Where in the template's text, in bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub kind: TemplateErrorKind,
}

/// What is wrong in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateErrorKind {
    /// The template has no text at all.
    #[error("the template is empty")]
    Empty,
    /// A `{` is never closed.
    #[error("this `{{` is never closed")]
    Unclosed,
    /// A `}` closes nothing.
    #[error("this `}}` closes nothing")]
    Unopened,
    /// A capture's name is empty or has characters other than letters, digits and `_`.
    #[error("a capture's name consists of ASCII letters, digits and `_`")]
    Name,
    /// Two captures touch, so that nothing tells where one ends.
    #[error("two captures touch, so that nothing tells where the first one ends")]
    Touching,
    /// `{name*}` stands before the end.
    #[error("a capture of all the rest stands before the end")]
    RestNotLast,
}

impl Template {
    /// Reads a template, with all its mistakes in the order in which they stand.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
        let (pieces, mut errors) = read_pieces(text);
        errors.extend(misplaced(&pieces));
        if text.is_empty() {
            errors.push(TemplateError { at: 0..0, kind: TemplateErrorKind::Empty });
        }
        if errors.is_empty() {
            return Ok(Self { parts: pieces.into_iter().map(|piece| piece.part).collect() });
        }
        errors.sort_by_key(|error| (error.at.start, error.at.end));
        Err(errors)
    }

    /// Its pieces.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of its captures, in order.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Capture(name) | Part::Rest(name) => Some(name.as_str()),
        })
    }

    /// What every text of this template begins with.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(literal)) => literal,
            Some(Part::Capture(_) | Part::Rest(_)) | None => "",
        }
    }

    /// Whether it is one capture and nothing else.
    #[must_use]
    pub fn is_sole_capture(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Capture(_) | Part::Rest(_)])
    }

    /// Takes a text apart: `accept` is given what each capture holds, in order, and may refuse it.
    /// Whether the text is of this template and nothing was refused.
    ///
    /// Of all the ways to take the text apart, this is the one whose first capture is the
    /// shortest, then its second, and so on. It is found without going back: see
    /// [`literal_position`].
    pub(super) fn dissect<'t>(
        &self,
        text: &'t str,
        separator: char,
        mut accept: impl FnMut(&'t str) -> bool,
    ) -> bool {
        let mut text = text;
        let mut parts = self.parts.as_slice();
        while let [part, following @ ..] = parts {
            let remaining = match part {
                Part::Literal(literal) => text.strip_prefix(literal.as_str()),
                Part::Capture(_) => capture_end(text, following)
                    .and_then(|end| text.split_at_checked(end))
                    .filter(|(value, _)| !value.is_empty() && !value.contains(separator))
                    .and_then(|(value, remaining)| accept(value).then_some(remaining)),
                Part::Rest(_) => (!text.is_empty() && accept(text)).then_some(""),
            };
            let Some(remaining) = remaining else { return false };
            (text, parts) = (remaining, following);
        }
        text.is_empty()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => {
                    formatter.write_str(&literal.replace('{', "{{").replace('}', "}}"))?;
                }
                Part::Capture(name) => write!(formatter, "{{{name}}}")?,
                Part::Rest(name) => write!(formatter, "{{{name}*}}")?,
            }
        }
        Ok(())
    }
}

/// Where a capture that begins the text ends, going by what follows it in the template.
fn capture_end(text: &str, following: &[Part]) -> Option<usize> {
    match following {
        [] => Some(text.len()),
        [Part::Literal(literal)] => text.len().checked_sub(literal.len()),
        [Part::Literal(literal), ..] => literal_position(text, literal),
        // No two captures touch.
        [Part::Capture(_) | Part::Rest(_), ..] => None,
    }
}

/// The first place where a literal may stand after a capture that begins the text.
///
/// No later place would do better. If the literal has the separator in it, no later place is
/// possible: the capture has none, so the text's first separator is the literal's. If it has none,
/// neither has the text up to the end of the later literal, so the next capture can as well begin
/// after the first one. Hence a text is taken apart in one pass, without going back.
fn literal_position(text: &str, literal: &str) -> Option<usize> {
    let first = text.chars().next()?.len_utf8();
    Some(first + text.get(first..)?.find(literal)?)
}

/// A part of a template, and where it stands in the template's text.
struct Piece {
    part: Part,
    at: Range<usize>,
}

/// The parts of a template, and the mistakes within them.
fn read_pieces(text: &str) -> (Vec<Piece>, Vec<TemplateError>) {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut errors = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, remaining) = read_piece(rest);
        let at = text.len() - rest.len()..text.len() - remaining.len();
        rest = remaining;
        match (part, pieces.last_mut()) {
            (Err(kind), _) => errors.push(TemplateError { at, kind }),
            (
                Ok(Part::Literal(more)),
                Some(Piece { part: Part::Literal(literal), at: literal_at }),
            ) => {
                literal.push_str(&more);
                literal_at.end = at.end;
            }
            (Ok(part), _) => {
                if !is_well_named(&part) {
                    errors.push(TemplateError { at: at.clone(), kind: TemplateErrorKind::Name });
                }
                pieces.push(Piece { part, at });
            }
        }
    }
    (pieces, errors)
}

/// What a text that is not empty begins with, and what comes after it.
fn read_piece(text: &str) -> (Result<Part, TemplateErrorKind>, &str) {
    let braces = ['{', '}'];
    for (escape, brace) in [("{{", "{"), ("}}", "}")] {
        if let Some(rest) = text.strip_prefix(escape) {
            return (Ok(Part::Literal(brace.to_owned())), rest);
        }
    }
    if let Some(rest) = text.strip_prefix('}') {
        return (Err(TemplateErrorKind::Unopened), rest);
    }
    if let Some(inside) = text.strip_prefix('{') {
        let (name, rest) = inside.split_at(inside.find(braces).unwrap_or(inside.len()));
        return match (rest.strip_prefix('}'), name.strip_suffix('*')) {
            (None, _) => (Err(TemplateErrorKind::Unclosed), rest),
            (Some(rest), None) => (Ok(Part::Capture(name.to_owned())), rest),
            (Some(rest), Some(name)) => (Ok(Part::Rest(name.to_owned())), rest),
        };
    }
    let (literal, rest) = text.split_at(text.find(braces).unwrap_or(text.len()));
    (Ok(Part::Literal(literal.to_owned())), rest)
}

fn is_well_named(part: &Part) -> bool {
    match part {
        Part::Literal(_) => true,
        Part::Capture(name) | Part::Rest(name) => {
            !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        }
    }
}

/// The captures that may not stand where they do.
fn misplaced(pieces: &[Piece]) -> impl Iterator<Item = TemplateError> {
    let is_capture = |piece: &Piece| !matches!(piece.part, Part::Literal(_));
    pieces.iter().zip(pieces.iter().skip(1)).flat_map(move |(piece, next)| {
        // Between pieces that do not touch stands another mistake.
        let touching = is_capture(piece) && is_capture(next) && piece.at.end == next.at.start;
        let rest_not_last = matches!(piece.part, Part::Rest(_));
        [
            touching.then_some(TemplateError {
                at: piece.at.start..next.at.end,
                kind: TemplateErrorKind::Touching,
            }),
            rest_not_last.then_some(TemplateError {
                at: piece.at.clone(),
                kind: TemplateErrorKind::RestNotLast,
            }),
        ]
        .into_iter()
        .flatten()
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// The mistakes of a template, each under the text it is about.
    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    fn check_mistakes(text: &str, expected: Expect) {
        let errors = Template::parse(text).expect_err("the template has mistakes");
        let shown: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}\n", &text[error.at.clone()], error.kind))
            .collect();
        expected.assert_eq(&shown.concat());
    }

    /// What a template takes a text apart into.
    fn dissect(template: &str, text: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let template = Template::parse(template).unwrap();
        let accept = |value: &str| {
            values.push(value.to_owned());
            true
        };
        template.dissect(text, '#', accept).then_some(values)
    }

    #[test]
    fn a_template_is_literals_and_captures() {
        let template = Template::parse("a{{b}}#{first}-{rest_2*}").unwrap();
        expect![[r#"
            [
                Literal(
                    "a{b}#",
                ),
                Capture(
                    "first",
                ),
                Literal(
                    "-",
                ),
                Rest(
                    "rest_2",
                ),
            ]
        "#]]
        .assert_debug_eq(&template.parts());
        assert_eq!(template.to_string(), "a{{b}}#{first}-{rest_2*}");
        assert_eq!(template.captures().collect::<Vec<_>>(), ["first", "rest_2"]);
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        check_mistakes(
            "",
            expect![[r"
            : the template is empty
        "]],
        );
        check_mistakes(
            "user#{email",
            expect![[r"
            {email: this `{` is never closed
        "]],
        );
        check_mistakes(
            "user#email}",
            expect![[r"
            }: this `}` closes nothing
        "]],
        );
        check_mistakes(
            "{}#{e-mail}#{*}",
            expect![[r"
            {}: a capture's name consists of ASCII letters, digits and `_`
            {e-mail}: a capture's name consists of ASCII letters, digits and `_`
            {*}: a capture's name consists of ASCII letters, digits and `_`
        "]],
        );
        check_mistakes(
            "{a}{b}",
            expect![[r"
            {a}{b}: two captures touch, so that nothing tells where the first one ends
        "]],
        );
        check_mistakes(
            "{a*}#{b}",
            expect![[r"
            {a*}: a capture of all the rest stands before the end
        "]],
        );
        check_mistakes(
            "é{a{b*}{ö}}{",
            expect![[r"
            {a: this `{` is never closed
            {b*}: a capture of all the rest stands before the end
            {b*}{ö}: two captures touch, so that nothing tells where the first one ends
            {ö}: a capture's name consists of ASCII letters, digits and `_`
            }: this `}` closes nothing
            {: this `{` is never closed
        "]],
        );
    }

    #[test]
    fn a_capture_stops_at_the_separator() {
        let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
        assert_eq!(dissect("user#{id}", "user#7"), Some(vec!["7".to_owned()]));
        assert_eq!(dissect("user#{id}", "user#7#8"), None);
        assert_eq!(dissect("user#{id}", "user#"), None);
        assert_eq!(dissect("user#{id*}", "user##7#8"), Some(vec!["#7#8".to_owned()]));
        assert_eq!(dissect("{a}#{b}", "1#2"), two("1", "2"));
        assert_eq!(dissect("company#", "company#"), Some(vec![]));
        assert_eq!(dissect("company#", "company#1"), None);
    }

    #[test]
    fn the_first_capture_is_as_short_as_it_can_be() {
        let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
        assert_eq!(dissect("{year}-{month}", "2024-01-31"), two("2024", "01-31"));
        assert_eq!(dissect("{a}x{b}", "xxx"), two("x", "x"));
        assert_eq!(dissect("{a}x#{b}", "1x2x#3"), two("1x2", "3"));
        assert_eq!(dissect("{a}x{b}x", "1x2x3x"), two("1", "2x3"));
        assert_eq!(dissect("{a}é{b}", "ééé"), two("é", "é"));
    }
}

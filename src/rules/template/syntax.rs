//! The syntax of templates, and what can be wrong with it.

use std::ops::Range;

use super::format::Capture;
use super::text::Part;

/// An error in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The range in the template's text, in bytes.
    pub range: Range<usize>,
    /// The kind of error.
    pub kind: TemplateErrorKind,
}

/// A kind of error in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateErrorKind {
    /// The template is empty.
    #[error("the template is empty")]
    Empty,
    /// A `{` is not closed.
    #[error("this `{{` is not closed")]
    Unclosed,
    /// A `}` has no `{` before it.
    #[error("this `}}` has no opening `{{`")]
    Unopened,
    /// A capture's name is empty or contains characters other than letters, digits and `_`.
    #[error("a capture's name consists of ASCII letters, digits and `_`")]
    Name,
    /// Two captures are adjacent, so it is unclear where the first one ends.
    #[error("two captures are adjacent, so it is unclear where the first one ends")]
    Adjacent,
    /// `{name*}` is not at the end.
    #[error("a capture of all the rest is not at the end")]
    RestNotLast,
    /// A capture's format is unknown, or its width is out of range.
    #[error("unknown format of a capture")]
    Format,
}

/// A part of a template, and its range in the template's text.
pub(super) struct Piece {
    pub(super) part: Part,
    pub(super) range: Range<usize>,
}

/// The parts of a template, and the errors within them.
pub(super) fn read_pieces(text: &str) -> (Vec<Piece>, Vec<TemplateError>) {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut errors = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, remaining) = read_piece(rest);
        let range = text.len() - rest.len()..text.len() - remaining.len();
        rest = remaining;
        match (part, pieces.last_mut()) {
            (Err(kind), _) => errors.push(TemplateError { range, kind }),
            (
                Ok(Part::Literal(more)),
                Some(Piece { part: Part::Literal(literal), range: literal_range }),
            ) => {
                literal.push_str(&more);
                literal_range.end = range.end;
            }
            (Ok(part), _) => {
                if !is_well_named(&part) {
                    errors.push(TemplateError {
                        range: range.clone(),
                        kind: TemplateErrorKind::Name,
                    });
                }
                pieces.push(Piece { part, range });
            }
        }
    }
    (pieces, errors)
}

/// Reads the first part of a nonempty text. Also returns the text after that part.
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
        let (inside, rest) = inside.split_at(inside.find(braces).unwrap_or(inside.len()));
        let Some(rest) = rest.strip_prefix('}') else {
            return (Err(TemplateErrorKind::Unclosed), rest);
        };
        let capture = Capture::parse(inside).map(Part::Capture);
        return (capture.ok_or(TemplateErrorKind::Format), rest);
    }
    let (literal, rest) = text.split_at(text.find(braces).unwrap_or(text.len()));
    (Ok(Part::Literal(literal.to_owned())), rest)
}

fn is_well_named(part: &Part) -> bool {
    match part {
        Part::Literal(_) => true,
        Part::Capture(Capture { name, .. }) => {
            !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        }
    }
}

/// The errors for adjacent captures, and for `{name*}` that is not at the end.
pub(super) fn misplaced(pieces: &[Piece]) -> impl Iterator<Item = TemplateError> {
    let capture = |piece: &Piece| match &piece.part {
        Part::Literal(_) => None,
        Part::Capture(capture) => Some((capture.is_rest, capture.format.width())),
    };
    pieces.iter().zip(pieces.iter().skip(1)).flat_map(move |(piece, next)| {
        // If two pieces are not adjacent in the text, the text between them has another error.
        let (here, following) = (capture(piece), capture(next));
        let is_adjacent = matches!(here, Some((_, None)))
            && following.is_some()
            && piece.range.end == next.range.start;
        let is_rest = matches!(here, Some((true, _)));
        [
            is_adjacent.then_some(TemplateError {
                range: piece.range.start..next.range.end,
                kind: TemplateErrorKind::Adjacent,
            }),
            is_rest.then_some(TemplateError {
                range: piece.range.clone(),
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

    use super::TemplateErrorKind;
    use crate::rules::template::Template;

    /// The errors of a template, each with the part of the text to which it applies.
    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    fn check_errors(text: &str, expected: Expect) {
        let errors = Template::parse(text).expect_err("the template has errors");
        let shown: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}\n", &text[error.range.clone()], error.kind))
            .collect();
        expected.assert_eq(&shown.concat());
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        check_errors(
            "",
            expect![[r"
            : the template is empty
        "]],
        );
        check_errors(
            "user#{email",
            expect![[r"
            {email: this `{` is not closed
        "]],
        );
        check_errors(
            "user#email}",
            expect![[r"
            }: this `}` has no opening `{`
        "]],
        );
        check_errors(
            "{}#{e-mail}#{*}",
            expect![[r"
            {}: a capture's name consists of ASCII letters, digits and `_`
            {e-mail}: a capture's name consists of ASCII letters, digits and `_`
            {*}: a capture's name consists of ASCII letters, digits and `_`
        "]],
        );
        check_errors(
            "{a}{b}",
            expect![[r"
            {a}{b}: two captures are adjacent, so it is unclear where the first one ends
        "]],
        );
        check_errors(
            "{a*}#{b}",
            expect![[r"
            {a*}: a capture of all the rest is not at the end
        "]],
        );
        check_errors(
            "é{a{b*}{ö}}{",
            expect![[r"
            {a: this `{` is not closed
            {b*}: a capture of all the rest is not at the end
            {b*}{ö}: two captures are adjacent, so it is unclear where the first one ends
            {ö}: a capture's name consists of ASCII letters, digits and `_`
            }: this `}` has no opening `{`
            {: this `{` is not closed
        "]],
        );
    }

    #[test]
    fn formats_are_checked() {
        for text in
            ["{a:0}", "{a:00}", "{a:039}", "{a:65}", "{a:}", "{a:*}", "{a:Lower}", "{a:a*b*}"]
        {
            let errors = Template::parse(text).unwrap_err();
            let kinds: Vec<_> = errors.iter().map(|error| error.kind).collect();
            assert_eq!(kinds, [TemplateErrorKind::Format], "{text}");
        }
        check_errors(
            "{a}{b:2}{c}",
            expect![[r"
            {a}{b:2}: two captures are adjacent, so it is unclear where the first one ends
        "]],
        );
        for (text, expected) in [
            ("{a}#{b:02}", true),
            ("{a}-{b}", true),
            ("{a}-{b:02}", false),
            ("{a:2}-{b:02}", true),
            ("{a:lower}-{b}", true),
            ("{a}#{b}-{c:2}", false),
            ("{a:b#*}", false),
            ("{a*:b#*}", true),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.unsound_format('#'.into()).is_none(), expected, "{text}");
        }
    }
}

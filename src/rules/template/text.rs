//! Templates: their syntax, and how they split a text into captures.

use std::fmt;

use super::format::{Capture, Format};
use super::separator::Separator;
use super::syntax::{TemplateError, TemplateErrorKind, misplaced, read_pieces};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// `{name}`: one or more characters other than the separator. `{name*}`: one or more characters,
    /// to the end. `{name:format}`: characters in this format.
    Capture(Capture),
}

/// A template, which consists of literals and captures.
///
/// Invariant: two literals are never adjacent, no literal is empty, a capture that another one
/// follows directly has a fixed width, and a capture of all the rest comes last. Parsing the output
/// of `Display` returns the same template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Parses a template, or returns all its errors in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
        let (pieces, mut errors) = read_pieces(text);
        errors.extend(misplaced(&pieces));
        if text.is_empty() {
            errors.push(TemplateError { range: 0..0, kind: TemplateErrorKind::Empty });
        }
        if errors.is_empty() {
            return Ok(Self { parts: pieces.into_iter().map(|piece| piece.part).collect() });
        }
        errors.sort_by_key(|error| (error.range.start, error.range.end));
        Err(errors)
    }

    /// The parts of the template.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of the captures, in order.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.formatted().map(|capture| capture.name.as_str())
    }

    /// The captures with their formats, in order.
    pub fn formatted(&self) -> impl Iterator<Item = &Capture> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Capture(capture) => Some(capture),
        })
    }

    /// The literal text with which every matching text begins.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(literal)) => literal,
            Some(Part::Capture(_)) | None => "",
        }
    }

    /// Whether the template is a single capture.
    #[must_use]
    pub fn is_sole_capture(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Capture(_)])
    }

    /// Splits a text into captures. `accept` receives the value of each capture in order, and may
    /// refuse it. Returns whether the text matches the template and no value was refused.
    ///
    /// If there are several ways to split the text, the first capture is as short as possible, then
    /// the second one, and so on. No backtracking is needed: see [`literal_position`]. In a template
    /// with formats, that requires that [`Self::unsound_format`] finds nothing.
    pub(super) fn split<'t>(
        &self,
        text: &'t str,
        separator: Separator,
        mut accept: impl FnMut(&'t str) -> bool,
    ) -> bool {
        let mut text = text;
        let mut parts = self.parts.as_slice();
        while let [part, following @ ..] = parts {
            let remaining = match part {
                Part::Literal(literal) => text.strip_prefix(literal.as_str()),
                Part::Capture(capture) => end_of(capture, text, following)
                    .and_then(|end| text.split_at_checked(end))
                    .and_then(|(written, remaining)| {
                        let value = capture.read(written, separator)?;
                        accept(value).then_some(remaining)
                    }),
            };
            let Some(remaining) = remaining else { return false };
            (text, parts) = (remaining, following);
        }
        text.is_empty()
    }

    /// The first capture whose format does not work in a table with this separator, and the reason.
    ///
    /// A text must be split without backtracking: if a capture has a format, the end of each capture
    /// before it must be known from its width or from the separator.
    #[must_use]
    pub fn unsound_format(&self, separator: Separator) -> Option<(&Capture, &'static str)> {
        let mut is_end_known = true;
        for (index, part) in self.parts.iter().enumerate() {
            let Part::Capture(capture) = part else { continue };
            if capture.format != Format::Plain && !is_end_known {
                return Some((capture, "it is unclear where the capture before it ends"));
            }
            if let Format::Prefix(prefix) = &capture.format
                && !capture.is_rest
                && separator.is_in(prefix)
            {
                return Some((capture, "the prefix contains the table's separator"));
            }
            let ends_at_separator = match self.parts.get(index + 1) {
                Some(Part::Literal(literal)) => separator.is_in(literal),
                Some(Part::Capture(_)) | None => false,
            };
            is_end_known &= capture.format.width().is_some() || ends_at_separator;
        }
        None
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => {
                    formatter.write_str(&literal.replace('{', "{{").replace('}', "}}"))?;
                }
                Part::Capture(capture) => capture.fmt(formatter)?,
            }
        }
        Ok(())
    }
}

/// The end of a capture at the beginning of the text.
fn end_of(capture: &Capture, text: &str, following: &[Part]) -> Option<usize> {
    match capture.format.width() {
        Some(width) => {
            let ends = text.char_indices().map(|(start, _)| start).skip(1).chain([text.len()]);
            ends.take(width).nth(width.checked_sub(1)?)
        }
        None => capture_end(text, following),
    }
}

/// The end of a capture at the beginning of the text, determined by the parts that follow it.
fn capture_end(text: &str, following: &[Part]) -> Option<usize> {
    match following {
        [] => Some(text.len()),
        [Part::Literal(literal)] => text.len().checked_sub(literal.len()),
        [Part::Literal(literal), ..] => literal_position(text, literal),
        // Only a capture with a fixed width is followed by another one.
        [Part::Capture(_), ..] => None,
    }
}

/// The first position at which a literal can follow a capture at the beginning of the text.
///
/// A later position is never necessary. If the literal contains the separator, no later position is
/// possible: the capture cannot contain the separator, so the first separator of the text belongs to
/// the literal. Otherwise, the text up to the end of the literal at a later position contains no
/// separator either, so the next capture can contain this text. Then a match from the later
/// position is also a match from the first one.
///
/// If the separator has several characters, a part of it may belong to a capture, and a later
/// position may be necessary, as in `a::::b` for `{a}::{b}`. It is not used: such a text does not
/// match, and no such key is built.
fn literal_position(text: &str, literal: &str) -> Option<usize> {
    let first = text.chars().next()?.len_utf8();
    let rest = text.get(first..)?;
    let position = match literal.as_bytes() {
        // A search for one byte is faster, and most such literals are separators.
        [byte] => rest.bytes().position(|it| it == *byte),
        _ => rest.find(literal),
    };
    Some(first + position?)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// The captures of a text.
    fn split(template: &str, text: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let template = Template::parse(template).unwrap();
        let accept = |value: &str| {
            values.push(value.to_owned());
            true
        };
        template.split(text, '#'.into(), accept).then_some(values)
    }

    #[test]
    fn a_template_consists_of_literals_and_captures() {
        let template = Template::parse("a{{b}}#{first}-{rest_2*}").unwrap();
        expect![[r#"
            [
                Literal(
                    "a{b}#",
                ),
                Capture(
                    Capture {
                        name: "first",
                        is_rest: false,
                        format: Plain,
                    },
                ),
                Literal(
                    "-",
                ),
                Capture(
                    Capture {
                        name: "rest_2",
                        is_rest: true,
                        format: Plain,
                    },
                ),
            ]
        "#]]
        .assert_debug_eq(&template.parts());
        assert_eq!(template.to_string(), "a{{b}}#{first}-{rest_2*}");
        assert_eq!(template.captures().collect::<Vec<_>>(), ["first", "rest_2"]);
    }

    #[test]
    fn a_capture_stops_at_the_separator() {
        let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
        assert_eq!(split("user#{id}", "user#7"), Some(vec!["7".to_owned()]));
        assert_eq!(split("user#{id}", "user#7#8"), None);
        assert_eq!(split("user#{id}", "user#"), None);
        assert_eq!(split("user#{id*}", "user##7#8"), Some(vec!["#7#8".to_owned()]));
        assert_eq!(split("{a}#{b}", "1#2"), two("1", "2"));
        assert_eq!(split("company#", "company#"), Some(vec![]));
        assert_eq!(split("company#", "company#1"), None);
    }

    #[test]
    fn the_first_capture_is_as_short_as_possible() {
        let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
        assert_eq!(split("{year}-{month}", "2024-01-31"), two("2024", "01-31"));
        assert_eq!(split("{a}x{b}", "xxx"), two("x", "x"));
        assert_eq!(split("{a}x#{b}", "1x2x#3"), two("1x2", "3"));
        assert_eq!(split("{a}x{b}x", "1x2x3x"), two("1", "2x3"));
        assert_eq!(split("{a}é{b}", "ééé"), two("é", "é"));
    }

    #[test]
    fn a_format_determines_which_texts_a_capture_accepts() {
        let one = |value: &str| Some(vec![value.to_owned()]);
        let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
        assert_eq!(split("ISSUE#{no:08}", "ISSUE#00000007"), one("7"));
        assert_eq!(split("ISSUE#{no:08}", "ISSUE#00000000"), one("0"));
        assert_eq!(split("ISSUE#{no:08}", "ISSUE#7"), None);
        assert_eq!(split("ISSUE#{no:08}", "ISSUE#100000000"), None);
        assert_eq!(split("ISSUE#{no:08}", "ISSUE#0000000x"), None);
        assert_eq!(split("{year:4}{month:02}", "202401"), two("2024", "1"));
        assert_eq!(split("{year:4}{month:02}", "20241"), None);
        assert_eq!(split("{land:2}{city}", "é€"), None);
        assert_eq!(split("{land:2}{city}", "é€x"), two("é€", "x"));
        assert_eq!(split("{land:2}-{city}", "de-a-b"), two("de", "a-b"));
        assert_eq!(split("{land:2}", "d#"), None);
        assert_eq!(split("user#{email:lower}", "user#ada"), one("ada"));
        assert_eq!(split("user#{email:lower}", "user#Ada"), None);
        assert_eq!(split("user#{email:upper}", "user#ÉA"), one("ÉA"));
        assert_eq!(split("user#{email:upper}", "user#éA"), None);
        assert_eq!(split("{owner:org_*}#{id}", "org_1#2"), two("org_1", "2"));
        assert_eq!(split("{owner:org_*}#{id}", "user_1#2"), None);
        assert_eq!(split("{path*:a*}", "a#b"), one("a#b"));
    }
}

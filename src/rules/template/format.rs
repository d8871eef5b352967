//! Formats: how the value of a capture is written in a key.

use std::borrow::Cow;
use std::fmt;

use super::separator::Separator;
use crate::data::KeyValue;

/// The maximum number of digits of a zero-padded number: DynamoDB's numbers have at most 38 digits.
pub(super) const DIGITS_MAX: usize = 38;
/// The maximum number of characters of a capture with a fixed width. The limit is needed because
/// the time to compare two templates grows with the product of their lengths.
pub(super) const WIDTH_MAX: usize = 64;

/// A capture of a template: `{name}`, `{name*}` or `{name:format}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Capture {
    /// The capture's name.
    pub name: String,
    /// Whether the capture extends to the end of the key, and may contain the separator: `{name*}`.
    pub is_rest: bool,
    /// How the value is written.
    pub format: Format,
}

/// How the value of a capture is written in a key.
///
/// Invariant: reading a written value returns the value, except that [`Format::Lower`] and
/// [`Format::Upper`] return it in their case. Writing a value that was read returns the same text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Format {
    /// `{name}`: the value as it is.
    Plain,
    /// `{name:08}`: a whole number that is not negative, with leading zeros up to this number of
    /// digits. Numbers with more digits have no text.
    Zeros(usize),
    /// `{name:8}`: a value with exactly this number of characters.
    Width(usize),
    /// `{name:lower}`: the value in lower case.
    Lower,
    /// `{name:upper}`: the value in upper case.
    Upper,
    /// `{name:org_*}`: a value that begins with this text.
    Prefix(String),
}

/// The case to which a format converts its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
}

impl Capture {
    /// Parses the text between the braces. The name is not checked; `None` if the format is wrong.
    pub(super) fn parse(inside: &str) -> Option<Self> {
        let (name, format) = match inside.split_once(':') {
            None => (inside, Format::Plain),
            Some((name, format)) => (name, Format::parse(format)?),
        };
        let (name, is_rest) = match name.strip_suffix('*') {
            Some(name) => (name, true),
            None => (name, false),
        };
        Some(Self { name: name.to_owned(), is_rest, format })
    }

    /// Reads the value from the text that stands for it in a key; `None` if no value is written in
    /// this way.
    #[inline]
    pub(super) fn read<'t>(&self, written: &'t str, separator: Separator) -> Option<&'t str> {
        if written.is_empty() || (!self.is_rest && separator.is_in(written)) {
            return None;
        }
        self.format.read(written)
    }

    /// Appends the text that stands for a value in a key. Fails with the reason if there is none.
    #[inline]
    pub(super) fn write(
        &self,
        value: &str,
        separator: Separator,
        out: &mut String,
    ) -> Result<(), &'static str> {
        if value.is_empty() {
            return Err("it is empty");
        }
        let written = self.format.write(value)?;
        if !self.is_rest && separator.is_in(&written) {
            return Err("it contains the table's separator");
        }
        out.push_str(&written);
        Ok(())
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.with_name(&self.name))
    }
}

impl Capture {
    /// The text that stands for a value in a key; `None` if there is none.
    #[must_use]
    pub fn written(&self, value: &KeyValue<'_>) -> Option<String> {
        match value {
            KeyValue::S(text) => self.format.write(text).ok().map(Cow::into_owned),
            KeyValue::N(number) => self.format.write(number.as_str()).ok().map(Cow::into_owned),
            KeyValue::B(_) => None,
        }
    }

    /// The capture in braces, with another name.
    #[must_use]
    pub fn with_name(&self, name: &str) -> String {
        let rest = if self.is_rest { "*" } else { "" };
        format!("{{{name}{rest}{}}}", self.format)
    }
}

impl Format {
    /// Parses the text after the colon.
    fn parse(text: &str) -> Option<Self> {
        let width = |digits: &str, max: usize| {
            let is_number = digits.chars().all(|char| char.is_ascii_digit());
            let width = digits.parse().ok().filter(|_| is_number && !digits.starts_with('0'))?;
            (1..=max).contains(&width).then_some(width)
        };
        match text {
            "lower" => Some(Self::Lower),
            "upper" => Some(Self::Upper),
            _ => match (text.strip_suffix('*'), text.strip_prefix('0')) {
                (Some(prefix), _) => {
                    let is_literal = !prefix.is_empty() && !prefix.contains(['*', ':']);
                    is_literal.then(|| Self::Prefix(prefix.to_owned()))
                }
                (None, Some(digits)) => width(digits, DIGITS_MAX).map(Self::Zeros),
                (None, None) => width(text, WIDTH_MAX).map(Self::Width),
            },
        }
    }

    /// The number of characters of every text in this format, if it is fixed.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        match self {
            Self::Zeros(width) | Self::Width(width) => Some(*width),
            Self::Plain | Self::Lower | Self::Upper | Self::Prefix(_) => None,
        }
    }

    /// The case to which values are converted, if they are.
    #[must_use]
    pub fn case(&self) -> Option<Case> {
        match self {
            Self::Lower => Some(Case::Lower),
            Self::Upper => Some(Case::Upper),
            Self::Plain | Self::Zeros(_) | Self::Width(_) | Self::Prefix(_) => None,
        }
    }

    /// The format in words; `None` for [`Self::Plain`].
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        Some(match self {
            Self::Plain => return None,
            Self::Zeros(width) => {
                format!("a whole number, written with {width} digits and leading zeros")
            }
            Self::Width(width) => format!("a text of exactly {width} characters"),
            Self::Lower => "a text, written in lower case".to_owned(),
            Self::Upper => "a text, written in upper case".to_owned(),
            Self::Prefix(prefix) => format!("a text that begins with `{prefix}`"),
        })
    }

    /// The value that is read after this value was written.
    pub(super) fn normalize<'v>(&self, value: &'v str) -> Cow<'v, str> {
        self.case().map_or(Cow::Borrowed(value), |case| case.convert(value))
    }

    #[inline]
    fn read<'t>(&self, written: &'t str) -> Option<&'t str> {
        match self {
            Self::Plain => Some(written),
            Self::Zeros(width) => {
                let is_number =
                    written.len() == *width && written.bytes().all(|byte| byte.is_ascii_digit());
                let last = written.len().checked_sub(1)?;
                let first = written.bytes().position(|byte| byte != b'0').unwrap_or(last);
                written.get(first..).filter(|_| is_number)
            }
            Self::Width(width) => (written.chars().count() == *width).then_some(written),
            Self::Lower | Self::Upper => self.case()?.is_case_of(written).then_some(written),
            Self::Prefix(prefix) => written.starts_with(prefix.as_str()).then_some(written),
        }
    }

    #[inline]
    fn write<'v>(&self, value: &'v str) -> Result<Cow<'v, str>, &'static str> {
        match self {
            Self::Zeros(_) if !is_natural(value) => {
                Err("it is not a whole number without a sign and leading zeros")
            }
            Self::Zeros(width) if value.len() > *width => {
                Err("it has more digits than the capture's width")
            }
            Self::Zeros(width) => Ok(Cow::Owned(format!("{value:0>width$}"))),
            Self::Width(width) if value.chars().count() != *width => {
                Err("its length is not the capture's width")
            }
            Self::Prefix(prefix) if !value.starts_with(prefix.as_str()) => {
                Err("it does not begin with the capture's prefix")
            }
            Self::Plain | Self::Width(_) | Self::Prefix(_) => Ok(Cow::Borrowed(value)),
            Self::Lower | Self::Upper => Ok(self.normalize(value)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => Ok(()),
            Self::Zeros(width) => write!(formatter, ":0{width}"),
            Self::Width(width) => write!(formatter, ":{width}"),
            Self::Lower => formatter.write_str(":lower"),
            Self::Upper => formatter.write_str(":upper"),
            Self::Prefix(prefix) => write!(formatter, ":{prefix}*"),
        }
    }
}

impl Case {
    /// Converts a text by Unicode's rules, which do not depend on a language.
    fn convert(self, text: &str) -> Cow<'_, str> {
        if self.is_case_of(text) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
        })
    }

    /// Whether the conversion leaves a text as it is.
    fn is_case_of(self, text: &str) -> bool {
        text.chars().all(|char| self.is_case_of_char(char))
    }

    /// Whether the conversion leaves a character as it is.
    pub(super) fn is_case_of_char(self, char: char) -> bool {
        match self {
            Self::Lower if char.is_ascii() => !char.is_ascii_uppercase(),
            Self::Upper if char.is_ascii() => !char.is_ascii_lowercase(),
            Self::Lower => char.to_lowercase().eq([char]),
            Self::Upper => char.to_uppercase().eq([char]),
        }
    }
}

/// Whether a text is a whole number that is not negative, in its canonical form.
fn is_natural(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

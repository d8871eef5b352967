//! The text that ends a capture in key templates.

use std::fmt;

/// The maximum length of a separator in bytes.
pub(crate) const SEPARATOR_BYTES_MAX: usize = 16;

/// A table's separator: one or more characters other than `{` and `}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Separator {
    bytes: [u8; SEPARATOR_BYTES_MAX],
    len: usize,
}

impl Separator {
    /// Parses a separator. `None` if it is empty, too long, or has a brace.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = !text.is_empty() && !text.contains(['{', '}']);
        let mut bytes = [0; SEPARATOR_BYTES_MAX];
        bytes.get_mut(..text.len()).filter(|_| is_valid)?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, len: text.len() })
    }

    /// A separator of one character.
    #[must_use]
    pub const fn of(char: char) -> Self {
        let mut bytes = [0; SEPARATOR_BYTES_MAX];
        let len = char.encode_utf8(&mut bytes).len();
        Self { bytes, len }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Whether a text contains the separator.
    #[must_use]
    #[inline]
    pub fn is_in(&self, text: &str) -> bool {
        match self.bytes.first() {
            // A search for one byte is faster, and most separators are one.
            Some(byte) if self.len == 1 => text.as_bytes().contains(byte),
            _ => text.contains(self.as_str()),
        }
    }
}

impl From<char> for Separator {
    fn from(char: char) -> Self {
        Self::of(char)
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Separator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_has_a_few_characters() {
        for text in ["#", "::", "é", "0123456789abcdef"] {
            assert_eq!(Separator::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "{", "a}", "0123456789abcdefg"] {
            assert_eq!(Separator::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Separator::parse("é"), Some(Separator::from('é')));
    }

    #[test]
    fn a_text_contains_the_whole_separator_or_not() {
        let is_in = |separator, text| Separator::parse(separator).unwrap().is_in(text);
        assert!(is_in("#", "a#b") && is_in("::", "a::b") && is_in("é", "é"));
        assert!(!is_in("#", "a") && !is_in("::", "a:b:") && !is_in("é", "e"));
    }
}

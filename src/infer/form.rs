//! The form of a value: what kind of text it is.

/// What kind of text a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form {
    /// A whole number without leading zeros.
    Number,
    /// Digits of a fixed width, with leading zeros.
    Padded,
    /// A number with a fraction, or a negative one.
    Decimal,
    /// A UUID, with hyphens.
    Uuid,
    /// A ULID or KSUID: letters and digits that sort by time.
    Ulid,
    /// A date, or a date and a time.
    Date,
    /// An e-mail address.
    Email,
    /// A word of letters.
    Word,
    /// Anything else.
    Other,
}

impl Form {
    /// The form of a text.
    #[must_use]
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits == bytes.len() && digits > 0 {
            return if bytes.len() > 1 && text.starts_with('0') {
                Self::Padded
            } else {
                Self::Number
            };
        }
        if is_uuid(bytes) {
            Self::Uuid
        } else if is_date(bytes) {
            Self::Date
        } else if digits > 0 && text.parse::<f64>().is_ok() {
            Self::Decimal
        } else if is_email(text) {
            Self::Email
        } else if is_ulid(bytes, digits) {
            Self::Ulid
        } else if is_label(text) {
            Self::Word
        } else {
            Self::Other
        }
    }

    /// The word for the form in a draft, if it is worth one.
    #[must_use]
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Number => Some("number"),
            Self::Padded => Some("padded number"),
            Self::Uuid => Some("UUID"),
            Self::Ulid => Some("ULID"),
            Self::Date => Some("date"),
            Self::Email => Some("e-mail address"),
            Self::Decimal | Self::Word | Self::Other => None,
        }
    }

    /// How likely it is that a value of this form is the key of some other item by chance.
    pub(super) const fn chance(self) -> f64 {
        match self {
            Self::Uuid | Self::Ulid => 0.001,
            Self::Email | Self::Other => 0.01,
            Self::Word => 0.03,
            Self::Padded => 0.2,
            Self::Number => 0.5,
            Self::Date | Self::Decimal => 0.9,
        }
    }
}

/// Whether a text could be a literal of a key: a word, possibly with a sign before it, or with a
/// version behind it as in `$user_1`.
pub(super) fn is_label(text: &str) -> bool {
    let body = text.trim_start_matches(['$', '_', '@', '!', '+', '.', '~']);
    let body = body.trim_end_matches(|char: char| char.is_ascii_digit() || char == '_');
    let digits = text.len() - text.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let is_word = |char: char| {
        char.is_alphabetic() || char == '_' || char == '-' || char == '.' || char == ' '
    };
    !body.is_empty()
        && text.len() <= 40
        && digits <= 2
        && body.starts_with(char::is_alphabetic)
        && body.chars().all(is_word)
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(bytes: &[u8]) -> bool {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let hyphen = |at: usize| bytes.get(at).is_some_and(|byte| matches!(byte, b'-' | b'/'));
    bytes.len() >= 7
        && (0..4).all(digit)
        && hyphen(4)
        && (5..7).all(digit)
        && (bytes.len() == 7 || (bytes.len() >= 10 && hyphen(7) && (8..10).all(digit)))
}

fn is_email(text: &str) -> bool {
    let is_name = |char: char| char.is_alphanumeric() || "._%+-'".contains(char);
    let is_host = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-');
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && name.chars().all(is_name)
            && host.contains('.')
            && host.chars().all(is_host)
    })
}

fn is_ulid(bytes: &[u8], digits: usize) -> bool {
    (20..=32).contains(&bytes.len())
        && digits >= 2
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The number of bits that it takes to write a text that nothing predicts.
pub(super) fn bits(text: &str) -> f64 {
    let bits = |byte: u8| match byte {
        b'0'..=b'9' => 3.4,
        // These are rarely part of a value.
        b'#' | b'|' => 20.0,
        b':' | b'/' | b'~' | b'^' => 10.0,
        _ => 5.2,
    };
    text.bytes().map(bits).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognised() {
        for (text, form) in [
            ("42", Form::Number),
            ("0042", Form::Padded),
            ("-1.5", Form::Decimal),
            ("0ab37cf1-fc60-4d93-b72b-89335f759581", Form::Uuid),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Form::Ulid),
            ("2024-02-01", Form::Date),
            ("2024-02-01T10:00:00Z", Form::Date),
            ("ada@example.com", Form::Email),
            ("EMAIL#ada@example.com", Form::Other),
            ("ORDER", Form::Word),
            ("ab 12 cd", Form::Other),
        ] {
            assert_eq!(Form::of(text), form, "{text}");
        }
    }

    #[test]
    fn labels_are_words() {
        for (text, expected) in [
            ("USER", true),
            ("$user_1", true),
            ("order-item", true),
            ("12", false),
            ("", false),
            ("lindsay563", false),
            ("a@b.c", false),
            ("_", false),
        ] {
            assert_eq!(is_label(text), expected, "{text}");
        }
    }
}

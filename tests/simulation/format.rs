//! The values of references, and how they are written in keys.

use fastrand::Rng;

/// A value that means that there is no reference, if the rule says so.
pub(crate) const NONE: &str = "-";

/// What the values of all references of a rule file look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// `1`, and no other values.
    Ids,
    /// `1`
    Digits,
    /// `x1`, or `X1`
    Letters,
    /// `p_1`
    Prefixed,
}

/// The format of an entity's capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    /// Three digits, with leading zeros.
    Zeros,
    Lower,
    Upper,
    /// A text of this length.
    Width(usize),
    /// A text that begins with `p_`.
    Prefix,
}

impl Alphabet {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        *rng.choice(&[Self::Digits, Self::Letters, Self::Prefixed]).unwrap()
    }

    /// The value of an id, as an item with a plain key has it.
    pub(crate) fn value(self, id: usize) -> String {
        match self {
            Self::Ids | Self::Digits => id.to_string(),
            Self::Letters => format!("x{id}"),
            Self::Prefixed => format!("p_{id}"),
        }
    }

    /// Another value, which may refer to the same item, or cannot be written in some keys.
    pub(crate) fn other_value(self, id: usize) -> String {
        match self {
            Self::Ids => self.value(id),
            Self::Digits => format!("0{id}"),
            Self::Letters => format!("X{id}"),
            Self::Prefixed => id.to_string(),
        }
    }

    /// A format for such values.
    pub(crate) fn format(self, rng: &mut Rng) -> Format {
        let formats: &[Format] = match self {
            Self::Ids => &[Format::Plain],
            Self::Digits => &[Format::Plain, Format::Zeros, Format::Width(1)],
            Self::Letters => &[Format::Plain, Format::Lower, Format::Upper, Format::Width(2)],
            Self::Prefixed => &[Format::Plain, Format::Prefix, Format::Width(3)],
        };
        *rng.choice(formats).unwrap()
    }
}

impl Format {
    /// What follows the name of a capture in a template.
    pub(crate) fn suffix(self) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Zeros => ":03".to_owned(),
            Self::Lower => ":lower".to_owned(),
            Self::Upper => ":upper".to_owned(),
            Self::Width(width) => format!(":{width}"),
            Self::Prefix => ":p_*".to_owned(),
        }
    }

    /// The text of a value in a key; `None` if there is none.
    pub(crate) fn write(self, value: &str) -> Option<String> {
        match self {
            Self::Plain => Some(value.to_owned()),
            Self::Zeros => {
                let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
                let is_natural = is_number && (value == "0" || !value.starts_with('0'));
                is_natural.then(|| format!("{value:0>3}"))
            }
            Self::Lower => Some(value.to_lowercase()),
            Self::Upper => Some(value.to_uppercase()),
            Self::Width(width) => (value.len() == width).then(|| value.to_owned()),
            Self::Prefix => value.starts_with("p_").then(|| value.to_owned()),
        }
    }

    /// The value of a text in a key; `None` if no value is written in this way.
    pub(crate) fn read(self, text: &str) -> Option<String> {
        let value = match self {
            Self::Zeros => text.parse::<u32>().ok()?.to_string(),
            Self::Plain | Self::Lower | Self::Upper | Self::Width(_) | Self::Prefix => {
                text.to_owned()
            }
        };
        (self.write(&value).as_deref() == Some(text)).then_some(value)
    }
}

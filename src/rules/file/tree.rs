//! The tree of values.

use crate::rules::span::Spanned;

/// A value of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// No value: `null`, `~`, or nothing after the key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number. It is kept as text, so that no digits are lost.
    Number(String),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// A map. The entries are in the order of the file and include duplicate keys.
    Map(Vec<Entry>),
}

/// A key of a map, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Spanned<Node>,
}

impl Node {
    /// The type of the value, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The entries if the value is a map; otherwise `None`.
    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match self {
            Self::Map(entries) => Some(entries),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The entries if the value is a map; otherwise an empty slice.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.as_map().unwrap_or_default()
    }

    /// The elements if the value is a list; otherwise an empty slice.
    pub(crate) fn elements(&self) -> &[Spanned<Node>] {
        match self {
            Self::List(elements) => elements,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The text if the value is text; otherwise `None`.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

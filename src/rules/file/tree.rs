//! The tree of values.

use crate::rules::span::Spanned;

/// A value of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// No value: `null`, `~`, or nothing after the key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written, so that it keeps all its digits.
    Number(String),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// A map, in the order of the file and including duplicate keys.
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

    /// The map's entries, if it is a map.
    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match self {
            Self::Map(entries) => Some(entries),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The map's entries, or none.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.as_map().unwrap_or_default()
    }

    /// The list's elements, or none.
    pub(crate) fn elements(&self) -> &[Spanned<Node>] {
        match self {
            Self::List(elements) => elements,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The text, if it is text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

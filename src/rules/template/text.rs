//! The text of a template, parsed.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// The template has no text at all.
    Empty,
    /// A `{` is never closed.
    Unclosed,
    /// A `}` closes nothing.
    Unopened,
    /// A capture's name is empty or has characters other than letters, digits and `_`.
    Name,
    /// Two captures touch, so that nothing tells where one ends.
    Touching,
    /// `{name*}` stands before the end.
    RestNotLast,
}

impl Template {
    /// Reads a template, with all its mistakes.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
        let _ = text;
        unimplemented!()
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
}

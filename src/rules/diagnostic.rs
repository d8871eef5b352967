//! A problem of a rule file: what it is, where it is, and how to fix it.

use super::codes::{Code, Level};
use super::span::Span;

/// A problem of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem.
    pub code: &'static Code,
    /// The problem, in one line.
    pub message: String,
    /// The parts of the file that cause it, the main one first. Empty if the problem is the file
    /// itself.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// How to fix it.
    pub help: Option<String>,
}

/// A part of the rule file, with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The part.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }

    /// Adds a label. The first one is where the problem is.
    pub(crate) fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Sets the help, if there is a text.
    pub(crate) fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// How serious it is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// Where the problem is.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

//! Diagnostics: a problem in a rule file, its location, and how to fix it.

use super::codes::{Code, Level};
use super::span::Span;

/// A problem in a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem.
    pub code: &'static Code,
    /// The problem, in one line.
    pub message: String,
    /// The parts of the file that cause the problem, the main one first. Empty if the problem is
    /// with the file itself.
    pub labels: Vec<Label>,
    /// Additional information.
    pub notes: Vec<String>,
    /// How to fix it.
    pub help: Option<String>,
}

/// A part of the rule file, with a short remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The part.
    pub span: Span,
    /// The remark. It may be empty.
    pub text: String,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }

    /// Adds a label. The first label marks the location of the problem.
    pub(crate) fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds additional information if it is `Some`.
    pub(crate) fn maybe_note(mut self, text: Option<&str>) -> Self {
        self.notes.extend(text.map(str::to_owned));
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Sets the help text if it is `Some`.
    pub(crate) fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// How serious the problem is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// The location of the problem.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

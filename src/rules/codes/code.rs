//! A diagnostic code.

use super::level::Level;

/// A kind of problem that a rule file can have.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `E` for an error or `W` for a warning, followed by a number. The meaning of a number never
    /// changes.
    pub id: &'static str,
    /// The problem, in a few words.
    pub summary: &'static str,
    /// What the problem is, why it matters, and how to fix it.
    pub explanation: &'static str,
    /// A rule file, or the relevant part of one, that has the problem. `None` if the problem is
    /// with the file itself or with a real table. See [`complete`](super::complete).
    pub wrong: Option<&'static str>,
    /// The same rule file, or part of one, without the problem.
    pub right: &'static str,
}

impl Code {
    /// How serious the problem is.
    #[must_use]
    pub fn level(&self) -> Level {
        if self.id.starts_with('W') { Level::Warning } else { Level::Error }
    }
}

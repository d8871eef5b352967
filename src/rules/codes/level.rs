//! The level of a diagnostic.

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The rules cannot be used.
    Error,
    /// The rules can be used, but probably do not mean what was intended.
    Warning,
}

impl Level {
    /// The name of the level in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

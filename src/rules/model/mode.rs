//! The mode and the severity of a rule.

/// Whether a rule is evaluated, and whether it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The rule is not evaluated.
    Off,
    /// Violations are reported, each with the action that would be taken. Nothing is written.
    Observe,
    /// Violations are reported, and the rule's writes are made.
    Enforce,
}

impl Mode {
    /// Every mode.
    pub(crate) const ALL: [Self; 3] = [Self::Off, Self::Observe, Self::Enforce];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }

    /// The mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Whether a rule's violations count as errors or warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// They count as violations.
    Error,
    /// They count as warnings, which do not cause exit code 1.
    Warn,
}

impl Severity {
    /// Every severity.
    pub(crate) const ALL: [Self; 2] = [Self::Error, Self::Warn];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

//! What every rule has: its mode and its severity.

/// What a rule does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The rule is not evaluated.
    Off,
    /// Violations are reported, with what would be done about them.
    Observe,
    /// Violations are reported, and the rule's writes are made.
    #[default]
    Enforce,
}

impl Mode {
    /// The mode of this name in the rule file.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "observe" => Some(Self::Observe),
            "enforce" => Some(Self::Enforce),
            _ => None,
        }
    }
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// Counts as a violation.
    #[default]
    Error,
    /// Counts as a warning, and is no reason for exit code 1.
    Warn,
}

impl Severity {
    /// The name that the rule file and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

//! The referential actions that a rule file can declare.

use crate::rules::model::{OnDelete, OnMissing};

/// A referential action: the value of `on_missing`, `on_delete` or `on_ttl_delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferentialAction {
    Report,
    Ignore,
    Delete,
    Cascade,
    Unset,
    SetDefault,
    Revert,
    Restore,
}

impl ReferentialAction {
    /// Every action.
    pub(super) const ALL: [Self; 8] = [
        Self::Report,
        Self::Ignore,
        Self::Delete,
        Self::Cascade,
        Self::Unset,
        Self::SetDefault,
        Self::Revert,
        Self::Restore,
    ];

    /// The name that rule files and output use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Report => OnMissing::Report.name(),
            Self::Ignore => OnDelete::Ignore.name(),
            Self::Delete => OnMissing::Delete.name(),
            Self::Cascade => OnDelete::Cascade.name(),
            Self::Unset => OnMissing::Unset.name(),
            Self::SetDefault => OnMissing::SetDefault.name(),
            Self::Revert => OnMissing::Revert.name(),
            Self::Restore => OnDelete::Restore.name(),
        }
    }

    /// Whether the action changes or deletes the referencing item.
    pub(crate) fn changes_referencing(self) -> bool {
        matches!(self, Self::Delete | Self::Cascade | Self::Unset | Self::SetDefault | Self::Revert)
    }
}

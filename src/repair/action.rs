//! What a planned write does, and why a finding has no write.

use std::borrow::Cow;

use crate::integrity::repair::{Obstacle, Remedy};
use crate::wording;

/// What a planned write does to its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepairAction {
    /// Deletes the referencing item.
    Delete,
    /// Removes the reference's attributes, or the elements that refer to the missing item.
    Unset,
    /// Sets them to the rule's default.
    SetDefault,
    /// Writes a mirror that does not exist.
    PutMirror,
    /// Writes a mirror that differs from its source again.
    OverwriteMirror,
    /// Puts the rule's mark on an item that equals the mirror.
    AdoptMirror,
    /// Announces the delete of a mirror, so that its stream record does not delete the source.
    AnnounceDelete,
    /// Deletes a mirror without a source.
    DeleteMirror,
}

impl RepairAction {
    const ALL: [Self; 8] = [
        Self::Delete,
        Self::Unset,
        Self::SetDefault,
        Self::PutMirror,
        Self::OverwriteMirror,
        Self::AdoptMirror,
        Self::AnnounceDelete,
        Self::DeleteMirror,
    ];

    /// The name that files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Unset => "unset",
            Self::SetDefault => "set_default",
            Self::PutMirror => "put_mirror",
            Self::OverwriteMirror => "overwrite_mirror",
            Self::AdoptMirror => "adopt_mirror",
            Self::AnnounceDelete => "announce_delete",
            Self::DeleteMirror => "delete_mirror",
        }
    }

    /// The action with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The remedy of a reference that the action is, if it is one.
    pub(super) const fn remedy(self) -> Option<Remedy> {
        match self {
            Self::Delete => Some(Remedy::Delete),
            Self::Unset => Some(Remedy::Unset),
            Self::SetDefault => Some(Remedy::SetDefault),
            Self::PutMirror
            | Self::OverwriteMirror
            | Self::AdoptMirror
            | Self::AnnounceDelete
            | Self::DeleteMirror => None,
        }
    }

    /// The action that is this remedy of a reference.
    pub(super) const fn of_remedy(remedy: Remedy) -> Self {
        match remedy {
            Remedy::Delete => Self::Delete,
            Remedy::Unset => Self::Unset,
            Remedy::SetDefault => Self::SetDefault,
        }
    }
}

/// Why a finding has no write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAction {
    /// The rule only reports such findings.
    OnlyReported,
    /// The rule undoes the write that made the reference, and that write is not known at rest.
    CannotRevert,
    /// No rule says what the item should be instead.
    Unrepairable,
    /// An item that Referee did not write is at the mirror's key, and is not the mirror.
    NotOurs,
    /// An item that equals the mirror is at its key, and nothing allows to mark it.
    Unmarked,
    /// The rule is off.
    Off,
    /// Only findings at rest can be planned.
    OfStream,
    /// It is not about a mirror that is missing.
    NotMissing,
    /// The finding no longer holds.
    Resolved,
    /// An earlier write of the plan resolves it.
    Covered {
        /// The number of that write.
        by: u64,
    },
    /// The repair is impossible.
    Impossible(Obstacle),
}

impl NoAction {
    /// The name that files and output use.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OnlyReported => "only_reported",
            Self::CannotRevert => "cannot_revert",
            Self::Unrepairable => "unrepairable",
            Self::NotOurs => "not_ours",
            Self::Unmarked => "unmarked",
            Self::Off => "off",
            Self::OfStream => "of_stream",
            Self::NotMissing => "not_missing",
            Self::Resolved => "resolved",
            Self::Covered { .. } => "covered",
            Self::Impossible(_) => "impossible",
        }
    }

    /// Whether the finding needs no write.
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        matches!(self, Self::Resolved | Self::Covered { .. })
    }

    /// The reason in words.
    #[must_use]
    pub fn words(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::OnlyReported => {
                "the rule only reports it; `--action RULE=ACTION` chooses a write"
            }
            Self::CannotRevert => {
                "the rule reverts the write that made the reference, and an audit does not know \
                 that write; `--action RULE=ACTION` chooses another"
            }
            Self::Unrepairable => "no rule says what the item should contain instead",
            Self::NotOurs => {
                "an item that Referee did not write is at the mirror's key, and is left alone"
            }
            Self::Unmarked => {
                "an item that Referee did not write is at the mirror's key; `--adopt` marks those \
                 that equal the mirror"
            }
            Self::Off => "the rule is off",
            Self::OfStream => {
                "it is a finding about a stream record; `referee audit` finds what is left of it"
            }
            Self::NotMissing => "only missing mirrors are written; see `referee repair`",
            Self::Resolved => "it no longer holds",
            Self::Covered { by } => return format!("write {by} of the plan resolves it").into(),
            Self::Impossible(obstacle) => return wording::obstacle(obstacle).into(),
        })
    }
}

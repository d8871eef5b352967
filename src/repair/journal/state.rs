//! What has happened to a write.

/// What has happened to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was begun. Whether it was made shows only its item.
    Begun,
    /// It was made.
    Applied,
    /// It was not made.
    NotApplied,
    /// Taking it back was begun. Whether it was taken back shows only its item.
    UndoBegun,
    /// It was taken back, or was not made.
    Undone,
    /// Its item was written since, and is left alone.
    Kept,
}

impl State {
    /// Whether taking the write back was begun.
    pub(super) const fn is_undone(self) -> bool {
        match self {
            Self::Begun | Self::Applied | Self::NotApplied => false,
            Self::UndoBegun | Self::Undone | Self::Kept => true,
        }
    }
}

/// How a write, or taking it back, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Applied,
    /// The finding no longer holds.
    Fixed,
    /// The item, or the source of the mirror, has changed since the plan was made.
    Changed,
    /// DynamoDB refuses it, with this message.
    Failed(String),
    /// It was taken back: the item is as before the write.
    Undone,
    /// There was nothing to take back: the item is as before the write.
    NotMade,
    /// The item was written since, and is left alone.
    Kept,
}

impl Outcome {
    /// The name that files and output use.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Fixed => "fixed",
            Self::Changed => "changed",
            Self::Failed(_) => "failed",
            Self::Undone => "undone",
            Self::NotMade => "not_made",
            Self::Kept => "kept",
        }
    }

    /// The message of DynamoDB, if it refused the write.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        if let Self::Failed(why) = self { Some(why) } else { None }
    }

    /// The state of a write with this outcome.
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Applied => State::Applied,
            Self::Fixed | Self::Changed | Self::Failed(_) => State::NotApplied,
            Self::Undone | Self::NotMade => State::Undone,
            Self::Kept => State::Kept,
        }
    }

    /// The state of a write whose outcome has this name.
    pub(super) fn state_named(name: &str) -> Option<State> {
        let all = [
            Self::Applied,
            Self::Fixed,
            Self::Changed,
            Self::Failed(String::new()),
            Self::Undone,
            Self::NotMade,
            Self::Kept,
        ];
        all.iter().find(|outcome| outcome.name() == name).map(Self::state)
    }
}

//! Everything that happened in a history.

use referee::engine::Violation;
use referee::runtime::repair_log::StartedRepair;

use crate::items::Mark;
use crate::model::{Content, Name};
use crate::scenario::Lag;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The application, or people.
    People,
    /// The function.
    Engine,
    /// A repair of the tables at rest.
    Repair,
    /// The undo of a repair.
    Undo,
}

/// A change of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) before: Option<Content>,
    pub(crate) after: Option<Content>,
    pub(crate) mark_before: Option<Mark>,
    pub(crate) mark_after: Option<Mark>,
    pub(crate) by: By,
    pub(crate) expired: bool,
}

impl Step {
    /// Whether the rules must call for this change.
    pub(crate) fn is_by_rules(&self) -> bool {
        matches!(self.by, By::Engine | By::Repair)
    }
}

/// A repair that was logged before its write, and when it was logged.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) repair: StartedRepair,
    /// The number of steps before it was logged.
    pub(crate) happened: usize,
}

/// A reported violation, and when it was reported.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) violation: Violation,
    /// The number of steps before its worker began.
    pub(crate) begun: usize,
    /// The number of steps before it was reported.
    pub(crate) happened: usize,
}

/// Everything that happened.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The changes in order.
    pub(crate) steps: Vec<Step>,
    /// How far the indexes lagged.
    pub(crate) lag: Lag,
    /// Whether the reports include those of audits.
    pub(crate) is_audited: bool,
    /// The reported violations.
    pub(crate) reported: Vec<Reported>,
    /// The repairs that were logged before their writes.
    pub(crate) started: Vec<Started>,
    /// How many deliveries there were.
    pub(crate) deliveries: u64,
    /// How many deliveries were not answered.
    pub(crate) unanswered: u64,
}

impl Past {
    /// Returns the steps of an item among the first `place` steps.
    pub(crate) fn steps_of(&self, name: &Name, place: usize) -> impl Iterator<Item = &Step> {
        let name = name.clone();
        self.steps[..place].iter().filter(move |step| step.name == name)
    }
}

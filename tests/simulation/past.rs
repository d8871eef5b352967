//! Everything that happened in a history.

use referee::engine::Violation;

use crate::items::Mark;
use crate::model::{Content, Name};

/// A change of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) before: Option<Content>,
    pub(crate) after: Option<Content>,
    pub(crate) mark_before: Option<Mark>,
    pub(crate) mark_after: Option<Mark>,
    pub(crate) by_engine: bool,
    pub(crate) expired: bool,
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
    /// The reported violations.
    pub(crate) reported: Vec<Reported>,
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

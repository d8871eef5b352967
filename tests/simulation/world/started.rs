//! The log of repairs that are about to be made, which survives the workers.

use std::cell::RefCell;

use referee::runtime::repair_log::{RepairLog, StartedRepair};

use super::World;
use crate::broken::Part;
use crate::past;

/// The repairs that workers have logged.
#[derive(Default)]
pub(super) struct Started(RefCell<Vec<StartedRepair>>);

impl RepairLog for Started {
    fn started(&self, repairs: &[StartedRepair]) {
        self.0.borrow_mut().extend_from_slice(repairs);
    }
}

impl World<'_> {
    /// Collects the repairs that were logged before the next changes.
    pub(super) fn collect_started(&mut self) {
        let happened = self.past.steps.len();
        let repairs = self.started.0.take().into_iter();
        if self.environment.broken != Some(Part::Logging) {
            self.past.started.extend(repairs.map(|repair| past::Started { repair, happened }));
        }
    }
}

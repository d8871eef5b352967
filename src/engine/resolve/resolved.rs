//! What was found and done after the delete of one item.

use super::deletes::DeleteEnd;
use crate::data::Key;
use crate::engine::report::violation::Response;
use crate::integrity::finding::Orphans;
use crate::integrity::repair::{ItemWrite, Obstacle};
use crate::rules::model::Reference;
use crate::runtime::transactions::RepairResult;
use crate::store::StoreError;

/// The maximum number of orphans that a report names.
pub(super) const NAMED_MAX: usize = 10;

/// What was found and done after the delete of one item.
#[derive(Debug)]
pub(super) struct Resolved {
    /// What was done about the item's orphans.
    pub(super) response: Response,
    /// What prevented a repair, if something did.
    pub(super) obstacle: Option<Obstacle>,
    /// The orphans, without those that could not be repaired.
    pub(super) orphans: Orphans,
    /// The orphans that could not be repaired.
    pub(super) unrepaired: Vec<(Key<'static>, RepairResult)>,
    /// The rule's limit that was reached, if any.
    pub(super) limit: Option<Limit>,
    /// The writes that were made, or would have been.
    pub(super) writes: Vec<ItemWrite>,
    /// Why the work is not finished, if it is not.
    pub(super) unfinished: Option<StoreError>,
    /// Whether the deleted item turned out to exist again.
    pub(super) target_exists: bool,
}

/// A limit that a rule sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// How many items one delete may touch.
    Fanout(usize),
    /// How many levels deep a cascade may go.
    Depth(u64),
}

/// How many items one delete may touch.
pub(super) fn fanout_max(reference: &Reference) -> usize {
    usize::try_from(reference.fanout_max).unwrap_or(usize::MAX)
}

impl Resolved {
    /// The result if there are no orphans.
    pub(super) fn nothing() -> Self {
        Self::orphans(Response::Reported, Orphans::default())
    }

    /// The result if there are these orphans, and all of them got this response.
    pub(super) const fn orphans(response: Response, orphans: Orphans) -> Self {
        Self {
            response,
            obstacle: None,
            orphans,
            unrepaired: Vec::new(),
            limit: None,
            writes: Vec::new(),
            unfinished: None,
            target_exists: false,
        }
    }

    /// How the work ended.
    pub(super) const fn end(&self) -> DeleteEnd {
        if self.unfinished.is_some() {
            DeleteEnd::Unfinished
        } else if self.target_exists {
            DeleteEnd::TargetExists
        } else {
            DeleteEnd::Done
        }
    }

    /// How many items the delete has touched.
    pub(super) fn touched(&self) -> usize {
        self.orphans.count + self.unrepaired.len()
    }

    /// Whether the result includes orphans that no guarded write has confirmed.
    pub(super) fn is_unconfirmed(&self) -> bool {
        let is_impossible =
            |(_, result): &(_, RepairResult)| matches!(result, RepairResult::Impossible(_));
        match self.response {
            Response::Repaired => self.unrepaired.iter().any(is_impossible),
            Response::Reported | Response::WouldRepair | Response::Failed => self.touched() > 0,
        }
    }

    /// Keeps only what must be reported even though the target exists: the writes that were made,
    /// and the repairs that DynamoDB refused.
    pub(super) fn with_existing_target(mut self) -> Self {
        self.target_exists = true;
        if self.response != Response::Repaired {
            return Self { target_exists: true, ..Self::nothing() };
        }
        self.unrepaired.retain(|(_, result)| matches!(result, RepairResult::Failed(_)));
        self.limit = None;
        self
    }

    /// Adds the result of one orphan.
    pub(super) fn add(&mut self, key: Key<'static>, result: RepairResult) {
        match result {
            RepairResult::Repaired(write) => {
                self.orphans.count += 1;
                self.writes.push(write);
                if self.orphans.keys.len() < NAMED_MAX {
                    self.orphans.keys.push(key);
                }
            }
            RepairResult::Unneeded => {}
            RepairResult::Impossible(_) | RepairResult::Failed(_) => {
                self.unrepaired.push((key, result));
            }
        }
    }
}

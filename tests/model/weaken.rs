//! What keeps the engine right, and the same without it: each safeguard must be needed, or the
//! model would prove nothing.

use referee::store::{Action, Write};

use crate::desk::Request;

/// Something without which the engine would go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// The checks in a repair's transaction: that what is referred to does not exist still.
    Guard,
    /// The conditions of what is written: that the item is still what it was taken for.
    Condition,
    /// That the engine looks at its own writes when they come by.
    Verification,
    /// That reads are strongly consistent.
    Consistency,
    /// That an index is looked at only once the grace is over, by when it has caught up.
    Grace,
}

/// A request, if a safeguard were not there.
pub(crate) fn weakened(request: &Request, without: Option<Safeguard>) -> Request {
    let bare = |write: &Write| Write { condition: None, ..write.clone() };
    match (without, request) {
        (Some(Safeguard::Guard), Request::Transact(actions)) => {
            let is_check = |write: &&Write| matches!(write.action, Action::Check(_));
            Request::Transact(actions.iter().filter(|write| !is_check(write)).cloned().collect())
        }
        (Some(Safeguard::Condition), Request::Transact(actions)) => {
            let unconditional = |write: &Write| match write.action {
                Action::Check(_) => write.clone(),
                Action::Put(_) | Action::Update { .. } | Action::Delete(_) => bare(write),
            };
            Request::Transact(actions.iter().map(unconditional).collect())
        }
        (Some(Safeguard::Condition), Request::Write(write)) => Request::Write(bare(write)),
        _ => request.clone(),
    }
}

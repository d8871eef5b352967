//! The safeguards of the engine, and requests without them. Each safeguard must be needed, or the
//! model would prove nothing.

use kit::requests::Request;
use referee::store::{Action, Write};

use crate::model::table::Sealed;

/// A safeguard that the engine needs to be correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// A repair's transaction checks that the target still does not exist.
    Guard,
    /// Each write is made only if the item has not changed since it was read.
    Condition,
    /// The engine processes the records of its own writes.
    Verification,
    /// Reads are strongly consistent.
    Consistency,
    /// An index is queried only after the grace period, when it has caught up.
    Grace,
}

/// Returns the request without one safeguard.
pub(crate) fn weakened(request: &Sealed<Request>, without: Option<Safeguard>) -> Sealed<Request> {
    let bare = |write: &Write| Write { condition: None, ..write.clone() };
    let weakened = match (without, &**request) {
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
        _ => return request.clone(),
    };
    Sealed::new(weakened)
}

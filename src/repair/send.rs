//! Sends a request: a single write, or a transaction.

use crate::store::{CancellationReason, Store, StoreError, Transacted, Write, Written};

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was carried out.
    Applied,
    /// A condition did not hold.
    Refused,
    /// Another request was writing an item, or there was no capacity.
    Busy,
    /// DynamoDB refuses it, with this message.
    Invalid(String),
}

/// Sends a request.
pub(super) async fn send(store: &impl Store, mut actions: Vec<Write>) -> Result<Sent, StoreError> {
    if let [_] = actions.as_slice()
        && let Some(write) = actions.pop()
    {
        return Ok(match store.write(write).await?.value {
            Written::Applied => Sent::Applied,
            Written::ConditionFailed(_) => Sent::Refused,
        });
    }
    Ok(match store.transact(actions).await?.value {
        Transacted::Applied => Sent::Applied,
        Transacted::Canceled(reasons) => canceled(reasons),
    })
}

/// A condition that does not hold counts, whatever else went wrong.
fn canceled(reasons: Vec<CancellationReason>) -> Sent {
    let mut sent = Sent::Busy;
    for reason in reasons {
        match reason {
            CancellationReason::ConditionFailed(_) => return Sent::Refused,
            CancellationReason::Invalid(why) => sent = Sent::Invalid(why),
            CancellationReason::None
            | CancellationReason::Conflict
            | CancellationReason::Throttled => {}
        }
    }
    sent
}

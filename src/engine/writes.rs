//! Writing: the steps of a repair in order, the repairs of a batch side by side.

use futures_util::stream::{self, StreamExt as _};

use super::mirror::Step;
use super::outcome::Operation;
use super::reads::CONCURRENCY;
use super::violation::ItemName;
use crate::data::Item;
use crate::rules::model::Rules;
use crate::store::{Action, CancellationReason, Store, StoreError, Transacted, Write, Written};

/// What became of the steps of a repair.
#[derive(Debug)]
pub(crate) struct Performed {
    /// The writes made, in order.
    pub(crate) made: Vec<(Operation, ItemName)>,
    /// How it ended.
    pub(crate) ending: Result<Ending, StoreError>,
}

/// How the steps of a repair ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All were made.
    Done,
    /// A condition did not hold, and the rest was left; this is the item as it is.
    Refused(Option<Item<'static>>),
}

/// Performs repairs side by side, each one's steps in order. The results come in the order of the
/// repairs.
pub(crate) async fn perform_all<S: Store>(
    rules: &Rules,
    store: &S,
    repairs: Vec<Vec<Step>>,
) -> Vec<Performed> {
    stream::iter(repairs)
        .map(|steps| perform(rules, store, steps))
        .buffered(CONCURRENCY)
        .collect()
        .await
}

async fn perform<S: Store>(rules: &Rules, store: &S, steps: Vec<Step>) -> Performed {
    let mut made = Vec::new();
    for step in steps {
        let touched = touched(rules, &step);
        match take(store, step).await {
            Ok(Ending::Done) => made.extend(touched),
            ending => return Performed { made, ending },
        }
    }
    Performed { made, ending: Ok(Ending::Done) }
}

async fn take<S: Store>(store: &S, step: Step) -> Result<Ending, StoreError> {
    match step {
        Step::Single(write) => Ok(match store.write(write).await?.value {
            Written::Applied => Ending::Done,
            Written::ConditionFailed(current) => Ending::Refused(current),
        }),
        Step::Together(actions) => match store.transact(actions).await?.value {
            Transacted::Applied => Ok(Ending::Done),
            Transacted::Canceled(reasons) => cancelled(reasons),
        },
    }
}

/// What a cancelled transaction means: a condition that does not hold ends the repair, whatever
/// else went wrong; a conflict or a throttle means to try again.
fn cancelled(reasons: Vec<CancellationReason>) -> Result<Ending, StoreError> {
    let mut again = StoreError::Retry("the transaction was cancelled".to_owned());
    for reason in reasons {
        match reason {
            CancellationReason::ConditionFailed(current) => return Ok(Ending::Refused(current)),
            CancellationReason::Invalid(message) => again = StoreError::Rejected(message),
            CancellationReason::None
            | CancellationReason::Conflict
            | CancellationReason::Throttled => {}
        }
    }
    Err(again)
}

/// The items that a step writes.
fn touched(rules: &Rules, step: &Step) -> Vec<(Operation, ItemName)> {
    match step {
        Step::Single(write) => touched_by(rules, write).into_iter().collect(),
        Step::Together(writes) => {
            writes.iter().filter_map(|write| touched_by(rules, write)).collect()
        }
    }
}

fn touched_by(rules: &Rules, write: &Write) -> Option<(Operation, ItemName)> {
    let (operation, attributes) = match &write.action {
        Action::Put(item) => (Operation::Put, item),
        Action::Update { key, .. } => (Operation::Update, key),
        Action::Delete(key) => (Operation::Delete, key),
        Action::Check(_) => return None,
    };
    let (table, schema) = rules.table_named(&write.table)?;
    let key = schema.key_of(attributes).ok()?.into_owned();
    Some((operation, ItemName { table, key }))
}

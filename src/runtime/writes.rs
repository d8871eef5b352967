//! Performs writes in steps: the steps of one sequence in order, and many sequences concurrently.

use futures_util::stream::{self, StreamExt as _};

use super::reads::CONCURRENCY;
use crate::data::Item;
use crate::integrity::finding::ItemName;
use crate::integrity::mirror::Step;
use crate::integrity::repair::{ItemWrite, Operation};
use crate::rules::model::Rules;
use crate::store::{Action, CancellationReason, Store, StoreError, Transacted, Write, Written};

/// The result of a sequence of steps.
#[derive(Debug)]
pub(crate) struct Performed {
    /// The writes that were made, in order.
    pub(crate) writes: Vec<ItemWrite>,
    /// How the sequence ended.
    pub(crate) ending: Result<Ending, StoreError>,
}

/// How a sequence of steps ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All steps were performed.
    Done,
    /// The condition of a step did not hold, and later steps were not tried. This is the item that
    /// did not meet the condition.
    Refused(Option<Item<'static>>),
}

/// Performs sequences of steps concurrently. The results are in the order of the sequences. Each
/// sequence is built only when its turn comes: thousands of them at once would take megabytes.
pub(crate) async fn perform_all(
    rules: &Rules,
    store: &impl Store,
    sequences: impl IntoIterator<Item = Vec<Step>>,
) -> Vec<Performed> {
    perform_while(|| true, rules, store, sequences).await
}

/// Like [`perform_all`], but starts a sequence only while there is time for it.
pub(crate) async fn perform_while(
    has_time: impl Fn() -> bool,
    rules: &Rules,
    store: &impl Store,
    sequences: impl IntoIterator<Item = Vec<Step>>,
) -> Vec<Performed> {
    let has_time = &has_time;
    stream::iter(sequences)
        .map(|steps| async move {
            if has_time() {
                perform(rules, store, steps).await
            } else {
                let late = StoreError::Retry("earlier records used all the time".to_owned());
                Performed { writes: Vec::new(), ending: Err(late) }
            }
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

async fn perform(rules: &Rules, store: &impl Store, steps: Vec<Step>) -> Performed {
    let mut writes = Vec::new();
    for step in steps {
        let of_step = item_writes(rules, &step);
        match make(store, step).await {
            Ok(Ending::Done) => writes.extend(of_step),
            ending => return Performed { writes, ending },
        }
    }
    Performed { writes, ending: Ok(Ending::Done) }
}

async fn make(store: &impl Store, step: Step) -> Result<Ending, StoreError> {
    match step {
        Step::Single(write) => Ok(match store.write(write).await?.value {
            Written::Applied => Ending::Done,
            Written::ConditionFailed(current) => Ending::Refused(current),
        }),
        Step::Together(actions) => match store.transact(actions).await?.value {
            Transacted::Applied => Ok(Ending::Done),
            Transacted::Canceled(reasons) => canceled(reasons),
        },
    }
}

/// The result of a canceled transaction. A condition that does not hold ends the sequence, whatever
/// else went wrong. A conflict or throttling asks for a retry.
fn canceled(reasons: Vec<CancellationReason>) -> Result<Ending, StoreError> {
    let mut error = StoreError::Retry("the transaction was canceled".to_owned());
    for reason in reasons {
        match reason {
            CancellationReason::ConditionFailed(current) => return Ok(Ending::Refused(current)),
            CancellationReason::Invalid(message) => error = StoreError::Rejected(message),
            CancellationReason::None
            | CancellationReason::Conflict
            | CancellationReason::Throttled => {}
        }
    }
    Err(error)
}

/// The writes of a step, item by item.
pub(crate) fn item_writes(rules: &Rules, step: &Step) -> Vec<ItemWrite> {
    let writes = match step {
        Step::Single(write) => std::slice::from_ref(write),
        Step::Together(writes) => writes.as_slice(),
    };
    writes.iter().filter_map(|write| item_write(rules, write)).collect()
}

fn item_write(rules: &Rules, write: &Write) -> Option<ItemWrite> {
    let (operation, attributes) = match &write.action {
        Action::Put(item) => (Operation::Put, item),
        Action::Update { key, .. } => (Operation::Update, key),
        Action::Delete(key) => (Operation::Delete, key),
        Action::Check(_) => return None,
    };
    let (table, schema) = rules.table_named(&write.table)?;
    let key = schema.key_of(attributes).ok()?.into_owned();
    Some(ItemWrite { operation, item: ItemName { table, key }, detail: None })
}

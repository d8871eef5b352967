//! Writing: mirrors of changed sources, what is out of date, and the repairs of violations; the
//! steps of one in order, those of a batch side by side.

use futures_util::stream::{self, StreamExt as _};

use crate::data::Item;
use crate::engine::detect::Mirrored;
use crate::engine::report::Report;
use crate::engine::report::outcome::{Made, Operation};
use crate::engine::verify::first_look::Outdated;
use crate::integrity::finding::ItemName;
use crate::integrity::mirror::{self, Step};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::reads::CONCURRENCY;
use crate::store::{Action, CancellationReason, Store, StoreError, Transacted, Write, Written};

/// What became of the steps of a repair.
#[derive(Debug)]
pub(crate) struct Performed {
    /// The writes made, in order.
    pub(crate) made: Vec<Made>,
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

/// Writes the mirrors of changed sources, before anything is read: a mirror may serve to find who
/// refers to an item.
///
/// Where there is a deadline, none is begun in the second half of the time until then. These writes
/// are made again whenever their record is redelivered; if they took all the time, nothing could
/// ever be read, not even for the first record, and the batch would be handed back for good.
pub(crate) async fn write_mirrors<S: Store, C: Clock>(
    rules: &Rules,
    store: &S,
    clock: &C,
    mirrored: Vec<Mirrored<'_>>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let steps = mirrored.iter().map(|change| {
        let sequence = &change.cause.change.sequence;
        mirror::steps_of_change(rules, &change.pair, change.content.clone(), sequence)
    });
    let began_ms = clock.now_ms();
    let last_ms = clock.deadline_ms().map(|deadline_ms| began_ms.midpoint(deadline_ms));
    let has_time = || last_ms.is_none_or(|last_ms| clock.now_ms() <= last_ms);
    let performed = perform_while(has_time, rules, store, steps).await;
    for (change, performed) in mirrored.iter().zip(performed) {
        report.write_all(&rules[change.pair.rule].name, performed.made, &change.cause);
        match performed.ending {
            Ok(Ending::Refused(Some(current))) if change.content.is_some() => {
                report.blocked(&change.pair, &current, &change.cause);
            }
            Ok(Ending::Done | Ending::Refused(_)) => {}
            Err(error) => report.fail(error, &change.cause)?,
        }
    }
    Ok(())
}

/// Puts right the mirrors of ours that are out of date. One that changed since brings its own
/// echo, so a refusal needs nothing.
pub(crate) async fn correct<S: Store>(
    rules: &Rules,
    store: &S,
    outdated: Vec<Outdated<'_>>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let steps = outdated.iter().map(|Outdated { pair, fix, cause }| {
        mirror::steps_of_fix(rules, pair, fix.clone(), &cause.change.sequence)
    });
    let performed = perform_all(rules, store, steps).await;
    for (outdated, performed) in outdated.iter().zip(performed) {
        report.write_all(&rules[outdated.pair.rule].name, performed.made, &outdated.cause);
        if let Err(error) = performed.ending {
            report.fail(error, &outdated.cause)?;
        }
    }
    Ok(())
}

/// Performs repairs side by side, each one's steps in order. The results come in the order of the
/// repairs, which are only made up when their turn comes: thousands at once would take megabytes.
pub(crate) async fn perform_all<S: Store>(
    rules: &Rules,
    store: &S,
    repairs: impl IntoIterator<Item = Vec<Step>>,
) -> Vec<Performed> {
    perform_while(|| true, rules, store, repairs).await
}

/// The same, of which none is begun without time for it.
async fn perform_while<S: Store>(
    has_time: impl Fn() -> bool,
    rules: &Rules,
    store: &S,
    repairs: impl IntoIterator<Item = Vec<Step>>,
) -> Vec<Performed> {
    let has_time = &has_time;
    stream::iter(repairs)
        .map(|steps| async move {
            if has_time() {
                perform(rules, store, steps).await
            } else {
                let late = StoreError::Retry("the time was needed for earlier records".to_owned());
                Performed { made: Vec::new(), ending: Err(late) }
            }
        })
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
pub(crate) fn touched(rules: &Rules, step: &Step) -> Vec<Made> {
    match step {
        Step::Single(write) => touched_by(rules, write).into_iter().collect(),
        Step::Together(writes) => {
            writes.iter().filter_map(|write| touched_by(rules, write)).collect()
        }
    }
}

fn touched_by(rules: &Rules, write: &Write) -> Option<Made> {
    let (operation, attributes) = match &write.action {
        Action::Put(item) => (Operation::Put, item),
        Action::Update { key, .. } => (Operation::Update, key),
        Action::Delete(key) => (Operation::Delete, key),
        Action::Check(_) => return None,
    };
    let (table, schema) = rules.table_named(&write.table)?;
    let key = schema.key_of(attributes).ok()?.into_owned();
    Some(Made { operation, item: ItemName { table, key }, detail: None })
}

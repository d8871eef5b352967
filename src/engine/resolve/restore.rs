//! Bringing back: what was deleted is written again, if others refer to it.

use super::deletes::{NAMED_MAX, Settled};
use crate::engine::detect::Departure;
use crate::engine::report::outcome::{Made, Operation};
use crate::integrity::finding::{ItemName, Response};
use crate::integrity::repair::restore;
use crate::rules::model::{Mode, Rules};
use crate::runtime::referrers::{Referring, Trail};
use crate::runtime::transactions::busy;
use crate::store::{CancellationReason, Store, StoreError, Transacted, Write};

/// What became of an attempt.
enum Attempt {
    /// It is back, by this attempt.
    Done,
    /// It was back before.
    Needless,
    /// The one that was to refer to it does so no more.
    RefersNot,
    /// Nothing brings it back.
    Hopeless(Response, String),
}

/// Writes what was deleted again, while one of those that are found refers to it.
pub(crate) async fn bring_back<S: Store>(
    rules: &Rules,
    store: &S,
    departure: &Departure<'_>,
    mut trail: Trail<'_>,
) -> Result<Settled, StoreError> {
    let rule = departure.finder.rule;
    let target = &departure.finder.target;
    let Some(image) = &departure.cause.change.before else { return Ok(Settled::nothing()) };
    while let Some(items) = trail.next(store).await? {
        for (place, (key, item)) in items.iter().enumerate() {
            let actions = restore(rules, rule, image, target, (key, item));
            let Some(actions) = actions else { continue };
            let attempt = if rules[rule].mode == Mode::Enforce {
                attempt(rules, store, departure, actions).await?
            } else {
                Attempt::Done
            };
            let referring = items.get(place..).unwrap_or_default();
            match attempt {
                Attempt::RefersNot => {}
                Attempt::Needless => return Ok(Settled::nothing()),
                Attempt::Done => return Ok(done(rules, departure, referring, trail.has_more())),
                Attempt::Hopeless(response, why) => {
                    let done = done(rules, departure, referring, trail.has_more());
                    return Ok(Settled { response, note: Some(why), made: Vec::new(), ..done });
                }
            }
        }
    }
    Ok(Settled::nothing())
}

async fn attempt<S: Store>(
    rules: &Rules,
    store: &S,
    departure: &Departure<'_>,
    actions: Vec<Write>,
) -> Result<Attempt, StoreError> {
    let to = &rules[rules[departure.finder.rule].to];
    let reasons = match store.transact(actions).await {
        Ok(answer) => match answer.value {
            Transacted::Applied => return Ok(Attempt::Done),
            Transacted::Canceled(reasons) => reasons,
        },
        Err(StoreError::Rejected(why)) => return Ok(Attempt::Hopeless(Response::Failed, why)),
        Err(error) => return Err(error),
    };
    let mut reasons = reasons.into_iter();
    match (reasons.next(), reasons.next()) {
        (Some(CancellationReason::ConditionFailed(current)), _) => {
            let is_back = current.is_some_and(|current| to.admits(&current));
            let in_its_place = || "something else is in its place".to_owned();
            let hopeless = || Attempt::Hopeless(Response::Reported, in_its_place());
            Ok(if is_back { Attempt::Needless } else { hopeless() })
        }
        (Some(CancellationReason::Invalid(why)), _)
        | (_, Some(CancellationReason::Invalid(why))) => {
            Ok(Attempt::Hopeless(Response::Failed, why))
        }
        (_, Some(CancellationReason::ConditionFailed(_))) => Ok(Attempt::RefersNot),
        _ => Err(busy()),
    }
}

/// It is back, for these refer to it, and perhaps more.
fn done(rules: &Rules, departure: &Departure<'_>, referring: &[Referring], more: bool) -> Settled {
    let reference = &rules[departure.finder.rule];
    let key = departure.finder.target.clone();
    let item = ItemName { table: rules[reference.to].table, key };
    let is_enforced = reference.mode == Mode::Enforce;
    Settled {
        response: if is_enforced { Response::Repaired } else { Response::WouldRepair },
        count: referring.len(),
        more,
        named: referring.iter().take(NAMED_MAX).map(|(key, _)| key.clone()).collect(),
        made: vec![Made { operation: Operation::Put, item, detail: None }],
        ..Settled::nothing()
    }
}

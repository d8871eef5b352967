//! Departures: what is done about the items that a deleted one leaves behind.

use futures_util::stream::{self, StreamExt as _};

use super::enforce::{Fate, enforce, has_time};
use super::leads::{Trail, referring};
use super::outcome::{Made, Operation};
use super::plan::Plan;
use super::process::{Clock, Fatal};
use super::reads::{CONCURRENCY, Snapshot};
use super::repair::{Case, Cure, Doom, NoRepair, Remedy, is_recursive, restore};
use super::report::Report;
use super::violation::{ItemName, Kind, Response};
use super::work::Departure;
use crate::data::Key;
use crate::rules::model::{Mode, OnDelete, Reference, Rules};
use crate::store::{CancellationReason, Store, StoreError, Transacted};

/// How many of the items left behind are named.
const NAMED_MAX: usize = 10;

/// What was found out and done about one departure.
#[derive(Debug)]
pub(super) struct Settled {
    /// What was done about the items left behind.
    pub(super) response: Response,
    /// In words, how that went, beyond the ordinary.
    pub(super) note: Option<String>,
    /// How many items it was.
    pub(super) count: usize,
    /// Whether there may be more of them.
    pub(super) more: bool,
    /// The first of them.
    pub(super) named: Vec<Key<'static>>,
    /// Those that could not be repaired; why, and whether that is for good.
    pub(super) left: Vec<(Key<'static>, Fate)>,
    /// Why it went no further than this, if the rule says how far it may.
    pub(super) limit: Option<(Kind, String)>,
    /// The writes made, or those that would be.
    pub(super) made: Vec<Made>,
    /// Why it is not done with.
    pub(super) unfinished: Option<StoreError>,
}

/// Looks again for those who refer to what is gone, reports them, and does what the rules ask for.
pub(super) async fn confirm_departures<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    departures: Vec<Departure<'_>>,
    snapshot: &Snapshot,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let settled: Vec<_> = stream::iter(&departures)
        .map(|departure| settle(rules, plan, store, clock, departure, snapshot))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (departure, settled) in departures.iter().zip(settled) {
        match settled {
            Ok(settled) => report.departure(departure, settled)?,
            Err(error) => report.fail(error, &departure.cause)?,
        }
    }
    Ok(())
}

async fn settle<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    departure: &Departure<'_>,
    snapshot: &Snapshot,
) -> Result<Settled, StoreError> {
    let finder = &departure.finder;
    let reference = &rules[finder.rule];
    let to = &rules[reference.to];
    if snapshot.item(to.table, &finder.target)?.is_some_and(|target| to.admits(target)) {
        return Ok(Settled::nothing());
    }
    let trail = Trail::new(rules, plan, finder);
    match Remedy::of_delete(departure.action) {
        Some(remedy) => cure(rules, store, clock, departure, remedy, trail).await,
        None if departure.action == OnDelete::Restore => {
            bring_back(rules, store, departure, trail).await
        }
        None => {
            let enough = fanout_max(reference);
            let leads = referring(store, trail, enough).await?;
            let (count, more) = (leads.keys.len(), leads.more);
            let named = leads.keys.into_iter().take(NAMED_MAX).collect();
            Ok(Settled { count, more, named, ..Settled::nothing() })
        }
    }
}

fn fanout_max(reference: &Reference) -> usize {
    usize::try_from(reference.fanout_max).unwrap_or(usize::MAX)
}

/// Repairs the items left behind, page by page of the query that finds them.
///
/// What is repaired refers to the target no more, so a delivery that comes to its deadline is
/// continued by the next one.
async fn cure<S: Store, C: Clock>(
    rules: &Rules,
    store: &S,
    clock: &C,
    departure: &Departure<'_>,
    remedy: Remedy,
    mut trail: Trail<'_>,
) -> Result<Settled, StoreError> {
    let rule = departure.finder.rule;
    let reference = &rules[rule];
    let is_enforced = reference.mode == Mode::Enforce;
    let mut settled = Settled::nothing();
    settled.response = if is_enforced { Response::Repaired } else { Response::WouldRepair };
    let is_recursive = remedy == Remedy::Delete && is_recursive(reference);
    let doom = Doom { depth: departure.depth + 1 };
    if is_recursive && doom.depth > reference.depth_max {
        let leads = referring(store, trail, NAMED_MAX).await?;
        if leads.keys.is_empty() {
            return Ok(settled);
        }
        let words = format!("the cascade has come {} levels deep", departure.depth);
        (settled.count, settled.more) = (leads.keys.len(), leads.more);
        settled.named = leads.keys;
        settled.limit = Some((Kind::DepthExceeded, words));
        settled.response = Response::Reported;
        return Ok(settled);
    }
    let cure = if is_recursive { Cure::Doom(doom) } else { Cure::Remedy(remedy) };
    let case = Case { rule, target: departure.finder.target.clone(), cure };
    let most = fanout_max(reference);
    loop {
        let mut items = match trail.next(store).await {
            Ok(Some(items)) => items,
            Ok(None) => return Ok(settled),
            Err(error) => {
                settled.unfinished = Some(error);
                return Ok(settled);
            }
        };
        // Those that are marked are on their way already.
        items.retain(|(_, item)| Doom::of(item, &reference.name).is_none());
        if items.len() > most - settled.count {
            items.truncate(most - settled.count);
            let words = format!("more than {most} items refer to it");
            settled.limit = Some((Kind::FanoutExceeded, words));
        }
        if is_enforced {
            let enforced = enforce(rules, store, || has_time(clock), &case, items).await;
            let is_over = enforced.is_back || enforced.unfinished.is_some();
            settled.unfinished = enforced.unfinished;
            for (key, fate) in enforced.fates {
                settled.take(key, fate);
            }
            if is_over {
                return Ok(settled);
            }
        } else {
            let table = rules[reference.from].table;
            for (key, item) in items {
                match case.repair(rules, &key, &item) {
                    Ok(repair) => {
                        let made = repair.made(ItemName { table, key: key.clone() });
                        settled.take(key, Fate::Repaired(made));
                    }
                    Err(NoRepair::RefersNot) => {}
                    Err(NoRepair::Impossible(why)) => settled.take(key, Fate::Impossible(why)),
                }
            }
        }
        if settled.limit.is_some() {
            return Ok(settled);
        }
    }
}

/// Writes what was deleted again, if anything still refers to it.
async fn bring_back<S: Store>(
    rules: &Rules,
    store: &S,
    departure: &Departure<'_>,
    mut trail: Trail<'_>,
) -> Result<Settled, StoreError> {
    let rule = departure.finder.rule;
    let reference = &rules[rule];
    let target = &departure.finder.target;
    let item = ItemName { table: rules[reference.to].table, key: target.clone() };
    let mut settled = Settled::nothing();
    let Some(image) = &departure.cause.change.before else { return Ok(settled) };
    while let Some(items) = trail.next(store).await? {
        for (place, (key, of_key)) in items.iter().enumerate() {
            let Some(actions) = restore(rules, rule, image, target, (key, of_key)) else {
                continue;
            };
            let keys = items.iter().skip(place).map(|(key, _)| key.clone());
            let told = |settled: Settled, response| Settled {
                response,
                count: items.len() - place,
                more: trail.has_more(),
                named: keys.take(NAMED_MAX).collect(),
                ..settled
            };
            settled.made =
                vec![Made { operation: Operation::Put, item: item.clone(), detail: None }];
            if reference.mode != Mode::Enforce {
                return Ok(told(settled, Response::WouldRepair));
            }
            let reasons = match store.transact(actions).await {
                Ok(answer) => match answer.value {
                    Transacted::Applied => return Ok(told(settled, Response::Repaired)),
                    Transacted::Canceled(reasons) => reasons,
                },
                Err(StoreError::Rejected(why)) => vec![CancellationReason::Invalid(why)],
                Err(error) => return Err(error),
            };
            settled.made.clear();
            let mut reasons = reasons.into_iter();
            match (reasons.next(), reasons.next()) {
                (Some(CancellationReason::ConditionFailed(current)), _) => {
                    let to = &rules[reference.to];
                    if current.is_some_and(|current| to.admits(&current)) {
                        return Ok(Settled::nothing());
                    }
                    settled.note = Some("something else is in its place".to_owned());
                    return Ok(told(settled, Response::Reported));
                }
                (Some(CancellationReason::Invalid(why)), _) => {
                    settled.note = Some(why);
                    return Ok(told(settled, Response::Failed));
                }
                // This one refers to it no more; the next one may.
                (_, Some(CancellationReason::ConditionFailed(_))) => {}
                _ => {
                    let busy = "another transaction is under way on the item".to_owned();
                    return Err(StoreError::Retry(busy));
                }
            }
        }
    }
    Ok(settled)
}

impl Settled {
    /// Nobody was left behind.
    const fn nothing() -> Self {
        Self {
            response: Response::Reported,
            note: None,
            count: 0,
            more: false,
            named: Vec::new(),
            left: Vec::new(),
            limit: None,
            made: Vec::new(),
            unfinished: None,
        }
    }

    /// Takes in what became of one of the items.
    fn take(&mut self, key: Key<'static>, fate: Fate) {
        match fate {
            Fate::Repaired(made) => {
                self.count += 1;
                self.made.push(made);
                if self.named.len() < NAMED_MAX {
                    self.named.push(key);
                }
            }
            Fate::Whole => {}
            Fate::Impossible(_) | Fate::Failed(_) => {
                self.count += 1;
                self.left.push((key, fate));
            }
        }
    }
}

//! Cascades: the items that a deleted one leaves behind are deleted or changed, page by page.

use super::deletes::{NAMED_MAX, Settled, fanout_max};
use crate::engine::detect::Departure;
use crate::integrity::finding::{ItemName, Kind, Response};
use crate::integrity::repair::{Case, Cure, Doom, NoRepair, Remedy};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::referrers::{Referring, Trail, referring};
use crate::runtime::transactions::{Fate, enforce, has_time};
use crate::store::{Store, StoreError, TRANSACT_ACTIONS_MAX};

/// How many items are read before they are repaired: ten transactions' worth. A query gives up to
/// 1 MB of them, and the repairs of so many small ones take fifty times as much memory.
const PAGE_ITEMS_MAX: usize = 10 * (TRANSACT_ACTIONS_MAX - 1);

/// Repairs the items left behind, page by page of the query that finds them.
///
/// What is repaired refers to the target no more, so a delivery that comes to its deadline is
/// continued by the next one.
pub(crate) async fn cascade<S: Store, C: Clock>(
    rules: &Rules,
    store: &S,
    clock: &C,
    departure: &Departure<'_>,
    remedy: Remedy,
    trail: Trail<'_>,
) -> Result<Settled, StoreError> {
    let rule = departure.finder.rule;
    let reference = &rules[rule];
    let cure = if remedy == Remedy::Delete && reference.is_recursive() {
        let doom = Doom { depth: departure.depth + 1 };
        if doom.depth > reference.depth_max {
            return too_deep(store, departure, trail).await;
        }
        Cure::Doom(doom)
    } else {
        Cure::Remedy(remedy)
    };
    let case = Case { rule, target: departure.finder.target.clone(), cure };
    let is_enforced = reference.mode == Mode::Enforce;
    let response = if is_enforced { Response::Repaired } else { Response::WouldRepair };
    let mut settled = Settled { response, ..Settled::nothing() };
    let mut trail = trail.in_pages_of(PAGE_ITEMS_MAX);
    let mut is_over = false;
    while !is_over && settled.limit.is_none() {
        let mut items = match trail.next(store).await {
            Ok(Some(items)) => items,
            Ok(None) => break,
            Err(error) => {
                settled.unfinished = Some(error);
                break;
            }
        };
        // Those that are marked are on their way already.
        items.retain(|(_, item)| Doom::of(item, &reference.name).is_none());
        stop_at(fanout_max(reference), &mut items, &mut settled);
        if !is_enforced {
            plan(rules, &case, items, &mut settled);
            continue;
        }
        let enforced = enforce(rules, store, || has_time(clock), &case, items).await;
        enforced.fates.into_iter().for_each(|(key, fate)| settled.take(key, fate));
        if enforced.is_back {
            settled.limit = None;
        }
        is_over = enforced.is_back || enforced.unfinished.is_some();
        settled.unfinished = enforced.unfinished;
    }
    Ok(settled)
}

/// Leaves out those that are more than one delete may touch.
fn stop_at(most: usize, items: &mut Vec<Referring>, settled: &mut Settled) {
    let room = most.saturating_sub(settled.touched());
    if items.len() > room {
        items.truncate(room);
        let words = format!("more than {most} items refer to it");
        settled.limit = Some((Kind::FanoutExceeded, words));
    }
}

/// What would be done about these items.
fn plan(rules: &Rules, case: &Case<'_>, items: Vec<Referring>, settled: &mut Settled) {
    let table = rules[rules[case.rule].from].table;
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

/// A cascade has come as deep as it may: whoever is left behind is reported.
async fn too_deep<S: Store>(
    store: &S,
    departure: &Departure<'_>,
    trail: Trail<'_>,
) -> Result<Settled, StoreError> {
    let leads = referring(store, trail, NAMED_MAX).await?;
    let words = format!("the cascade has come {} levels deep", departure.depth);
    let limit = (!leads.keys.is_empty()).then_some((Kind::DepthExceeded, words));
    let (count, more, named) = (leads.keys.len(), leads.more, leads.keys);
    Ok(Settled { count, more, named, limit, ..Settled::nothing() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fills_its_transactions() {
        // Each has a guard besides.
        assert_eq!(PAGE_ITEMS_MAX % (TRANSACT_ACTIONS_MAX - 1), 0);
    }
}

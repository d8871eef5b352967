//! Claims that hold: references to what does not exist are reported, and repaired as their rule
//! says.

use std::collections::BTreeMap;

use crate::data::{Item, Key};
use crate::engine::detect::Cause;
use crate::engine::report::Report;
use crate::integrity::finding::{ItemName, Response};
use crate::integrity::reference::{Claim, Stance};
use crate::integrity::repair::{Case, Cure, NoRepair, Remedy};
use crate::rules::model::{Mode, OnMissing, ReferenceId, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::transactions::{Fate, enforce_all};
use crate::store::Store;

/// A claim that holds.
#[derive(Debug, Clone)]
pub(crate) struct Held<'h> {
    pub(crate) rule: ReferenceId,
    pub(crate) claim: Claim,
    pub(crate) item: ItemName,
    pub(crate) cause: Cause<'h>,
}

/// A claim that holds, and its item as it was read.
pub(crate) type HeldItem<'h> = (Held<'h>, Item<'static>);

/// Reports what holds, and makes the repairs that the rules ask for.
pub(crate) async fn settle_claims<S: Store, C: Clock>(
    rules: &Rules,
    store: &S,
    clock: &C,
    held: Vec<HeldItem<'_>>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let mut cases = BTreeMap::new();
    for (held, image) in held {
        let Some(case) = case(rules, &held) else {
            report.claim(&held, Response::Reported, None);
            continue;
        };
        if rules[held.rule].mode != Mode::Enforce {
            plan(rules, &case, &held, &image, report);
            continue;
        }
        // What undoes a write is about that write alone.
        let alone = matches!(case.cure, Cure::Revert(_)).then(|| held.item.key.clone());
        let together = (held.rule, case.target.clone(), alone);
        let (_, of_case) = cases.entry(together).or_insert_with(|| (case, Vec::new()));
        of_case.push((held, image));
    }
    let cases: Vec<_> = cases.into_values().collect();
    let item_of = |(held, image): &HeldItem<'_>| (held.item.key.clone(), image.clone());
    let enforced = enforce_all(rules, store, clock, &cases, item_of).await;
    for ((case, held), enforced) in cases.iter().zip(enforced) {
        let mut fates: BTreeMap<Key<'_>, Fate> = enforced.fates.into_iter().collect();
        for (held, _) in held {
            match fates.remove(&held.item.key) {
                Some(Fate::Repaired(made)) => {
                    report.write_all(&rules[case.rule].name, vec![made], &held.cause);
                    report.claim(held, Response::Repaired, None);
                }
                Some(Fate::Whole) => {}
                Some(Fate::Impossible(why)) => report.claim(held, Response::Reported, Some(&why)),
                Some(Fate::Failed(why)) => report.claim(held, Response::Failed, Some(&why)),
                None => report.unfinished(enforced.unfinished.as_ref(), &held.cause)?,
            }
        }
    }
    Ok(())
}

/// What is to be done about a claim; nothing if it is only to be reported.
fn case<'h>(rules: &Rules, held: &Held<'h>) -> Option<Case<'h>> {
    let Stance::Refers(target) = &held.claim.stance else { return None };
    let action = rules[held.rule].on_missing;
    let cure = match Remedy::of_missing(action) {
        Some(remedy) => Cure::Remedy(remedy),
        None if action == OnMissing::Revert => Cure::Revert(held.cause.change),
        None => return None,
    };
    Some(Case { rule: held.rule, target: target.clone(), cure })
}

/// Reports what would be done about a claim.
fn plan(
    rules: &Rules,
    case: &Case<'_>,
    held: &Held<'_>,
    image: &Item<'_>,
    report: &mut Report<'_>,
) {
    match case.repair(rules, &held.item.key, image) {
        Ok(repair) => {
            report.planned(&rules[held.rule].name, repair.made(held.item.clone()), &held.cause);
            report.claim(held, Response::WouldRepair, None);
        }
        Err(NoRepair::Impossible(why)) => report.claim(held, Response::Reported, Some(&why)),
        Err(NoRepair::RefersNot) => report.claim(held, Response::Reported, None),
    }
}

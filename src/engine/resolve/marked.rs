//! Doomed items: those that a cascade marked are deleted, or spared if what they refer to exists.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use super::references::Held;
use crate::data::Key;
use crate::engine::detect::Doomed;
use crate::engine::report::Report;
use crate::engine::report::outcome::{Made, Operation};
use crate::integrity::finding::Response;
use crate::integrity::reference::{Claim, Stance};
use crate::integrity::repair::{Case, Cure, Doom, Remedy, spare};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::reads::CONCURRENCY;
use crate::runtime::transactions::{Fate, enforce_all};
use crate::store::{Store, Written};

/// Deletes the items that refer to their target in vain, and takes the mark off the others.
pub(crate) async fn settle_doomed<S: Store, C: Clock>(
    rules: &Rules,
    store: &S,
    clock: &C,
    doomed: Vec<(Doomed<'_>, Option<Key<'static>>)>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let mut cases = BTreeMap::new();
    let mut spared = Vec::new();
    for (doomed, target) in doomed {
        if rules[doomed.rule].mode != Mode::Enforce {
            continue;
        }
        match target {
            None => spared.push(doomed),
            Some(target) => {
                let case = || {
                    let cure = Cure::Remedy(Remedy::Delete);
                    (Case { rule: doomed.rule, target: target.clone(), cure }, Vec::new())
                };
                let of_case = cases.entry((doomed.rule, target.clone())).or_insert_with(case);
                of_case.1.push(doomed);
            }
        }
    }
    let cases: Vec<(Case<'_>, Vec<Doomed<'_>>)> = cases.into_values().collect();
    let item_of = |doomed: &Doomed<'_>| (doomed.cause.item().key, doomed.image.clone());
    let enforced = enforce_all(rules, store, clock, &cases, item_of).await;
    for ((case, doomed), enforced) in cases.into_iter().zip(enforced) {
        let mut fates: BTreeMap<Key<'_>, Fate> = enforced.fates.into_iter().collect();
        for doomed in doomed {
            let (rule, item, cause) = (case.rule, doomed.cause.item(), doomed.cause);
            match fates.remove(&item.key) {
                Some(Fate::Repaired(made)) => {
                    report.write_all(&rules[rule].name, vec![made], &cause);
                }
                Some(Fate::Whole) => spared.push(doomed),
                Some(Fate::Failed(why) | Fate::Impossible(why)) => {
                    let stance = Stance::Refers(case.target.clone());
                    let claim = Claim { stance, element: None };
                    let held = Held { rule, claim, item, cause };
                    report.claim(&held, Response::Failed, Some(&why));
                }
                None => report.unfinished(enforced.unfinished.as_ref(), &cause)?,
            }
        }
    }
    spare_all(rules, store, spared, report).await
}

/// Takes the marks off. An item that has another mark meanwhile, or none, has its own record.
async fn spare_all<S: Store>(
    rules: &Rules,
    store: &S,
    mut spared: Vec<Doomed<'_>>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    spared.retain(|of| Doom::of(&of.image, &rules[of.rule].name) == Some(of.doom));
    let written: Vec<_> = stream::iter(&spared)
        .map(|doomed| {
            let schema = rules.key_schema(rules[doomed.rule].from);
            let key = schema.item_of(&doomed.cause.change.key);
            store.write(spare(rules, doomed.rule, doomed.doom, key))
        })
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (doomed, written) in spared.iter().zip(written) {
        match written {
            Ok(answer) => {
                let detail = Some("no longer marked to be deleted".to_owned());
                let item = doomed.cause.item();
                let made = Made { operation: Operation::Update, item, detail };
                let made = (answer.value == Written::Applied).then_some(made);
                let rule = &rules[doomed.rule].name;
                report.write_all(rule, made.into_iter().collect(), &doomed.cause);
            }
            Err(error) => report.fail(error, &doomed.cause)?,
        }
    }
    Ok(())
}

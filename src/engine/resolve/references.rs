//! Reports broken references, and repairs them as their rules say.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Key;
use crate::engine::report::violation::{Resolution, Response};
use crate::engine::report::{Report, violation_name};
use crate::engine::verify::BrokenReference;
use crate::integrity::reference;
use crate::integrity::repair::{Case, Fix, NoRepair, Obstacle, Remedy};
use crate::rules::model::{Mode, OnMissing, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::transactions::{Candidate, RepairResult, repair_cases};
use crate::store::Store;

/// Reports broken references, and makes the repairs that the rules ask for.
pub(crate) async fn resolve_references(
    pass: Pass<'_, impl Store, impl Clock>,
    broken: Vec<BrokenReference<'_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let rules = pass.rules;
    let mut cases = BTreeMap::new();
    for reference in broken {
        let Some(case) = case(rules, &reference, pass.clock.now_ms()) else {
            report_reference(rules, &reference, Response::Reported, None, report);
            continue;
        };
        if rules[reference.rule].mode != Mode::Enforce {
            plan(rules, &case, &reference, report);
            continue;
        }
        // A revert undoes the write of one item, so it does not share a case with others.
        let alone = matches!(case.fix, Fix::Revert(_)).then(|| reference.item.key.clone());
        let together = (reference.rule, case.target.clone(), alone);
        let (_, of_case) = cases.entry(together).or_insert_with(|| (case, Vec::new()));
        of_case.push(reference);
    }
    let cases: Vec<_> = cases.into_values().collect();
    let candidate_of = |_: &Case<'_>, it: &BrokenReference<'_>| {
        let finding = reference::broken(rules, it.rule, it.item.clone(), &it.value);
        let violation = Arc::new(violation_name(rules, &finding, &it.cause));
        Candidate { key: it.item.key.clone(), image: it.image.clone(), violation }
    };
    let results = repair_cases(pass, &cases, candidate_of).await;
    for ((case, references), result) in cases.iter().zip(results) {
        let mut items: BTreeMap<Key<'_>, RepairResult> = result.items.into_iter().collect();
        for reference in references {
            let mut resolve = |response, obstacle| {
                report_reference(rules, reference, response, obstacle, report);
            };
            match items.remove(&reference.item.key) {
                Some(RepairResult::Repaired(write)) => {
                    resolve(Response::Repaired, None);
                    report.writes(&rules[case.rule].name, [write], &reference.cause);
                }
                Some(RepairResult::Unneeded) => {}
                Some(RepairResult::Impossible(why)) => resolve(Response::Reported, Some(why)),
                Some(RepairResult::Failed(why)) => resolve(Response::Failed, Some(why)),
                None => report.unfinished(result.unfinished.as_ref(), &reference.cause)?,
            }
        }
    }
    Ok(())
}

/// Returns the repair case of a reference; `None` if the reference is only reported.
fn case<'h>(rules: &Rules, reference: &BrokenReference<'h>, now_ms: i64) -> Option<Case<'h>> {
    let target = reference.value.state.key()?;
    let action = rules[reference.rule].on_missing;
    let fix = match Remedy::of_missing(action) {
        Some(remedy) => Fix::Remedy(remedy),
        None if action == OnMissing::Revert => Fix::Revert(reference.change),
        None => return None,
    };
    Some(Case { rule: reference.rule, target: target.clone(), fix, now_ms })
}

/// Reports a broken reference, and the repair that would be made.
fn plan(rules: &Rules, case: &Case<'_>, reference: &BrokenReference<'_>, report: &mut Report) {
    let (response, obstacle) = match case.repair(rules, &reference.item.key, &reference.image) {
        Ok(repair) => {
            let write = repair.item_write(reference.item.clone());
            report.planned(&rules[reference.rule].name, [write], &reference.cause);
            (Response::WouldRepair, None)
        }
        Err(NoRepair::Impossible(why)) => (Response::Reported, Some(why)),
        Err(NoRepair::NotReferring) => (Response::Reported, None),
    };
    report_reference(rules, reference, response, obstacle, report);
}

fn report_reference(
    rules: &Rules,
    broken: &BrokenReference<'_>,
    response: Response,
    obstacle: Option<Obstacle>,
    report: &mut Report,
) {
    let finding = reference::broken(rules, broken.rule, broken.item.clone(), &broken.value)
        .with_unmet(broken.unmet.clone());
    let resolution = Resolution { obstacle, ..response.into() };
    report.violation(finding, resolution, &broken.cause);
}

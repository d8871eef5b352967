//! Deletes items that a cascade has marked, or unmarks them if every target exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use crate::data::Key;
use crate::engine::detect::MarkedItem;
use crate::engine::report::violation::{Resolution, Response};
use crate::engine::report::{Report, violation_name};
use crate::integrity::reference::{self, ReferenceState, ReferenceValue};
use crate::integrity::repair::{CascadeMark, Case, Fix, ItemWrite, Operation, Remedy, unmark};
use crate::rules::model::Mode;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::CONCURRENCY;
use crate::runtime::transactions::{Candidate, RepairResult, repair_cases};
use crate::store::{Store, Written};

/// Deletes the marked items whose target is missing, and removes the mark from the others.
pub(crate) async fn resolve_marked(
    pass: Pass<'_, impl Store, impl Clock>,
    marked: Vec<(MarkedItem<'_>, Option<Key<'static>>)>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let rules = pass.rules;
    let mut cases = BTreeMap::new();
    let mut to_unmark = Vec::new();
    for (item, missing_target) in marked {
        if rules[item.rule].mode != Mode::Enforce {
            continue;
        }
        let Some(target) = missing_target else {
            to_unmark.push(item);
            continue;
        };
        let fix = Fix::Remedy(Remedy::Delete);
        let now_ms = pass.clock.now_ms();
        let case = || (Case { rule: item.rule, target: target.clone(), fix, now_ms }, Vec::new());
        let of_case = cases.entry((item.rule, target.clone())).or_insert_with(case);
        of_case.1.push(item);
    }
    let cases: Vec<(Case<'_>, Vec<MarkedItem<'_>>)> = cases.into_values().collect();
    let broken = |case: &Case<'_>, marked: &MarkedItem<'_>| {
        let state = ReferenceState::Refers(case.target.clone());
        let value = ReferenceValue { state, element: Vec::new() };
        reference::broken(rules, case.rule, marked.item.clone(), &value)
    };
    let candidate_of = |case: &Case<'_>, marked: &MarkedItem<'_>| {
        let violation = violation_name(rules, &broken(case, marked), &marked.cause);
        let (key, image) = (marked.item.key.clone(), marked.image.clone());
        Candidate { key, image, violation: Arc::new(violation) }
    };
    let results = repair_cases(pass, &cases, candidate_of).await;
    for ((case, marked), result) in cases.into_iter().zip(results) {
        let mut items: BTreeMap<Key<'_>, RepairResult> = result.items.into_iter().collect();
        for marked in marked {
            let cause = marked.cause;
            match items.remove(&marked.item.key) {
                Some(RepairResult::Repaired(write)) => {
                    report.writes(&rules[case.rule].name, [write], &cause);
                }
                Some(RepairResult::Unneeded) => to_unmark.push(marked),
                Some(RepairResult::Failed(why) | RepairResult::Impossible(why)) => {
                    let finding = broken(&case, &marked);
                    let resolution = Resolution { obstacle: Some(why), ..Response::Failed.into() };
                    report.violation(finding, resolution, &cause);
                }
                None => report.unfinished(result.unfinished.as_ref(), &cause)?,
            }
        }
    }
    unmark_all(pass, to_unmark, report).await
}

/// Removes the marks. An item whose mark has changed since it was read is skipped, because that
/// change has a record of its own.
async fn unmark_all(
    pass: Pass<'_, impl Store, impl Clock>,
    mut items: Vec<MarkedItem<'_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let rules = pass.rules;
    items.retain(|it| CascadeMark::of(&it.image, &rules[it.rule].name) == Some(it.mark));
    let written: Vec<_> = stream::iter(&items)
        .map(|marked| {
            let schema = rules.key_schema(rules[marked.rule].from);
            let key = schema.item_of(&marked.item.key);
            pass.store.write(unmark(rules, marked.rule, marked.mark, key))
        })
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (marked, written) in items.into_iter().zip(written) {
        match written {
            Ok(answer) => {
                let detail = Some("no longer marked for deletion".to_owned());
                let (operation, item) = (Operation::Update, marked.item);
                let write = ItemWrite { operation, item, detail };
                let made = (answer.value == Written::Applied).then_some(write);
                report.writes(&rules[marked.rule].name, made, &marked.cause);
            }
            Err(error) => report.fail(error, &marked.cause)?,
        }
    }
    Ok(())
}

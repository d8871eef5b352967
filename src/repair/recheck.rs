//! Whether a finding holds for its items as they are now.

use super::claim::{Claim, RuleId};
use crate::data::Item;
use crate::integrity::finding::{Defect, Finding, ItemName, Kind};
use crate::integrity::mirror::{self, Difference, Pair, compare_at_rest};
use crate::integrity::reference::{ReferenceState, broken, evaluate, is_target, targets, unmet};
use crate::rules::model::{MirrorId, ReferenceId, Rules, Severity};

/// Returns what is wrong with the items of a claim as they are now; `None` if the claim no longer
/// holds, or cannot be checked without a stream.
pub(super) fn recheck<'i>(
    rules: &Rules,
    claim: &Claim,
    items: &impl Fn(&ItemName) -> Option<&'i Item<'static>>,
    now_ms: i64,
) -> Option<Finding> {
    let item = claim.referencing.as_ref()?;
    let referencing = items(item);
    let referenced = claim.referenced.as_ref().and_then(items);
    if claim.kind == Kind::UnknownItem {
        return unknown(rules, claim, item, referencing?);
    }
    match claim.rule_id(rules)? {
        RuleId::Reference(_) => claim
            .alternatives(rules)
            .into_iter()
            .find_map(|rule| reference(rules, rule, claim, (item, referencing?), (items, now_ms))),
        RuleId::Mirror(rule) => {
            let pair = pair(rules, rule, item)?;
            let Difference { defect, .. } =
                compare_at_rest(rules, &pair, referencing, referenced, now_ms)?;
            Some(mirror::finding(rules, &pair, defect))
        }
    }
}

/// The pair of a mirror, by the mirror's name.
pub(super) fn pair(rules: &Rules, rule: MirrorId, mirror: &ItemName) -> Option<Pair> {
    let entity = rules.mirror_of(rule);
    let captures = entity.key.parse(&mirror.key).filter(|_| entity.table == mirror.table)?;
    Pair::of_mirror(rules, rule, &captures).ok()
}

/// What is wrong with a reference to one entity.
fn reference<'i>(
    rules: &Rules,
    rule: ReferenceId,
    claim: &Claim,
    (name, item): (&ItemName, &Item<'_>),
    (items, now_ms): (&impl Fn(&ItemName) -> Option<&'i Item<'static>>, i64),
) -> Option<Finding> {
    let key = claim.referenced.as_ref().map(|referenced| &referenced.key);
    let targets: Vec<_> = key
        .into_iter()
        .flat_map(|key| targets(rules, rule, key))
        .filter_map(|(rule, key)| {
            let table = rules.referenced(rule).table;
            Some((rule, items(&ItemName { table, key })?))
        })
        .collect();
    let exists = targets.iter().any(|(rule, it)| is_target(rules, *rule, it, now_ms));
    let unmet = targets.iter().find_map(|(rule, it)| unmet(rules, *rule, it, now_ms));
    let from = rules.referencing(rule);
    let captures = from.key.parse(&name.key).filter(|_| from.admits(item))?;
    let values = evaluate(rules, &rules[rule], &captures, item);
    let found = values.iter().find_map(|value| {
        let finding = || broken(rules, rule, name.clone(), value);
        match (&value.state, &claim.referenced) {
            (ReferenceState::Refers(key), Some(referenced)) if *key == referenced.key => {
                (!exists).then(finding)
            }
            (ReferenceState::Broken(_), None) => Some(finding())
                .filter(|found| found.kind() == claim.kind && found.path == claim.path),
            (ReferenceState::Refers(_) | ReferenceState::Broken(_), _) => None,
        }
    });
    Some(found?.with_unmet(unmet))
}

fn unknown(rules: &Rules, claim: &Claim, name: &ItemName, item: &Item<'_>) -> Option<Finding> {
    let mut of_table = rules.entities.iter().filter(|entity| entity.table == name.table);
    let is_known =
        of_table.any(|entity| entity.key.parse(&name.key).is_some() && entity.admits(item));
    (!is_known).then(|| Finding {
        rule: claim.rule.clone(),
        severity: if claim.is_warning { Severity::Warn } else { Severity::Error },
        referencing: claim.referencing.clone(),
        referenced: None,
        path: None,
        reference: None,
        defect: Defect::UnknownItem,
    })
}

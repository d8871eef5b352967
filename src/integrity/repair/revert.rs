//! Undoes the write that added a dangling reference.

use std::collections::BTreeMap;

use super::conditions::{AnyOf, is_as_left, present};
use super::obstacle::RevertObstacle;
use super::operation::Operation;
use super::remedy::{Repair, expression_of};
use crate::data::{Item, Path};
use crate::integrity::change::Change;
use crate::integrity::finding::Defect;
use crate::integrity::reference::{self, ReferenceState, states};
use crate::rules::model::{EntityId, Mode, ReferenceId, Rules};
use crate::store::{Action, Clause, TRANSACT_ACTIONS_MAX, Write};

/// The repair that undoes a change.
///
/// An updated item gets its earlier attributes back, and an inserted item is deleted. The item must
/// still be as the change left it. An earlier value that is broken too is not restored: otherwise,
/// two such rules would undo each other's repairs for ever.
pub(crate) fn revert(
    rules: &Rules,
    rule: ReferenceId,
    change: &Change<'_>,
    now_ms: i64,
) -> Result<Repair, RevertObstacle> {
    let from = rules[rule].from;
    let after = change.after.as_ref().ok_or(RevertObstacle::Gone)?;
    let key = rules.key_schema(from).item_of(&change.key);
    let write = |action| Write {
        table: rules.table_of(from).name.clone(),
        action,
        condition: Some(is_as_left(rules, from, change.before.as_ref(), after)),
    };
    let Some(before) = &change.before else {
        let write = write(Action::Delete(key));
        let checks = Vec::new();
        return Ok(Repair { operation: Operation::Delete, write, checks, detail: None });
    };
    let checks = checks(rules, change, (before, after), now_ms)?;
    let clauses = differences(rules, from, before, after);
    let detail = Some(clauses.iter().map(expression_of).collect::<Vec<_>>().join(", "));
    let write = write(Action::Update { key, clauses });
    Ok(Repair { operation: Operation::Update, write, checks, detail })
}

/// The clauses that turn the image after a change back into the image before it.
fn differences(rules: &Rules, from: EntityId, before: &Item<'_>, after: &Item<'_>) -> Vec<Clause> {
    let schema = rules.key_schema(from);
    let is_key = |name: &str| schema.names().any(|key| key == name);
    let set = before
        .iter()
        .filter(|(name, value)| !is_key(name) && after.get(*name) != Some(*value))
        .map(|(name, value)| Clause::Set(Path::attribute(name), value.clone().into_owned()));
    let removed = after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .map(|name| Clause::Remove(Path::attribute(name)));
    set.chain(removed).collect()
}

/// The checks that all items exist to which only the image before the change refers.
fn checks(
    rules: &Rules,
    change: &Change<'_>,
    (before, after): (&Item<'_>, &Item<'_>),
    now_ms: i64,
) -> Result<Vec<AnyOf>, RevertObstacle> {
    let mut needed = BTreeMap::new();
    for (rule, reference) in (0..).map(ReferenceId).zip(&rules.references) {
        if reference.mode == Mode::Off || rules[reference.from].table != change.table {
            continue;
        }
        let states_after = states(rules, reference, &change.key, after);
        for state in states(rules, reference, &change.key, before) {
            if states_after.contains(&state) {
                continue;
            }
            match state {
                ReferenceState::Refers(key) => {
                    // The alternatives of a union have a check of their own.
                    let of_union = reference.alternative.is_union().then_some(rule);
                    let target = ((rules[reference.to].table, of_union), key);
                    let needed = needed.entry(target).or_insert(rule);
                    // One check serves all rules: that of the strictest one.
                    if reference::ttl(rules, &rules[rule]).is_some() {
                        *needed = rule;
                    }
                }
                ReferenceState::Broken(defect) => {
                    return Err(RevertObstacle::BrokenBefore(defect));
                }
            }
        }
    }
    if needed.len() + 2 > TRANSACT_ACTIONS_MAX {
        return Err(RevertObstacle::TooManyReferences);
    }
    let own = (change.table, &change.key, before);
    let checks =
        needed.iter().filter_map(|((_, key), rule)| present(rules, *rule, key, own, now_ms));
    let checks: Vec<AnyOf> = checks.collect();
    if checks.iter().any(AnyOf::is_impossible) {
        return Err(RevertObstacle::BrokenBefore(Defect::TargetMissing));
    }
    Ok(checks)
}

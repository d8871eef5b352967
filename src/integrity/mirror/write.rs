//! The writes that maintain a mirror. Each has a condition that makes it safe if it is repeated or
//! applied late.

use std::borrow::Cow;

use super::compare::{Correction, Precondition};
use super::content::Pair;
use super::mark::{Mark, deleting_path, fenced, fixed_before, lowest_fence, unmarked};
use crate::data::SequenceNumber;
use crate::data::{Item, Value};
use crate::integrity::mark::MARK;
use crate::integrity::presence::{is_there, nothing_is_there};
use crate::rules::model::{Mirror, OnMirrorDelete, OnMirrorEdit, Rules};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A write of one item.
    Single(Write),
    /// Writes of several items, all or none.
    Together(Vec<Write>),
}

/// The writes that make a mirror agree with a change of its source.
pub(crate) fn steps_of_change(
    rules: &Rules,
    pair: &Pair,
    content: Option<Item<'static>>,
    sequence: &SequenceNumber<'_>,
) -> Vec<Step> {
    let fence = sequence.fence();
    let precondition = Precondition::OlderThan(fence.clone());
    match content {
        Some(content) => {
            let mark = Mark::new(&rules[pair.rule].name, fence);
            vec![put(rules, pair, content, &mark, &precondition)]
        }
        None => delete(rules, pair, &precondition),
    }
}

/// The writes that make a mirror agree with the newest change of its source although the mirror has
/// a higher fence, provided that it still has this one. The fence becomes that of the change.
pub(crate) fn steps_of_replacement(
    rules: &Rules,
    pair: &Pair,
    content: Option<Item<'static>>,
    sequence: &SequenceNumber<'_>,
    seen: &str,
) -> Vec<Step> {
    let precondition = Precondition::Seen(seen.to_owned());
    match content {
        Some(content) => {
            let mark = Mark::new(&rules[pair.rule].name, sequence.fence());
            vec![put(rules, pair, content, &mark, &precondition)]
        }
        None => delete(rules, pair, &precondition),
    }
}

/// The writes that correct a mirror. `fix` identifies this correction: a mirror that is written over
/// or restored keeps its fence, and its mark must still change. See [`Mark::fix`].
pub(crate) fn steps_of_correction(
    rules: &Rules,
    pair: &Pair,
    correction: Correction,
    fix: String,
) -> Vec<Step> {
    match correction {
        Correction::Put { content, precondition } => {
            let fence = match &precondition {
                Precondition::Seen(fence) | Precondition::OlderThan(fence) => fence.clone(),
                Precondition::Absent(fence) => fence.clone().unwrap_or_else(lowest_fence),
                Precondition::Unmarked => lowest_fence(),
            };
            let deletes_source = rules[pair.rule].on_mirror_delete == OnMirrorDelete::DeleteSource;
            let keeps_fence = match &precondition {
                Precondition::Seen(_) => true,
                Precondition::Absent(fence) => deletes_source && fence.is_some(),
                Precondition::OlderThan(_) | Precondition::Unmarked => false,
            };
            let fix = keeps_fence.then(|| fix.into());
            let mark = Mark { fix, ..Mark::new(&rules[pair.rule].name, fence) };
            vec![put(rules, pair, content, &mark, &precondition)]
        }
        Correction::Delete { fence } => delete(rules, pair, &Precondition::Seen(fence)),
        Correction::DeleteSource { fence } => vec![delete_source(rules, pair, &fence, &fix)],
    }
}

fn put(
    rules: &Rules,
    pair: &Pair,
    mut content: Item<'static>,
    mark: &Mark<'_>,
    precondition: &Precondition,
) -> Step {
    let rule = &rules[pair.rule];
    content.insert(Cow::Borrowed(MARK), mark.to_value());
    Step::Single(Write {
        table: rules.table_of(rule.mirror).name.clone(),
        action: Action::Put(content),
        condition: Some(condition(rules, rule, precondition)),
    })
}

/// Deletes a mirror. If the rule deletes the source of a mirror that someone deleted, the delete is
/// announced on the mirror first. Otherwise, the stream record of Referee's own delete could cause
/// the delete of a source that was deleted and quickly written again.
fn delete(rules: &Rules, pair: &Pair, precondition: &Precondition) -> Vec<Step> {
    let rule = &rules[pair.rule];
    let write = |action, condition| {
        Step::Single(Write {
            table: rules.table_of(rule.mirror).name.clone(),
            action,
            condition: Some(condition),
        })
    };
    let key = || rules.key_schema(rule.mirror).item_of(&pair.mirror);
    let mut steps = Vec::new();
    let mut ours = vec![owned(rule, precondition)];
    if rule.on_mirror_delete == OnMirrorDelete::DeleteSource {
        let clauses = vec![Clause::Set(deleting_path(), Value::Bool(true))];
        let announce = Action::Update { key: key(), clauses };
        steps.push(write(announce, owned(rule, precondition)));
        // A delete that is applied late must not delete a mirror that was written again since.
        ours.push(Condition::Compare(deleting_path(), Operand::Equal, Value::Bool(true)));
    }
    let nothing_or_ours =
        Condition::Any(vec![nothing_is_there(rules, rule.mirror), Condition::All(ours)]);
    steps.push(write(Action::Delete(key()), nothing_or_ours));
    steps
}

/// Deletes a source whose mirror someone deleted, provided that the mirror is absent or no newer
/// than the deleted one, and was not restored because of this delete or a later one.
fn delete_source(rules: &Rules, pair: &Pair, fence: &str, fix: &str) -> Step {
    let rule = &rules[pair.rule];
    let gone = Write {
        table: rules.table_of(rule.mirror).name.clone(),
        action: Action::Check(rules.key_schema(rule.mirror).item_of(&pair.mirror)),
        condition: Some(Condition::Any(vec![
            nothing_is_there(rules, rule.mirror),
            Condition::All(vec![fenced(rule, Operand::LessOrEqual, fence), fixed_before(fix)]),
        ])),
    };
    let schema = rules.key_schema(rule.source);
    let delete = Write {
        table: rules.table_of(rule.source).name.clone(),
        action: Action::Delete(schema.item_of(&pair.source)),
        condition: Some(is_there(rules, rule.source)),
    };
    Step::Together(vec![gone, delete])
}

/// The precondition as a condition on the item at the mirror's key.
fn condition(rules: &Rules, rule: &Mirror, precondition: &Precondition) -> Condition {
    let adopts = rule.adopt && rule.on_mirror_edit == OnMirrorEdit::Overwrite;
    match precondition {
        Precondition::OlderThan(_) => {
            let mut allowed = vec![nothing_is_there(rules, rule.mirror), owned(rule, precondition)];
            if adopts {
                allowed.push(unmarked());
            }
            Condition::Any(allowed)
        }
        Precondition::Absent(_) => nothing_is_there(rules, rule.mirror),
        Precondition::Unmarked => unmarked(),
        Precondition::Seen(_) => owned(rule, precondition),
    }
}

/// Requires that the item is this rule's mirror, and that its fence meets the precondition.
fn owned(rule: &Mirror, precondition: &Precondition) -> Condition {
    match precondition {
        Precondition::OlderThan(fence) => fenced(rule, Operand::Less, fence),
        Precondition::Seen(fence) => fenced(rule, Operand::Equal, fence),
        Precondition::Absent(_) | Precondition::Unmarked => unmarked(),
    }
}

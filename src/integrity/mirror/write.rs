//! The writes that keep a mirror, each on a condition that makes it safe to repeat and to land
//! late.

use std::borrow::Cow;

use super::compare::{Fix, Guard};
use super::content::Pair;
use super::mark::{Mark, deleting_path, fenced, lowest_fence, unmarked};
use crate::data::SequenceNumber;
use crate::data::{Item, Value};
use crate::integrity::index::MARK;
use crate::integrity::presence::{is_there, nothing_is_there};
use crate::rules::model::{Mirror, OnMirrorDelete, OnMirrorEdit, Rules};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// One request of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A write of one item.
    Single(Write),
    /// Writes of several items, all or none.
    Together(Vec<Write>),
}

/// The writes that bring a mirror to what a change of its source says.
pub(crate) fn steps_of_change(
    rules: &Rules,
    pair: &Pair,
    content: Option<Item<'static>>,
    sequence: &SequenceNumber<'_>,
) -> Vec<Step> {
    let fence = sequence.fence();
    let guard = Guard::OlderThan(fence.clone());
    match content {
        Some(content) => {
            let mark = Mark::new(&rules[pair.rule].name, fence);
            vec![put(rules, pair, content, &mark, &guard)]
        }
        None => delete(rules, pair, &guard),
    }
}

/// The writes that put a mirror right, after the change of it with this sequence number.
pub(crate) fn steps_of_fix(
    rules: &Rules,
    pair: &Pair,
    fix: Fix,
    sequence: &SequenceNumber<'_>,
) -> Vec<Step> {
    match fix {
        Fix::Put { content, guard } => {
            let fence = match &guard {
                Guard::Seen(fence) | Guard::OlderThan(fence) => fence.clone(),
                Guard::Absent(fence) => fence.clone().unwrap_or_else(lowest_fence),
                Guard::Unmarked => lowest_fence(),
            };
            let fix = matches!(guard, Guard::Seen(_)).then(|| sequence.fence());
            let mark = Mark { fix, ..Mark::new(&rules[pair.rule].name, fence) };
            vec![put(rules, pair, content, &mark, &guard)]
        }
        Fix::Delete { fence } => delete(rules, pair, &Guard::Seen(fence)),
        Fix::DeleteSource { fence } => vec![delete_source(rules, pair, &fence)],
    }
}

fn put(rules: &Rules, pair: &Pair, mut content: Item<'static>, mark: &Mark, guard: &Guard) -> Step {
    let rule = &rules[pair.rule];
    content.insert(Cow::Borrowed(MARK), mark.to_value());
    Step::Single(Write {
        table: rules[rules[rule.mirror].table].name.clone(),
        action: Action::Put(content),
        condition: Some(condition(rules, rule, guard)),
    })
}

/// A delete of a mirror. Where a rule answers deletes by others, ours is announced on the mirror
/// first: a source deleted and quickly written again would else be deleted by our own echo.
fn delete(rules: &Rules, pair: &Pair, guard: &Guard) -> Vec<Step> {
    let rule = &rules[pair.rule];
    let write = |action, guard_condition| {
        Step::Single(Write {
            table: rules[rules[rule.mirror].table].name.clone(),
            action,
            condition: Some(guard_condition),
        })
    };
    let key = || rules.key_schema(rule.mirror).item_of(&pair.mirror);
    let mut steps = Vec::new();
    let mut ours = vec![owned(rule, guard)];
    if rule.on_mirror_delete == OnMirrorDelete::DeleteSource {
        let clauses = vec![Clause::Set(deleting_path(), Value::Bool(true))];
        let announce = Action::Update { key: key(), clauses };
        steps.push(write(announce, owned(rule, guard)));
        // A delete that lands late must not take a mirror that was written again since.
        ours.push(Condition::Compare(deleting_path(), Operand::Equal, Value::Bool(true)));
    }
    let nothing_or_ours =
        Condition::Any(vec![nothing_is_there(rules, rule.mirror), Condition::All(ours)]);
    steps.push(write(Action::Delete(key()), nothing_or_ours));
    steps
}

/// The delete of a source whose mirror someone deleted: only while the mirror is gone, or is there
/// again by nothing newer than what was deleted.
fn delete_source(rules: &Rules, pair: &Pair, fence: &str) -> Step {
    let rule = &rules[pair.rule];
    let gone = Write {
        table: rules[rules[rule.mirror].table].name.clone(),
        action: Action::Check(rules.key_schema(rule.mirror).item_of(&pair.mirror)),
        condition: Some(Condition::Any(vec![
            nothing_is_there(rules, rule.mirror),
            fenced(&rule.name, Operand::LessOrEqual, fence),
        ])),
    };
    let source = &rules[rule.source];
    let schema = rules.key_schema(rule.source);
    let delete = Write {
        table: rules[source.table].name.clone(),
        action: Action::Delete(schema.item_of(&pair.source)),
        condition: Some(is_there(rules, rule.source)),
    };
    Step::Together(vec![gone, delete])
}

/// What a guard says of the mirror as it is, in a condition on it.
fn condition(rules: &Rules, rule: &Mirror, guard: &Guard) -> Condition {
    let adopts = rule.adopt && rule.on_mirror_edit == OnMirrorEdit::Overwrite;
    match guard {
        Guard::OlderThan(_) => {
            let mut allowed = vec![nothing_is_there(rules, rule.mirror), owned(rule, guard)];
            if adopts {
                allowed.push(unmarked());
            }
            Condition::Any(allowed)
        }
        Guard::Absent(_) => nothing_is_there(rules, rule.mirror),
        Guard::Unmarked => unmarked(),
        Guard::Seen(_) => owned(rule, guard),
    }
}

/// The mirror is this rule's, and its fence is what the guard says.
fn owned(rule: &Mirror, guard: &Guard) -> Condition {
    match guard {
        Guard::OlderThan(fence) => fenced(&rule.name, Operand::Less, fence),
        Guard::Seen(fence) => fenced(&rule.name, Operand::Equal, fence),
        Guard::Absent(_) | Guard::Unmarked => unmarked(),
    }
}

//! Assembling: from a subject to the transaction.

use super::subject::{Dependent, Half, Subject, Target, json, lookup};
use super::{Action, Attributes, Kind, Operation, Refusal, Transaction};
use crate::data::{Path, Value};
use crate::integrity::mark::MARK;
use crate::integrity::mirror::{Mark, is_of, lowest_fence};
use crate::integrity::presence::{is_not_there, is_there, nothing_is_there};
use crate::rules::model::{EntityId, Find, Mirror, OnDelete, OnMirrorDelete, Reference, Rules};
use crate::store::{Condition, TRANSACT_ACTIONS_MAX};

pub(super) fn assemble(
    rules: &Rules,
    subject: &Subject,
    operation: Operation,
) -> Result<Transaction, Refusal> {
    if operation == Operation::Update && subject.content.is_empty() {
        let name = &rules[subject.entity].name;
        let why = format!("the update sets no attribute of the `{name}`");
        return Err(Refusal::Impossible(why));
    }
    let Subject { targets, halves, dependents, notes, .. } = subject;
    let actions = vec![write(rules, subject, operation)];
    let mut assembly = Assembly { rules, actions, notes: notes.clone(), broken: Vec::new() };
    for half in halves {
        assembly.add_half(half, operation);
    }
    for target in targets {
        assembly.add_target(target);
    }
    if operation == Operation::Delete {
        assembly.add_dependents(subject.entity, dependents);
    }
    assembly.finish()
}

/// The write of the subject itself.
fn write(rules: &Rules, subject: &Subject, operation: Operation) -> Action {
    let entity = &rules[subject.entity];
    let (kind, condition) = match operation {
        Operation::Put => (Kind::Put, None),
        Operation::Update => (Kind::Update, Some(is_there(rules, subject.entity))),
        Operation::Delete => (Kind::Delete, None),
    };
    let verb = match operation {
        Operation::Put | Operation::Update => "written",
        Operation::Delete => "deleted",
    };
    Action {
        kind,
        table: rules[entity.table].name.clone(),
        key: subject.key.clone(),
        content: if kind == Kind::Delete { Attributes::new() } else { subject.content.clone() },
        condition,
        reasons: vec![format!("the `{}` that is {verb}", entity.name)],
    }
}

/// A transaction that is being put together.
struct Assembly<'r> {
    rules: &'r Rules,
    actions: Vec<Action>,
    notes: Vec<String>,
    broken: Vec<String>,
}

impl Assembly<'_> {
    /// The same write on the mirror, so that it is never out of date.
    ///
    /// It carries the mark, by which Referee takes it for its own, and is not made over an item
    /// that has none.
    fn add_half(&mut self, half: &Half, operation: Operation) {
        let mirror = &self.rules[half.rule];
        if mirror.on_mirror_delete == OnMirrorDelete::DeleteSource {
            self.notes.push(format!(
                "`{}`: the mirror is left to Referee, which could not tell its delete from one \
                 that is to take the `{}` with it",
                mirror.name, self.rules[mirror.source].name
            ));
            return;
        }
        let mut content = half.content.clone();
        let (kind, condition) = match operation {
            Operation::Put => {
                // Referee's own write, which follows, has a higher fence.
                let mark = Mark::new(&mirror.name, lowest_fence());
                content.insert(MARK.to_owned(), json(&mark.to_value()));
                (Kind::Put, self.absent_or_ours(mirror))
            }
            Operation::Update if content.is_empty() => return,
            Operation::Update => (Kind::Update, is_of(&mirror.name)),
            Operation::Delete => {
                content.clear();
                (Kind::Delete, self.absent_or_ours(mirror))
            }
        };
        self.actions.push(Action {
            kind,
            table: self.rules[self.rules[mirror.mirror].table].name.clone(),
            key: half.key.clone(),
            content,
            condition: Some(condition),
            reasons: vec![format!("{}: its mirror", mirror.name)],
        });
    }

    fn absent_or_ours(&self, mirror: &Mirror) -> Condition {
        let absent = nothing_is_there(self.rules, mirror.mirror);
        Condition::Any(vec![absent, is_of(&mirror.name)])
    }

    /// A check that what the subject refers to exists.
    fn add_target(&mut self, target: &Target) {
        let reference = &self.rules[target.rule];
        let to = &self.rules[reference.to];
        let reason = format!("{}: the `{}` exists", reference.name, to.name);
        let is_there = is_there(self.rules, reference.to);
        let table = &self.rules[to.table].name;
        let same = self.actions.iter_mut().find(|it| it.table == *table && it.key == target.key);
        let Some(same) = same else {
            self.actions.push(Action {
                kind: Kind::Check,
                table: table.clone(),
                key: target.key.clone(),
                content: Attributes::new(),
                condition: Some(is_there),
                reasons: vec![reason],
            });
            return;
        };
        match same.kind {
            Kind::Check | Kind::Update => same.ask(is_there, reason),
            // What is put by the same transaction exists once that is done.
            Kind::Put | Kind::Delete => {
                let holds = |(path, value): &(Path, Value<'static>)| {
                    lookup(&same.content, path) == Some(&json(value))
                };
                if !to.conditions.iter().all(holds) {
                    self.broken.push(format!(
                        "`{}` is broken: the item refers to its own key, and is no `{}`",
                        reference.name, to.name
                    ));
                }
            }
        }
    }

    /// What can be asked of the items that refer to one that is deleted: of one whose key is known,
    /// whether it is there; of all others, nothing.
    fn add_dependents(&mut self, entity: EntityId, dependents: &[Dependent]) {
        let mut is_left = false;
        for dependent in dependents {
            let reference = &self.rules[dependent.rule];
            if reference.on_delete == OnDelete::Ignore {
                continue;
            }
            if let Some(key) = &dependent.only {
                self.add_only(reference, key);
                if reference.on_delete == OnDelete::Cascade {
                    self.notes.push(format!(
                        "`{}`: a `Delete` in the place of its check does at once what `cascade` \
                         does later",
                        reference.name
                    ));
                }
            } else {
                is_left = true;
                self.notes.push(self.left_behind(reference));
            }
        }
        if is_left {
            self.notes.push(format!(
                "to prevent that, count them on the `{}` in the transactions that write and \
                 delete them, and delete it on condition that the count is 0",
                self.rules[entity].name
            ));
        }
    }

    fn add_only(&mut self, reference: &Reference, key: &Attributes) {
        let from = &self.rules[reference.from];
        let condition = is_not_there(self.rules, reference.from);
        let reason = format!("{}: no `{}` is left behind", reference.name, from.name);
        let table = &self.rules[from.table].name;
        let same = self.actions.iter_mut().find(|it| it.table == *table && it.key == *key);
        match same {
            Some(same) if same.kind == Kind::Check => same.ask(condition, reason),
            // What the same transaction deletes is not left behind.
            Some(_) => {}
            None => self.actions.push(Action {
                kind: Kind::Check,
                table: table.clone(),
                key: key.clone(),
                content: Attributes::new(),
                condition: Some(condition),
                reasons: vec![reason],
            }),
        }
    }

    fn left_behind(&self, reference: &Reference) -> String {
        let (from, to) = (&self.rules[reference.from].name, &self.rules[reference.to].name);
        let then = match (reference.on_delete, &reference.find) {
            (_, Find::None) => "nor does Referee find those left behind",
            (OnDelete::Report | OnDelete::Ignore, _) => "Referee reports those left behind",
            (OnDelete::Cascade, _) => "Referee deletes those left behind",
            (OnDelete::Unset, _) => "Referee removes the references of those left behind",
            (OnDelete::SetDefault, _) => "Referee sets the default in those left behind",
            (OnDelete::Restore, _) => "Referee writes the item again while any does",
        };
        format!(
            "`{}`: that no `{from}` refers to the `{to}` cannot be checked, for a condition asks \
             one item by its key; {then}",
            reference.name
        )
    }

    fn finish(self) -> Result<Transaction, Refusal> {
        if !self.broken.is_empty() {
            return Err(Refusal::Broken(self.broken));
        }
        let count = self.actions.len();
        if count > TRANSACT_ACTIONS_MAX {
            return Err(Refusal::Impossible(format!(
                "the transaction would have {count} actions, and DynamoDB takes \
                 {TRANSACT_ACTIONS_MAX}: write the item in several steps, each with the references \
                 that it adds"
            )));
        }
        Ok(Transaction { actions: self.actions, notes: self.notes })
    }
}

impl Action {
    /// Asks for more of its item: DynamoDB takes one action for each.
    fn ask(&mut self, more: Condition, reason: String) {
        let mut all = self.condition.take().map(parts).unwrap_or_default();
        for part in parts(more) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        self.condition = Some(Condition::All(all));
        self.reasons.push(reason);
    }
}

/// What has to hold each for the condition to hold.
fn parts(condition: Condition) -> Vec<Condition> {
    if let Condition::All(parts) = condition { parts } else { vec![condition] }
}

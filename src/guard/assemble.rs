//! Turns a subject into the transaction.

use super::subject::{MirrorItem, Referrer, Subject, Target, json, lookup};
use super::{ActionKind, Attributes, Operation, Refusal, TransactAction, Transaction};
use crate::data::{Path, Value};
use crate::integrity::mark::MARK;
use crate::integrity::mirror::{Mark, is_of, lowest_fence};
use crate::integrity::presence::{is_not_there, is_there, nothing_is_there};
use crate::integrity::reference;
use crate::rules::model::{
    Entity, EntityId, Find, Mirror, OnDelete, OnMirrorDelete, Reference, Rules, Test, TimeFormat,
    When,
};
use crate::store::{Condition, TRANSACT_ACTIONS_MAX};
use crate::wording;

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
    let Subject { targets, mirrors, referrers, notes, .. } = subject;
    let actions = vec![write(rules, subject, operation)];
    let mut assembly = Assembly { rules, actions, notes: notes.clone(), broken: Vec::new() };
    for mirror in mirrors {
        assembly.add_mirror(mirror, operation);
    }
    for target in targets {
        assembly.add_target(target);
    }
    if operation == Operation::Delete {
        assembly.add_referrers(subject.entity, referrers);
    }
    assembly.finish()
}

/// Returns the action that writes the subject itself.
fn write(rules: &Rules, subject: &Subject, operation: Operation) -> TransactAction {
    let entity = &rules[subject.entity];
    let (kind, condition) = match operation {
        Operation::Put => (ActionKind::Put, None),
        Operation::Update => (ActionKind::Update, Some(is_there(rules, subject.entity))),
        Operation::Delete => (ActionKind::Delete, None),
    };
    let verb = match operation {
        Operation::Put | Operation::Update => "write",
        Operation::Delete => "delete",
    };
    TransactAction {
        kind,
        table: rules[entity.table].name.clone(),
        key: subject.key.clone(),
        content: if kind == ActionKind::Delete {
            Attributes::new()
        } else {
            subject.content.clone()
        },
        condition,
        reasons: vec![format!("the `{}` to {verb}", entity.name)],
    }
}

/// A transaction under construction.
struct Assembly<'r> {
    rules: &'r Rules,
    actions: Vec<TransactAction>,
    notes: Vec<String>,
    broken: Vec<String>,
}

impl Assembly<'_> {
    /// Adds the same write on the mirror, so that the mirror is never stale.
    ///
    /// A put includes the mark by which Referee recognizes its own mirrors. An item without the
    /// mark is not overwritten.
    fn add_mirror(&mut self, item: &MirrorItem, operation: Operation) {
        let mirror = &self.rules[item.rule];
        if mirror.on_mirror_delete == OnMirrorDelete::DeleteSource {
            self.notes.push(format!(
                "`{}`: the transaction leaves the mirror to Referee, because with \
                 `on_mirror_delete: delete_source`, deleting the mirror is a request to delete the \
                 `{}`",
                mirror.name, self.rules[mirror.source].name
            ));
            return;
        }
        let mut content = item.content.clone();
        let (kind, condition) = match operation {
            Operation::Put => {
                // Referee's own write follows and has a higher fence.
                let mark = Mark::new(&mirror.name, lowest_fence());
                content.insert(MARK.to_owned(), json(&mark.to_value()));
                (ActionKind::Put, self.absent_or_ours(mirror))
            }
            Operation::Update if content.is_empty() => return,
            Operation::Update => (ActionKind::Update, is_of(mirror)),
            Operation::Delete => {
                content.clear();
                (ActionKind::Delete, self.absent_or_ours(mirror))
            }
        };
        self.actions.push(TransactAction {
            kind,
            table: self.rules[self.rules[mirror.mirror].table].name.clone(),
            key: item.key.clone(),
            content,
            condition: Some(condition),
            reasons: vec![format!("{}: its mirror", mirror.name)],
        });
    }

    fn absent_or_ours(&self, mirror: &Mirror) -> Condition {
        let absent = nothing_is_there(self.rules, mirror.mirror);
        Condition::Any(vec![absent, is_of(mirror)])
    }

    /// Adds a check that an item that the subject refers to exists.
    fn add_target(&mut self, target: &Target) {
        let reference = &self.rules[target.rule];
        let to = &self.rules[reference.to];
        let mut names = vec![to.name.clone()];
        let mut is_there = is_there(self.rules, reference.to);
        for (other, key) in &target.others {
            let entity = &self.rules[self.rules[*other].to];
            if (entity.table, key) == (to.table, &target.key) {
                names.push(entity.name.clone());
                let there = self::is_there(self.rules, self.rules[*other].to);
                is_there = Condition::Any(vec![is_there, there]);
            } else {
                let (which, instead) = if entity.name == to.name {
                    let [this, first] = [entity, to].map(|it| &self.rules[it.table].alias);
                    (format!("`{}` in `{this}`", entity.name), format!("one in `{first}`"))
                } else {
                    (format!("`{}`", entity.name), format!("`{}`", to.name))
                };
                self.notes.push(format!(
                    "`{}`: a transaction cannot check that one of several items exists; if the item \
                     refers to a {which}, check {} in table `{}` instead of the {instead}",
                    reference.name,
                    serde_json::json!(key),
                    self.rules[entity.table].name,
                ));
            }
        }
        let reason = format!("{}: the {} exists", reference.name, wording::names(&names, "or"));
        if let Some(ttl) = reference::ttl(self.rules, reference) {
            self.notes.push(format!(
                "`{}`: the transaction does not check whether the `{}` has expired; to check it, \
                 add `AND NOT {ttl} <= :now` to the condition, with the current time in seconds \
                 since 1970",
                reference.name, to.name
            ));
        }
        let table = &self.rules[to.table].name;
        self.notes.extend(time_notes(reference, to));
        let same = self.actions.iter_mut().find(|it| it.table == *table && it.key == target.key);
        let Some(same) = same else {
            self.actions.push(TransactAction {
                kind: ActionKind::Check,
                table: table.clone(),
                key: target.key.clone(),
                content: Attributes::new(),
                condition: Some(is_there),
                reasons: vec![reason],
            });
            return;
        };
        match same.kind {
            ActionKind::Check | ActionKind::Update => same.require(is_there, reason),
            // If the same transaction puts the item, the item exists afterwards.
            ActionKind::Put | ActionKind::Delete => {
                if !to.conditions.iter().all(|it| holds(&same.content, it)) {
                    self.broken.push(format!(
                        "`{}` is broken: the item refers to itself, but is not a `{}`",
                        reference.name, to.name
                    ));
                }
            }
        }
    }

    /// Adds a check for each item that can refer to the deleted item and whose key is known.
    /// Conditions cannot find other referencing items.
    fn add_referrers(&mut self, entity: EntityId, referrers: &[Referrer]) {
        let mut is_unchecked = false;
        for referrer in referrers {
            let reference = &self.rules[referrer.rule];
            if reference.on_delete == OnDelete::Ignore {
                continue;
            }
            if let Some(key) = &referrer.only {
                self.add_only(reference, key);
                if reference.on_delete == OnDelete::Cascade {
                    self.notes.push(format!(
                        "`{}`: replace its check with a `Delete` to do at once what `cascade` does \
                         later",
                        reference.name
                    ));
                }
            } else {
                is_unchecked = true;
                self.notes.push(self.unchecked(reference));
            }
        }
        if is_unchecked {
            self.notes.push(format!(
                "to prevent orphans, store the number of referencing items in the `{}`: change the \
                 number in every transaction that writes or deletes such an item, and delete the \
                 `{}` only if the number is 0",
                self.rules[entity].name, self.rules[entity].name
            ));
        }
    }

    fn add_only(&mut self, reference: &Reference, key: &Attributes) {
        let from = &self.rules[reference.from];
        let condition = is_not_there(self.rules, reference.from);
        let reason = format!("{}: no `{}` refers to it", reference.name, from.name);
        let table = &self.rules[from.table].name;
        let same = self.actions.iter_mut().find(|it| it.table == *table && it.key == *key);
        match same {
            Some(same) if same.kind == ActionKind::Check => same.require(condition, reason),
            // If the same transaction deletes the item, the item does not become an orphan.
            Some(_) => {}
            None => self.actions.push(TransactAction {
                kind: ActionKind::Check,
                table: table.clone(),
                key: key.clone(),
                content: Attributes::new(),
                condition: Some(condition),
                reasons: vec![reason],
            }),
        }
    }

    fn unchecked(&self, reference: &Reference) -> String {
        let (from, to) = (&self.rules[reference.from].name, &self.rules[reference.to].name);
        let then = match (reference.on_delete, &reference.find) {
            (_, Find::None) => "Referee does not find the orphans either",
            (OnDelete::Report | OnDelete::Ignore, _) => "Referee reports the orphans",
            (OnDelete::Cascade, _) => "Referee deletes the orphans",
            (OnDelete::Unset, _) => "Referee removes the references of the orphans",
            (OnDelete::SetDefault, _) => {
                "Referee sets the references of the orphans to the default"
            }
            (OnDelete::Restore, _) => "Referee restores the item if anything still refers to it",
        };
        format!(
            "`{}`: the transaction cannot check that no `{from}` refers to the `{to}`, because a \
             condition tests one item by its key; {then}",
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
                "the transaction has {count} actions; the maximum is {TRANSACT_ACTIONS_MAX}: write \
                 the item in several steps that each add some of the references"
            )));
        }
        Ok(Transaction { actions: self.actions, notes: self.notes })
    }
}

impl TransactAction {
    /// Adds a condition to this action, because DynamoDB allows only one action for each item.
    fn require(&mut self, more: Condition, reason: String) {
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

/// Whether attributes meet a condition. One that contains a placeholder counts as met.
fn holds(content: &Attributes, (path, test): &(Path, Test)) -> bool {
    let found = lookup(content, path).map(ToString::to_string);
    let found = found.as_deref().map(serde_json::from_str::<Value<'_>>).transpose();
    found.map_or(true, |found| test.holds(found.as_ref()))
}

/// The notes on conditions of a referenced entity that depend on the time.
fn time_notes(reference: &Reference, to: &Entity) -> Vec<String> {
    let note = |(path, test): &(Path, Test)| {
        let Test::Time(when, format) = test else { return None };
        let operator = match when {
            When::Before => "<",
            When::After => ">",
        };
        let format = match format {
            TimeFormat::Seconds => "in seconds since 1970",
            TimeFormat::Milliseconds => "in milliseconds since 1970",
            TimeFormat::Text => "as a text in ISO 8601",
        };
        Some(format!(
            "`{}`: the transaction does not check the time in `{path}` of the `{}`; to check it, \
             add `AND {path} {operator} :now` to the condition, with the current time {format}",
            reference.name, to.name
        ))
    };
    to.conditions.iter().filter_map(note).collect()
}

/// Splits a condition into the conditions that must all hold.
fn parts(condition: Condition) -> Vec<Condition> {
    if let Condition::All(parts) = condition { parts } else { vec![condition] }
}

//! Needs: the requests that the engine makes for its rules, by the items that they concern.

use std::collections::BTreeSet;

use crate::rules::model::{
    EntityId, Find, Mirror, Mode, OnDelete, OnMirrorDelete, OnMissing, Reference, Rules,
};

/// An action on items.
///
/// A transaction needs no right of its own: its actions need those of the requests that they stand
/// for, and a `ConditionCheck` needs `ConditionCheckItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    BatchGetItem,
    ConditionCheckItem,
    DeleteItem,
    PutItem,
    Query,
    UpdateItem,
}

impl Action {
    /// Its name in DynamoDB's API.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BatchGetItem => "BatchGetItem",
            Self::ConditionCheckItem => "ConditionCheckItem",
            Self::DeleteItem => "DeleteItem",
            Self::PutItem => "PutItem",
            Self::Query => "Query",
            Self::UpdateItem => "UpdateItem",
        }
    }
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'r> {
    /// The table's name in DynamoDB.
    pub(super) table: &'r str,
    /// The index, if the table is read through one: that needs no right on the table itself.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-specific-table-indexes.html>
    pub(super) index: Option<&'r str>,
}

/// The actions that the rules need, and where.
pub(super) type Needs<'r> = BTreeSet<(Action, Place<'r>)>;

/// What the engine asks of the tables for these rules.
pub(super) fn needs(rules: &Rules) -> Needs<'_> {
    let mut gathered = Gathered { rules, needs: Needs::new() };
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        gathered.add_reads(reference);
        if reference.mode == Mode::Enforce {
            gathered.add_on_missing(reference);
            gathered.add_on_delete(reference);
        }
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        for entity in [mirror.source, mirror.mirror] {
            gathered.add(Action::BatchGetItem, entity);
        }
        if mirror.mode == Mode::Enforce {
            gathered.add_mirror(mirror);
        }
    }
    gathered.needs
}

struct Gathered<'r> {
    rules: &'r Rules,
    needs: Needs<'r>,
}

impl Gathered<'_> {
    fn add(&mut self, action: Action, entity: EntityId) {
        let place = Place { table: &self.rules[self.rules[entity].table].name, index: None };
        self.needs.insert((action, place));
    }

    /// The function greets each of its tables with a `BatchGetItem` when it starts, and later reads
    /// both sides of a reference so. Who refers to a deleted item, a query finds.
    fn add_reads(&mut self, reference: &Reference) {
        self.add(Action::BatchGetItem, reference.from);
        self.add(Action::BatchGetItem, reference.to);
        if reference.on_deletes().iter().all(|action| *action == OnDelete::Ignore) {
            return;
        }
        match &reference.find {
            Find::Derived => self.add(Action::Query, reference.from),
            Find::Mirror(mirror) => self.add(Action::Query, self.rules[*mirror].mirror),
            Find::Index { index, .. } => {
                let table = &self.rules[self.rules[reference.from].table];
                let index = table.indexes.get(*index).map(|index| index.name.as_str());
                self.needs.insert((Action::Query, Place { table: &table.name, index }));
            }
            Find::None => {}
        }
    }

    /// The repair of an item that refers to what does not exist: a transaction that checks that the
    /// referenced item is still not there.
    fn add_on_missing(&mut self, reference: &Reference) {
        let Reference { from, to, .. } = *reference;
        match reference.on_missing {
            OnMissing::Report => {}
            OnMissing::Delete => {
                self.add(Action::ConditionCheckItem, to);
                self.add(Action::DeleteItem, from);
            }
            // The target of a default is in the same table as the one that is missing.
            OnMissing::Unset | OnMissing::SetDefault => {
                self.add(Action::ConditionCheckItem, to);
                self.add(Action::UpdateItem, from);
            }
            OnMissing::Revert => {
                self.add(Action::UpdateItem, from);
                self.add(Action::DeleteItem, from);
                // What the item is put back to has to be whole in all its references, also if it
                // is another kind of item with the same key.
                let rules = self.rules;
                let entity = &rules[from];
                let same_key = |other: &Reference| {
                    let other = &rules[other.from];
                    other.table == entity.table && other.key.overlap(&entity.key).is_some()
                };
                let in_use = rules.references.iter().filter(|other| other.mode != Mode::Off);
                for other in in_use.filter(|other| same_key(other)) {
                    self.add(Action::ConditionCheckItem, other.to);
                }
            }
        }
    }

    /// The repair of what a delete leaves behind: a transaction that checks that the referenced
    /// item has not come back.
    fn add_on_delete(&mut self, reference: &Reference) {
        let Reference { from, to, .. } = *reference;
        for action in reference.on_deletes() {
            match action {
                OnDelete::Report | OnDelete::Ignore => {}
                OnDelete::Cascade => {
                    self.add(Action::ConditionCheckItem, to);
                    self.add(Action::DeleteItem, from);
                    // How deep a cascade is that leads to items of its own kind, the items say.
                    if reference.is_recursive() {
                        self.add(Action::UpdateItem, from);
                    }
                }
                OnDelete::Unset | OnDelete::SetDefault => {
                    self.add(Action::ConditionCheckItem, to);
                    self.add(Action::UpdateItem, from);
                }
                // Only while something still refers to it.
                OnDelete::Restore => {
                    self.add(Action::PutItem, to);
                    self.add(Action::ConditionCheckItem, from);
                }
            }
        }
    }

    fn add_mirror(&mut self, mirror: &Mirror) {
        self.add(Action::PutItem, mirror.mirror);
        self.add(Action::DeleteItem, mirror.mirror);
        if mirror.on_mirror_delete == OnMirrorDelete::DeleteSource {
            // A delete of Referee's own is announced on the mirror first.
            self.add(Action::UpdateItem, mirror.mirror);
            // A source is deleted only while its mirror is gone.
            self.add(Action::ConditionCheckItem, mirror.mirror);
            self.add(Action::DeleteItem, mirror.source);
        }
    }
}
